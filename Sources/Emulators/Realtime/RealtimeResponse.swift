internal import FoundationEssentials
internal import RouterCore

/// The response that is being made.
struct RealtimeResponse {
  var id: String
  /// Nothing of it becomes a part of the conversation.
  var isAside: Bool
  var task: Task<Void, Never>?
  /// The item that is being spoken, and its words.
  var item: (id: String, words: String)?
}

/// Responses, step by step as the script says.
extension RealtimeConversation {
  /// Sound of one message, in milliseconds.
  private static let pieceMilliseconds = 200

  /// - Parameters:
  ///   - words: What the client asked for; the server's own answer without.
  ///   - isAside: It is no response of the conversation, and no step of the script.
  func respond(to words: String?, isAside: Bool = false) {
    let usual = RealtimeStep.say(words ?? "I heard you.")
    let step = isAside ? usual : emulator.script.nextStep() ?? usual
    if case .nothing = step { return report.saw("nothing, as the script says") }
    if case .error(let code) = step {
      return emit(
        "error",
        ["error": ["type": "server_error", "code": .string(code), "message": "as the script says"]])
    }
    let response = RealtimeResponse(id: id("resp"), isAside: isAside)
    active = response
    emit("response.created", ["response": ["id": .string(response.id), "status": "in_progress"]])
    emit(
      "rate_limits.updated",
      ["rate_limits": [["name": "requests", "limit": 1000, "remaining": 999, "reset_seconds": 1]]])
    switch step {
    case .say(let words): active?.task = Task { await say(words) }
    case .tools(let calls): use(calls)
    case .drop:
      active?.task = Task { await say("This sentence will never come to its end.") { $0.drop() } }
    case .stall:
      active?.task = Task {
        await say("This sentence will never come to its end.") { $0.report.saw("goes silent") }
      }
    case .close(let code, let reason): close(code, reason)
    case .garbage: spoutGarbage()
    case .flood: flood()
    case .fail(let code):
      finish(
        "failed",
        [
          "type": "failed",
          "error": ["type": "server_error", "code": .string(code), "message": "as the script says"],
        ])
    case .incomplete(let reason): finish("incomplete", ["type": "incomplete", "reason": .string(reason)])
    case .big: socket.send(.text([UInt8](repeating: UInt8(ascii: " "), count: 50 << 20)))
    case .expire: expire()
    case .silence, .nothing, .error: break
    }
  }

  /// Ends the active response.
  func finish(_ status: String, _ details: JSONValue = nil, output: [JSONValue] = []) {
    guard let response = active else { return }
    active = nil
    report.saw("response \(status)")
    emit(
      "response.done",
      [
        "response": [
          "id": .string(response.id), "object": "realtime.response", "status": .string(status),
          "status_details": details, "output": .array(output),
        ]
      ])
  }

  func cancel(_ reason: String) {
    active?.task?.cancel()
    let item = active?.item
    let output = item.map { item in [message(item.id, item.words, status: "incomplete")] } ?? []
    finish("cancelled", ["type": "cancelled", "reason": .string(reason)], output: output)
  }

  private func message(_ item: String, _ words: String, status: String) -> JSONValue {
    let part: JSONValue = state.shape == .ga ? "output_audio" : "audio"
    return [
      "id": .string(item), "type": "message", "role": "assistant", "status": .string(status),
      "content": [["type": part, "transcript": .string(words)]],
    ]
  }

