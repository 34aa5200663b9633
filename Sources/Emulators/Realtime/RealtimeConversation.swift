internal import FoundationEssentials
internal import RouterCore

/// One connection to the scripted realtime server, on the server's loop.
actor RealtimeConversation {
  let emulator: RealtimeEmulator
  let socket: WebSocket
  private nonisolated let loop: EventLoop
  var state: RealtimeState
  var active: RealtimeResponse?
  private var detector = TurnDetector()
  private var pending: [UInt8] = []
  private var heardMilliseconds = 0
  /// Sound that is no turn yet, where the client says what is one.
  private var uncommitted = 0
  private var callerItem = ""
  private var count = 0
  private var isOver = false
  private var ending: Task<Void, Never>?

  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  var report: EmulatorReport { emulator.report }

  init(_ emulator: RealtimeEmulator, _ shape: RealtimeRules.Shape, _ socket: WebSocket, on loop: EventLoop) {
    self.emulator = emulator
    self.socket = socket
    self.loop = loop
    state = RealtimeState(shape)
  }

  /// Serves until the socket is closed; the socket keeps this alive.
  func run() {
    let expiry = Int(Date().timeIntervalSince1970) + emulator.sessionSeconds
    socket.assumeIsolated { socket in
      socket.start { message in
        self.assumeIsolated { $0.receive(message) }
      } onClose: { close in
        self.assumeIsolated { $0.closed(close) }
      }
    }
    emit(
      "session.created",
      ["session": ["object": "realtime.session", "id": .string(id("sess")), "expires_at": .integer(expiry)]])
    ending = Task {
      try? await Task.sleep(for: .seconds(emulator.sessionSeconds))  // cancelled when the client left before
      if !Task.isCancelled { expire() }
    }
  }

  private func closed(_ close: WebSocketClose) {
    isOver = true
    ending?.cancel()
    active?.task?.cancel()
    active = nil
    report.saw("closed: \(close.code)")
  }

  // MARK: Sending

  func id(_ prefix: String) -> String {
    count += 1
    return "\(prefix)_\(count)"
  }

  private static let betaNames = [
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
    "conversation.item.added": "conversation.item.created",
  ]

  func emit(_ type: String, _ members: [String: JSONValue] = [:]) {
    // The beta form has one event where the other has two.
    guard !isOver, state.shape == .ga || type != "conversation.item.done" else { return }
    socket.send(.text(text(type, members)))
  }

  private func text(_ type: String, _ members: [String: JSONValue]) -> String {
    var members = members
    members["type"] = .string(state.shape == .beta ? Self.betaNames[type] ?? type : type)
    members["event_id"] = .string(id("event"))
    return JSONValue.object(members).text
  }

  /// A piece of sound, in base 64: too long to be quoted letter by letter.
  func emitSound(_ members: [String: JSONValue], _ base64: String) {
    guard !isOver else { return }
    let head = text("response.output_audio.delta", members).dropLast()
    socket.send(.text("\(head), \"delta\": \"\(base64)\"}"))
  }

  private func refuse(_ refusal: RealtimeState.Refusal, _ event: JSONValue) {
    if refusal.isViolation {
      report.violation("\(event["type"]?.string ?? "?"): \(refusal.parameter ?? "") \(refusal.message)")
    }
    emit(
      "error",
      [
        "error": [
          "type": "invalid_request_error", "code": .string(refusal.code), "message": .string(refusal.message),
          "param": refusal.parameter.map(JSONValue.string) ?? .null, "event_id": event["event_id"] ?? .null,
        ]
      ])
  }

  func close(_ code: Int, _ reason: String) {
    socket.assumeIsolated { $0.close(code, reason) }
  }

  func expire() {
    emit(
      "error",
      [
        "error": [
          "type": "invalid_request_error", "code": "session_expired",
          "message": "Your session hit the maximum duration of 60 minutes.",
        ]
      ])
    close(1001, "Your session hit the maximum duration of 60 minutes.")
  }

  // MARK: Receiving

  private func receive(_ message: WebSocketMessage) {
    guard case .text(let bytes) = message else { return report.violation("a binary message") }
    // What is no JSON is told as such.
    guard let event = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)) else {
      report.violation("no JSON: \(String(decoding: bytes.prefix(80), as: UTF8.self))")
      return refuse(RealtimeState.Refusal(code: "invalid_json", message: "no JSON"), .null)
    }
    if let fault = RealtimeRules.event(state.shape).fault(event) {
      let code =
        switch fault.kind {
        case .unknown: "unknown_parameter"
        case .missing: "missing_required_parameter"
        case .invalid: "invalid_value"
        }
      return refuse(RealtimeState.Refusal(code: code, message: fault.message, parameter: fault.path), event)
    }
    obey(event, event["type"]?.string ?? "")
  }

  private func obey(_ event: JSONValue, _ type: String) {
    guard state.hasSession || type == "session.update" else {
      return report.violation("\(type) before session.update")
    }
    switch type {
    case "session.update":
      if let refusal = state.update(event["session"] ?? .null) { return refuse(refusal, event) }
      detector = TurnDetector(state.detection)
      report.saw("session: \(event["session"]?.text ?? "")")
      emit("session.updated", ["session": event["session"] ?? .null])
    case "input_audio_buffer.commit": commit(event)
    case "input_audio_buffer.append": hear(event["audio"]?.string ?? "", event)
    case "conversation.item.create":
      if let refusal = state.create(event["item"] ?? .null) { return refuse(refusal, event) }
      report.saw("item: \(event["item"]?.text ?? "")")
      emit("conversation.item.added", ["item": event["item"] ?? .null])
      emit("conversation.item.done", ["item": event["item"] ?? .null])
    case "conversation.item.truncate": truncate(event)
    case "response.create":
      let isAside = event["response"]?["conversation"]?.string == "none"
      if let refusal = state.respond(isActive: active != nil, isAside: isAside) {
        return refuse(refusal, event)
      }
      let instructions = event["response"]?["instructions"]?.string
      report.saw("response.create\(isAside ? " aside" : ""): \(instructions ?? "")")
      respond(to: instructions.map { Self.lastLine($0) }, isAside: isAside)
    case "response.cancel":
      guard active != nil else {
        return refuse(
          RealtimeState.Refusal(
            code: "response_cancel_not_active", message: "Cancellation failed: no active response found",
            isViolation: false), event)
      }
      cancel("client_cancelled")
    default: report.saw(type)
    }
  }

  private static func lastLine(_ text: String) -> String {
    String(text.split(separator: "\n").last ?? "")
  }

  private func truncate(_ event: JSONValue) {
    let item = event["item_id"]?.string ?? ""
    let end = event["audio_end_ms"]?.integer ?? 0
    switch state.truncate(item, to: end) {
    case .success(let length):
      report.saw("truncated \(item) at \(end) of \(length) ms")
      emit(
        "conversation.item.truncated",
        ["item_id": .string(item), "content_index": 0, "audio_end_ms": .integer(end)])
    case .failure(let error): refuse(error.refusal, event)
    }
  }

  // MARK: The caller

  private func hear(_ text: String, _ event: JSONValue) {
    guard let sound = Data(base64Encoded: text), !sound.isEmpty else {
      return refuse(
        RealtimeState.Refusal(code: "invalid_value", message: "no base 64", parameter: "audio"), event)
    }
    pending += sound
    let size = state.inputFormat.sampleRate / 50 * state.inputFormat.bytesPerSample
    var start = 0
    while pending.count - start >= size {
      listen(AudioFrame(state.inputFormat, bytes: Array(pending[start..<start + size])))
      start += size
    }
    pending.removeFirst(start)
  }

  /// The end of a turn, said by the client.
  private func commit(_ event: JSONValue) {
    guard uncommitted >= 100 else {
      let words = "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio."
      return refuse(RealtimeState.Refusal(code: "input_audio_buffer_commit_empty", message: words), event)
    }
    report.saw("committed \(uncommitted) ms")
    callerItem = id("item")
    take(uncommitted)
    uncommitted = 0
  }

  /// What the caller said becomes an item of the conversation.
  private func take(_ milliseconds: Int) {
    emit("input_audio_buffer.committed", ["previous_item_id": nil, "item_id": .string(callerItem)])
    emit(
      "conversation.item.added", ["item": ["type": "message", "id": .string(callerItem), "role": "user"]])
    if state.transcribes { writeDown(milliseconds) }
  }

  private func listen(_ frame: AudioFrame) {
    heardMilliseconds += 20
    if !state.detectsTurns {
      uncommitted += 20
      return
    }
    switch detector.hear(frame) {
    case .started(let framesAgo):
      callerItem = id("item")
      let at = max(0, heardMilliseconds - framesAgo * 20 - state.detection.prefixPadding)
      report.saw("the caller speaks")
      emit(
        "input_audio_buffer.speech_started", ["audio_start_ms": .integer(at), "item_id": .string(callerItem)])
      if state.interruptsResponses, active != nil { cancel("turn_detected") }
    case .ended(let frames, _):
      report.saw("the caller stops")
      emit(
        "input_audio_buffer.speech_stopped",
        ["audio_end_ms": .integer(heardMilliseconds), "item_id": .string(callerItem)])
      take(frames * 20)
      if state.createsResponses, active == nil { respond(to: nil) }
    case nil: break
    }
  }

  private func writeDown(_ milliseconds: Int) {
    let words = emulator.script.nextWords() ?? "(\(milliseconds) ms of speech)"
    let item: [String: JSONValue] = ["item_id": .string(callerItem), "content_index": 0]
    let name = "conversation.item.input_audio_transcription"
    emit("\(name).delta", item.merging(["delta": .string(words)]) { own, _ in own })
    emit("\(name).completed", item.merging(["transcript": .string(words)]) { own, _ in own })
  }
}
