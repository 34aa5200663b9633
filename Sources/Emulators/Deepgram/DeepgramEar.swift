internal import RouterCore

/// One listening socket: answers each `Finalize` with the next scripted words.
final class DeepgramEar: Sendable {
  private struct State {
    /// Seconds of sound, in all and since the last result.
    var heard = 0.0
    var pending = 0.0
    /// Whether there was anything but silence since then.
    var isAudible = false
    var isOver = false
  }

  private let socket: WebSocket
  private let format: AudioFormat
  private let transcripts: AnswerBook
  private let report: EmulatorReport
  private let state = Lock(State())

  init(_ socket: WebSocket, _ format: AudioFormat, _ transcripts: AnswerBook, _ report: EmulatorReport) {
    self.socket = socket
    self.format = format
    self.transcripts = transcripts
    self.report = report
  }

  /// Called on the socket's loop.
  func take(_ message: WebSocketMessage) {
    guard !state.withLock({ $0.isOver }) else { return }  // what was on its way when we closed
    switch message {
    case .binary(let bytes): hear(bytes)
    case .text(let bytes):
      guard let value = JSONValue(parsing: bytes), value.object?.count == 1 else {
        return end(1008, "a text message is one JSON object with a type", isViolation: true)
      }
      switch value["type"]?.string {
      case "KeepAlive": report.saw("keep alive")
      case "Finalize": finalize()
      case "CloseStream":
        report.saw("closes")
        send([
          "type": "Metadata", "request_id": "emulated", "duration": .number(state.withLock { $0.heard }),
          "channels": 1,
        ])
        socket.assumeIsolated { $0.close() }
      default: end(1008, "unknown message \(value.text)", isViolation: true)
      }
    }
  }

  func lost(_ close: WebSocketClose) {
    state.withLock { $0.isOver = true }
    report.saw("closed \(close.code)")
  }

  private func hear(_ bytes: [UInt8]) {
    if bytes.isEmpty { return end(1008, "an empty binary message closes the stream", isViolation: true) }
    if bytes.first == UInt8(ascii: "{") && bytes.count < 60 && JSONValue(parsing: bytes) != nil {
      return end(1008, "a command was sent as a binary message", isViolation: true)
    }
    let seconds = Double(bytes.count / format.bytesPerSample) / Double(format.sampleRate)
    if seconds > 1 { report.violation("a piece of \(seconds) s; they are 20 to 100 ms") }
    let isSilence = bytes.allSatisfy {
      format.encoding == .linear16 ? $0 == 0 : $0 | 0x80 == 0xFF || $0 | 0x80 == 0xD5
    }
    let isFirst = state.withLock { state in
      state.heard += seconds
      if !isSilence { state.isAudible = true }
      defer { state.pending += seconds }
      return state.pending == 0
    }
    guard isFirst else { return }
    let value = transcripts.peek()
    if value?["mute"] == true { return }
    send(["type": "SpeechStarted", "channel": [0], "timestamp": 0])
    if value?["megabytes"] != nil, let flood = Mishap.flood(value ?? [:]) {
      socket.send(.text(flood.reduce([], +)))  // one message
    }
    if value?["babble"] == true {
      for number in 0..<20_000 { result(["so", "\(number)"], 0, 1, isFinal: false) }
    }
    if value?["abrupt"] == true { return end(1011, "NET-0000: this was asked for", isViolation: false) }
    if value?["garbage"] == true { socket.send(.text("what is this")) }
    if let code = value?["close"]?.integer { end(code, "DATA-0000: this was asked for", isViolation: false) }
    if let words = value?["error"]?.string {
      send(["type": "Error", "description": .string(words), "code": "E"])
    }
  }

  private func finalize() {
    let (heard, pending, isAudible) = state.withLock { state in
      defer { (state.pending, state.isAudible) = (0, false) }
      return (state.heard, state.pending, state.isAudible)
    }
    report.saw("finalize after \(Int(pending * 1000)) ms")
    if pending == 0 { return }  // nothing was buffered: nothing is confirmed
    let value = isAudible ? transcripts.next() ?? ["say": "hello"] : ["say": ""]
    let style = value["style"]?.string ?? ""
    if style == "silent" || value["mute"] == true { return }
    let words = (value["say"]?.string ?? "").split(separator: " ").map(String.init)
    let half = words.count / 2
    let start = heard - pending
    func result(_ words: ArraySlice<String>, final: Bool, speechFinal: Bool = false, finalize: Bool = false) {
      var more: [String: JSONValue] = ["speech_final": .bool(speechFinal)]
      if finalize { more["from_finalize"] = true }
      self.result(words, start, pending, confidence: value["confidence"], isFinal: final, more)
    }
    if !words.isEmpty { result(words[..<max(1, half)], final: false) }
    switch style {
    case "interim": result(words[...], final: false)
    case "split":
      result(words[..<half], final: true)
      result(words[half...], final: true)
      result([], final: true, finalize: true)
    case "unconfirmed": result(words[...], final: true, speechFinal: true)
    default: result(words[...], final: true, finalize: true)
    }
    send(["type": "UtteranceEnd", "channel": [0, 1], "last_word_end": .number(heard)])
  }

  /// Sends one `Results`.
  private func result(
    _ words: ArraySlice<String>, _ start: Double, _ duration: Double, confidence: JSONValue? = nil,
    isFinal: Bool, _ more: [String: JSONValue] = [:]
  ) {
    let best: JSONValue = [
      "transcript": .string(words.joined(separator: " ")), "confidence": confidence ?? 0.97, "words": [],
    ]
    let message: [String: JSONValue] = [
      "type": "Results", "channel_index": [0, 1], "start": .number(start), "duration": .number(duration),
      "is_final": .bool(isFinal), "speech_final": false, "channel": ["alternatives": [best]],
      "metadata": ["request_id": "emulated"],
    ]
    send(.object(message.merging(more) { $1 }))
  }

  private func send(_ message: JSONValue) { socket.send(.text(message.text)) }

  private func end(_ code: Int, _ reason: String, isViolation: Bool) {
    if isViolation { report.violation(reason) }
    state.withLock { $0.isOver = true }
    socket.assumeIsolated { $0.close(code, reason) }
  }
}