  /// - Parameter accident: What happens in the middle of it; without one it comes to its end.
  private func say(
    _ words: String, accident: ((isolated RealtimeConversation) -> Void)? = nil
  ) async {
    guard let response = active?.id, let isAside = active?.isAside else { return }
    let item = id("item")
    active?.item = (item, words)
    report.saw("says: \(words)")
    let place: [String: JSONValue] = [
      "response_id": .string(response), "item_id": .string(item), "output_index": 0, "content_index": 0,
    ]
    func placed(_ more: [String: JSONValue]) -> [String: JSONValue] { place.merging(more) { own, _ in own } }
    let started = message(item, "", status: "in_progress")
    emit(
      "response.output_item.added", ["response_id": .string(response), "output_index": 0, "item": started])
    if !isAside { emit("conversation.item.added", ["item": started]) }
    emit("response.content_part.added", placed(["part": ["type": "audio"]]))
    let sound = Babble.sound(words, as: state.format)
    let size = state.bytesPerMillisecond * Self.pieceMilliseconds
    let letters = Array(words)
    var told = 0
    for start in stride(from: 0, to: sound.count, by: size) {
      if Task.isCancelled || active?.id != response { return }
      if let accident, start > sound.count / 2 { return accident(self) }
      let end = min(start + size, sound.count)
      // Words run a little ahead of their sound.
      let due = min(letters.count, (end * letters.count / max(1, sound.count)) + 6)
      if due > told {
        emit(
          "response.output_audio_transcript.delta", placed(["delta": .string(String(letters[told..<due]))]))
        told = due
      }
      if !isAside { state.spoke(item, bytes: end - start) }
      emitSound(place, Data(sound[start..<end]).base64EncodedString())
      if emulator.pace > 0 {
        // Ends early when the response is cancelled.
        try? await Task.sleep(for: .milliseconds(Self.pieceMilliseconds / emulator.pace))
      }
    }
    if Task.isCancelled || active?.id != response { return }
    if told < letters.count {
      emit("response.output_audio_transcript.delta", placed(["delta": .string(String(letters[told...]))]))
    }
    emit("response.output_audio.done", placed([:]))
    emit("response.output_audio_transcript.done", placed(["transcript": .string(words)]))
    let whole = message(item, words, status: "completed")
    emit("response.content_part.done", placed(["part": ["type": "audio", "transcript": .string(words)]]))
    emit("response.output_item.done", ["response_id": .string(response), "output_index": 0, "item": whole])
    if !isAside { emit("conversation.item.done", ["item": whole]) }
    finish("completed", output: [whole])
  }

  private func use(_ calls: [RealtimeStep.Call]) {
    guard let response = active?.id else { return }
    var output: [JSONValue] = []
    for (index, call) in calls.enumerated() {
      if !state.tools.contains(call.name) { report.violation("the session has no tool \(call.name)") }
      let callID = id("call")
      let item = id("item")
      state.called(callID)
      report.saw("calls \(call.name)")
      let begun: [String: JSONValue] = [
        "id": .string(item), "type": "function_call", "call_id": .string(callID), "name": .string(call.name),
      ]
      let place: [String: JSONValue] = [
        "response_id": .string(response), "item_id": .string(item), "output_index": .integer(index),
        "call_id": .string(callID),
      ]
      func whole(_ status: String, _ arguments: String) -> JSONValue {
        .object(
          begun.merging(["status": .string(status), "arguments": .string(arguments)]) { own, _ in own })
      }
      emit("response.output_item.added", place.merging(["item": whole("in_progress", "")]) { own, _ in own })
      emit(
        "response.function_call_arguments.delta",
        place.merging(["delta": .string(call.arguments)]) { own, _ in own })
      var done: [String: JSONValue] = ["arguments": .string(call.arguments)]
      if state.shape == .ga { done["name"] = .string(call.name) }  // the beta form does not say it here
      emit("response.function_call_arguments.done", place.merging(done) { own, _ in own })
      emit(
        "response.output_item.done",
        place.merging(["item": whole("completed", call.arguments)]) { own, _ in own })
      output.append(whole("completed", call.arguments))
    }
    finish("completed", output: output)
  }

  // MARK: Misbehaviour

  /// Breaks the connection without a close frame.
  private func drop() {
    report.saw("drops the connection")
    active = nil
    socket.assumeIsolated { $0.cut() }
  }

  private func spoutGarbage() {
    for text in [
      "", "[]", "{", "{\"type\": 7}", "\u{0}", "null", "{\"type\": \"response.output_audio.delta\"}",
    ] {
      for _ in 0..<5 { socket.send(.text(text)) }
    }
  }

  private func flood() {
    guard let response = active?.id else { return }
    let place: [String: JSONValue] = [
      "response_id": .string(response), "item_id": .string(id("item")), "output_index": 0, "content_index": 0,
    ]
    let minute = Data([UInt8](repeating: 0x55, count: state.bytesPerMillisecond * 60_000))
      .base64EncodedString()
    for _ in 0..<60 {
      emitSound(place, minute)
    }
  }
}
