internal import RouterCore

/// How one provider writes a call's sound on a WebSocket, seen from its side: the far end of a `MediaSocketCodec`, and written
/// anew, so that a mistake of the plugin's is not made twice.
protocol StreamWire: Sendable {
  /// What the caller's sound goes out as.
  var says: AudioFormat { get }
  /// What the server has to send.
  var hears: AudioFormat { get }
  mutating func begin() -> [WebSocketMessage]
  /// 20 ms of the caller's sound.
  mutating func sound(_ bytes: [UInt8]) -> [WebSocketMessage]
  mutating func key(_ key: Character) -> [WebSocketMessage]
  /// Everything before a mark was played.
  mutating func reached(_ mark: String) -> [WebSocketMessage]
  /// The queue was emptied; these marks stood in it.
  mutating func cleared(_ marks: [String]) -> [WebSocketMessage]
  mutating func end() -> [WebSocketMessage]
  mutating func read(_ message: WebSocketMessage) -> StreamOrder
}

/// What a stream's server wants.
enum StreamOrder {
  case play([UInt8])
  case mark(String)
  case clear
  /// The provider would ignore it.
  case wrong(String)
  /// The provider would drop the connection.
  case fatal(String)
}

/// A provider that hangs, from so long after its stream's beginning on.
public struct StreamHang: Sendable, Hashable {
  public enum Kind: String, Sendable, CaseIterable {
    /// It reads nothing any more; the caller is still heard.
    case deaf
    /// It neither reads nor writes, and does not close.
    case frozen
  }

  public var kind: Kind
  public var milliseconds: Int

  public init(_ kind: Kind, after milliseconds: Int = 0) {
    self.kind = kind
    self.milliseconds = milliseconds
  }
}

/// One media stream of an emulated call: the provider's side of the WebSocket, in its own time.
public actor EmulatedStream {
  public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  private nonisolated let loop: EventLoop
  private nonisolated let report: EmulatorReport
  private let call: any EmulatedCall
  private let socket: WebSocket
  private let closed = OneShot<Void>()
  private var wire: any StreamWire
  private var queue: SoundQueue
  private var keys: [Character] = []
  private var keyPause = 0
  /// Frames of a tone that the caller still has to make.
  private var speaking = 0
  private var pressed: [OneShot<Void>] = []
  private var spoke: [OneShot<Void>] = []
  private var isOver = false
  private var hang: StreamHang?
  private var isFrozen = false
  private var elapsed = 0
  /// Samples a second of the caller who follows a script.
  private let rate: Int
  private var hear: AudioConverter?
  private var say: AudioConverter?
  /// The caller's sound that makes no whole frame yet: a resampler gives what it has.
  private var rest: [UInt8] = []
  /// When the caller last heard something, for those who measure silence.
  private(set) var lastSound: ContinuousClock.Instant?

  init(
    _ call: any EmulatedCall, _ socket: WebSocket, _ wire: any StreamWire, rate: Int, _ host: EmulatorHost
  ) {
    self.call = call
    self.socket = socket
    self.wire = wire
    self.rate = rate
    loop = host.loop
    report = host.report
    queue = SoundQueue(wire.hears)
    hear = AudioConverter(from: wire.hears, to: .linear16(rate))
    say = AudioConverter(from: .linear16(rate), to: wire.says)
  }

  // MARK: The whole stream

  /// Returns when the stream is over, whoever ended it.
  /// - Parameter prelude: Is sent before everything else.
  func run(after prelude: [WebSocketMessage] = []) async {
    await socket.start(
      onMessage: { message in self.assumeIsolated { $0.take(message) } },
      onClose: { close in
        self.assumeIsolated {
          $0.isOver = true
          $0.report.saw("stream closed: \(close.code)")
          $0.closed.resolve(())
        }
      })
    send(prelude + wire.begin())
    let ticking = Task { await tick() }
    await closed.value(cancelled: ())
    ticking.cancel()
    if !isOver { await stop() }
    for waiter in pressed + spoke { waiter.resolve(()) }
  }

  /// Ends the stream from the provider's side.
  func stop() async {
    guard !isOver else { return }
    send(wire.end())
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

  /// The provider hangs, now or later.
  func hang(_ hang: StreamHang) { self.hang = hang }

  private func hangIfDue() async {
    elapsed += 20
    guard let due = hang, elapsed > due.milliseconds else { return }
    hang = nil
    report.saw("the stream is \(due.kind.rawValue) from now on")
    isFrozen = due.kind == .frozen
    await socket.stopReading()
  }

  private func step() async {
    await hangIfDue()
    if queue.milliseconds > 0 { lastSound = .now + .milliseconds(20) }
    let (sound, marks) = queue.step()
    for mark in marks { send(wire.reached(mark)) }
    await pressNext()
    let heard = hear?.convert(AudioFrame(wire.hears, bytes: sound))
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

  private func send(_ messages: [WebSocketMessage]) {
    guard !isFrozen else { return }
    for message in messages { socket.send(message) }
  }

  /// Sends what no provider would: for tests of what strangers can do with a stream.
  func misbehave(_ messages: [WebSocketMessage]) { send(messages) }

  private func sendSound(_ said: [Int16]?) {
    var samples = said ?? [Int16](repeating: 0, count: rate / 50)
    if speaking > 0 {
      speaking -= 1
      samples = (0..<rate / 50).map { $0 * 1000 / rate % 2 == 0 ? 8000 : -8000 }  // 500 Hz
      if speaking == 0 {
        for waiter in spoke { waiter.resolve(()) }
        spoke = []
      }
    }
    rest += say?.convert(AudioFrame(samples: samples, sampleRate: rate)).bytes ?? []
    let frame = wire.says.sampleRate / 50 * wire.says.bytesPerSample
    let whole = rest.prefix(frame) + Array(repeating: wire.says.silentByte, count: max(0, frame - rest.count))
    rest.removeFirst(min(frame, rest.count))
    send(wire.sound(Array(whole)))
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
    send(wire.key(key))
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
    report.wire(message)
    switch wire.read(message) {
    case .play(let bytes): queue.play(bytes)
    case .mark(let name): queue.mark(name)
    case .clear:
      report.saw("clear: \(queue.milliseconds) ms were not played")
      send(wire.cleared(queue.clear()))
    case .wrong(let what): report.violation(what)
    case .fatal(let what):
      report.violation(what)
      Task { await cut() }
    }
  }
}
