internal import RouterCore

/// One media stream of an emulated call: Telnyx's side of the WebSocket, in its own time.
actor EmulatedTelnyxStream {
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  private nonisolated let loop: EventLoop
  private let call: EmulatedTelnyxCall
  private let socket: WebSocket
  private let codec: String
  private let id = Secret.token()
  private let closed = OneShot<Void>()
  private var queue = TwilioQueue()
  private var sequence = 0
  private var chunk = 0
  /// A frame that waits for the next one to overtake it: order is not guaranteed.
  private var held: JSONValue?
  private var keys: [Character] = []
  private var keyPause = 0
  /// Frames of a tone that the caller still has to make.
  private var speaking = 0
  private var pressed: [OneShot<Void>] = []
  private var spoke: [OneShot<Void>] = []
  private var isOver = false
  private let format: AudioFormat
  private var hear = AudioConverter(from: .muLaw, to: .linear16(8000))
  private var say: AudioConverter?

  init(_ call: EmulatedTelnyxCall, _ socket: WebSocket, codec: String, on loop: EventLoop) {
    self.call = call
    self.socket = socket
    self.codec = codec
    self.loop = loop
    format = codec == "PCMA" ? .aLaw : .muLaw
    say = AudioConverter(from: .linear16(8000), to: format)
  }

  private nonisolated var report: EmulatorReport { call.service.host.report }

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
    send(["event": "connected", "version": "1.0.0"])
    let rate: JSONValue = codec == "G722" ? 16000 : 8000
    send(
      "start",
      [
        "user_id": "user", "call_control_id": .string(call.id), "client_state": "", "tags": [],
        "custom_parameters": [:],
        "media_format": ["encoding": .string(codec), "sample_rate": rate, "channels": 1],
      ])
    let ticking = Task { await tick() }
    await closed.value(cancelled: ())
    ticking.cancel()
    if !isOver { await stop() }
    for waiter in pressed + spoke { waiter.resolve(()) }
  }

  /// Ends the stream from Telnyx's side.
  func stop() async {
    guard !isOver else { return }
    send("stop", ["user_id": "user", "call_control_id": .string(call.id)])
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
    for mark in marks { send("mark", ["name": .string(mark)]) }
    await pressNext()
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

  private func send(_ message: JSONValue) { socket.send(.text(message.text)) }

  private func send(_ event: String, _ content: JSONValue) { send(numbered(event, content)) }

  private func numbered(_ event: String, _ content: JSONValue) -> JSONValue {
    sequence += 1
    return .object([
      "event": .string(event), "sequence_number": .string("\(sequence)"), "stream_id": .string(id),
      event: content,
    ])
  }

  private func sendSound(_ said: [Int16]?) {
    var bytes = [UInt8](repeating: codec == "PCMA" ? 0xD5 : 0xFF, count: 160)
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
    let frame = numbered(
      "media",
      [
        "track": "inbound", "chunk": .string("\(chunk)"), "timestamp": .string("\(chunk * 20)"),
        "payload": .string(Base64.encode(bytes)),
      ])
    // Every tenth frame is overtaken by the one after it.
    if chunk % 10 == 9 {
      held = frame
    } else {
      send(frame)
      if let late = held { send(late) }
      held = nil
    }
  }

  private func pressNext() async {
    guard keyPause == 0 else { return keyPause -= 1 }
    guard !keys.isEmpty else {
      for waiter in pressed { waiter.resolve(()) }
      return pressed = []
    }
    let key = keys.removeFirst()
    keyPause = key == "," ? 25 : 5
    guard key != "," else { return }
    send("dtmf", ["digit": .string(String(key))])
    await call.pressed(key)
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
    guard case .text(let text) = message, let value = JSONValue(parsing: text) else {
      return report.violation("a message that is no JSON text")
    }
    switch value["event"]?.string {
    case "media":
      guard let bytes = value["media"]?["payload"]?.string.flatMap({ Base64.decode($0) }),
        (160...240_000).contains(bytes.count)
      else { return report.violation("media that is no 20 ms to 30 s in base 64") }
      queue.play(bytes)
    case "mark":
      guard let name = value["mark"]?["name"]?.string else {
        return report.violation("a mark without a name")
      }
      queue.mark(name)
    case "clear":
      report.saw("clear: \(queue.milliseconds) ms were not played")
      for mark in queue.clear() { send("mark", ["name": .string(mark)]) }
    default: report.violation("an unknown message \(value["event"]?.string ?? "without an event")")
    }
  }
}
