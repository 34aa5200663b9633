internal import RouterCore

/// One media stream of an emulated call: Twilio's side of the WebSocket, in its own time.
actor EmulatedTwilioStream {
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  private nonisolated let loop: EventLoop
  private let call: EmulatedTwilioCall
  private let socket: WebSocket
  private let parameters: [XMLElement]
  private let sid = "MZ" + Secret.token().prefix(32)
  private let closed = OneShot<Void>()
  private var queue = TwilioQueue()
  private var sequence = 0
  private var chunk = 0
  private var keys: [Character] = []
  private var keyPause = 0
  /// Frames of a tone that the caller still has to make.
  private var speaking = 0
  private var pressed: [OneShot<Void>] = []
  private var spoke: [OneShot<Void>] = []
  private var isOver = false
  private var hear = AudioConverter(from: .muLaw, to: .linear16(8000))
  private var say = AudioConverter(from: .linear16(8000), to: .muLaw)

  init(_ call: EmulatedTwilioCall, _ socket: WebSocket, _ parameters: [XMLElement], on loop: EventLoop) {
    self.call = call
    self.socket = socket
    self.parameters = parameters
    self.loop = loop
  }

  private var report: EmulatorReport { call.service.host.report }

  // MARK: The whole stream

  /// Returns when the stream is over, whoever ended it.
  func run() async {
    await socket.start(
      onMessage: { message in self.assumeIsolated { $0.take(message) } },
      onClose: { close in
        self.assumeIsolated {
          $0.isOver = true
          $0.report.saw("stream closed: \(close.code)")
          $0.closed.resolve(())
        }
      })
    send(["event": "connected", "protocol": "Call", "version": "1.0.0"])
    var custom: [String: JSONValue] = [:]
    for parameter in parameters where parameter.name == "Parameter" {
      custom[parameter.attributes["name"] ?? ""] = .string(parameter.attributes["value"] ?? "")
    }
    send([
      "event": "start", "sequenceNumber": number(), "streamSid": .string(sid),
      "start": [
        "streamSid": .string(sid), "accountSid": .string(call.service.account), "callSid": .string(call.sid),
        "tracks": ["inbound"], "customParameters": .object(custom),
        "mediaFormat": ["encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1],
      ],
    ])
    let ticking = Task { await tick() }
    await closed.value(cancelled: ())
    ticking.cancel()
    if !isOver { await stop() }
    for waiter in pressed + spoke { waiter.resolve(()) }
  }

  /// Ends the stream from Twilio's side.
  func stop() async {
    guard !isOver else { return }
    send([
      "event": "stop", "sequenceNumber": number(), "streamSid": .string(sid),
      "stop": ["accountSid": .string(call.service.account), "callSid": .string(call.sid)],
    ])
    isOver = true
    await socket.close()
    closed.resolve(())
  }

  /// The connection breaks without a word.
  func cut() async {
    isOver = true
    await socket.cut()
    closed.resolve(())
  }

  private func tick() async {
    var next = ContinuousClock.now
    while !isOver, !Task.isCancelled {
      next += .milliseconds(20)
      // Ends with the stream.
      guard (try? await Task.sleep(until: next, tolerance: .milliseconds(1), clock: .continuous)) != nil
      else { return }
      await step()
    }
  }

  private func step() async {
    let (sound, marks) = queue.step()
    for mark in marks { echo(mark) }
    pressNext()
    let heard = hear?.convert(AudioFrame(.muLaw, bytes: sound))
    let (said, actions) = await call.step(heard?.withSamples { Array($0) } ?? [])
    guard !isOver else { return }
    sendSound(said)
    for action in actions {
      switch action {
      case .press(let more): keys += more
      case .hangUp: Task { await call.hangUp() }
      }
    }
  }

  // MARK: To the server

  private func number() -> JSONValue {
    sequence += 1
    return .string("\(sequence)")
  }

  private func send(_ message: JSONValue) { socket.send(.text(message.text)) }

  private func sendSound(_ said: [Int16]?) {
    var bytes = [UInt8](repeating: 0xFF, count: 160)
    if speaking > 0 {
      speaking -= 1
      bytes = (0..<160).map { $0 % 16 < 8 ? 0x20 : 0xA0 }  // 500 Hz
      if speaking == 0 {
        for waiter in spoke { waiter.resolve(()) }
        spoke = []
      }
    } else if let said, let frame = say?.convert(AudioFrame(samples: said, sampleRate: 8000)) {
      bytes = frame.bytes
    }
    chunk += 1
    send([
      "event": "media", "sequenceNumber": number(), "streamSid": .string(sid),
      "media": [
        "track": "inbound", "chunk": .string("\(chunk)"), "timestamp": .string("\(chunk * 20)"),
        "payload": .string(Base64.encode(bytes)),
      ],
    ])
  }

  private func echo(_ mark: String) {
    send([
      "event": "mark", "sequenceNumber": number(), "streamSid": .string(sid), "mark": ["name": .string(mark)],
    ])
  }

  private func pressNext() {
    guard keyPause == 0 else { return keyPause -= 1 }
    guard !keys.isEmpty else {
      for waiter in pressed { waiter.resolve(()) }
      return pressed = []
    }
    let key = keys.removeFirst()
    keyPause = key == "," ? 25 : 5
    guard key != "," else { return }
    send([
      "event": "dtmf", "sequenceNumber": number(), "streamSid": .string(sid),
      "dtmf": ["track": "inbound_track", "digit": .string(String(key))],
    ])
  }

  func press(_ more: String) async {
    guard !isOver else { return }
    keys += more
    let done = OneShot<Void>()
    pressed.append(done)
    await done.value(cancelled: ())
  }

  func speak(milliseconds: Int) async {
    guard !isOver else { return }
    speaking = max(1, milliseconds / 20)
    let done = OneShot<Void>()
    spoke.append(done)
    await done.value(cancelled: ())
  }

  // MARK: From the server

  private func take(_ message: WebSocketMessage) {
    guard case .text(let text) = message else { return report.violation("a binary message on a stream") }
    var fields: [String: String] = [:]
    let isObject = text.withUnsafeBytes { bytes in
      JSONScanner.members(of: bytes) { name, value in
        guard let name = name.string else { return }
        if let word = value.string { fields[name] = word }
        for (inner, word) in value.strings { fields["\(name).\(inner)"] = word }
      }
    }
    guard isObject else {
      return report.violation("no JSON: \(String(decoding: text, as: UTF8.self).prefix(200))")
    }
    if fields["streamSid"] != sid {
      report.violation("a message for the stream \(fields["streamSid"] ?? "(none)")")
    }
    switch fields["event"] {
    case "media":
      guard let bytes = fields["media.payload"].flatMap({ Base64.decode($0) }), !bytes.isEmpty else {
        return report.violation("media without a payload in base 64")
      }
      queue.play(bytes)
    case "mark":
      guard let name = fields["mark.name"] else { return report.violation("a mark without a name") }
      queue.mark(name)
    case "clear":
      report.saw("clear: \(queue.milliseconds) ms were not played")
      for mark in queue.clear() { echo(mark) }
    default: report.violation("an unknown message \(fields["event"] ?? "without an event")")
    }
  }
}
