/// How a media socket of a provider ended.
enum MediaSocketEnd: Hashable, Sendable {
  /// The provider had said so before.
  case inOrder
  /// The connection broke, or the provider closed it for a reason.
  case broken(String)
  /// We would not go on with it: the provider broke the rules, or did not take what we sent.
  case givenUp(String)

  /// In words.
  var why: String {
    switch self {
    case .inOrder: "the stream was stopped"
    case .broken(let why), .givenUp(let why): why
    }
  }
}

/// One media socket of a provider: a WebSocket, and the codec that reads and writes it. Lives on one loop.
final class MediaSocket: @unchecked Sendable {
  /// What its owner is told, inline.
  enum Event {
    case started(MediaSocketStart)
    case audio(UnsafeRawBufferPointer, number: Int?)
    case digit(Character)
    case mark(String)
    /// It is over. The last event.
    case ended(MediaSocketEnd)
  }

  /// After so many messages that make no sense, the socket is closed.
  static let maximumMalformed = 100

  private let socket: WebSocket
  private var codec: any MediaSocketCodec
  private let loop: EventLoop
  private var report: ((Event) -> Void)?
  private var hasStarted = false
  private var hasStopped = false
  private(set) var malformed = 0
  /// What is to be sent while the codec reads: whoever hears the caller may answer at once.
  private var waiting: [Order] = []
  private var isReading = false

  private enum Order {
    case frame([UInt8])
    case mark(String)
    case clear
  }

  init(_ socket: WebSocket, _ codec: any MediaSocketCodec, on loop: EventLoop) {
    self.socket = socket
    self.codec = codec
    self.loop = loop
  }

  /// Begins to read. On the loop; `report` is called there, for the last time with ``Event/ended(_:)``.
  func start(_ report: @escaping (Event) -> Void) {
    self.report = report
    let me = self  // both closures run on the loop, as this does
    socket.assumeIsolated { socket in
      socket.start(
        onMessage: { me.receive($0) },
        onClose: { close in
          me.tell(.ended(me.end(close)))
          me.report = nil
        })
    }
  }

  private func end(_ close: WebSocketClose) -> MediaSocketEnd {
    if hasStopped || close.code == 1000 { return .inOrder }
    let why = close.code == 1006 ? close.reason : "\(close.code) \(close.reason)"
    return close.isGivenUp || malformed >= MediaSocket.maximumMalformed ? .givenUp(why) : .broken(why)
  }

  private func tell(_ event: Event) { report?(event) }

  private func receive(_ message: WebSocketMessage) {
    isReading = true
    codec.read(message) { event in
      switch event {
      case .malformed: malformed += 1
      case .started(let start) where !hasStarted:
        hasStarted = true
        tell(.started(start))
      // What comes before the start belongs to no call, and nothing starts twice.
      case .started: malformed += 1
      case _ where !hasStarted: malformed += 1
      case .audio(let bytes, let number): tell(.audio(bytes, number: number))
      case .digit(let digit): tell(.digit(digit))
      case .mark(let name): tell(.mark(name))
      case .stopped: hasStopped = true
      }
    }
    isReading = false
    while !waiting.isEmpty {
      switch waiting.removeFirst() {
      case .frame(let bytes): bytes.withUnsafeBytes { send($0) }
      case .mark(let name): mark(name)
      case .clear: clear()
      }
    }
    if hasStopped {
      close()
    } else if malformed >= MediaSocket.maximumMalformed {
      close(1008, "\(malformed) messages made no sense")
    }
  }

  // MARK: Sending, on the loop

  func send(_ frame: UnsafeRawBufferPointer) {
    if isReading { return waiting.append(.frame(Array(frame))) }
    socket.send(codec.audio(frame))
  }

  /// Asks for a mark; false when the provider has none.
  @discardableResult func mark(_ name: String) -> Bool {
    if isReading {
      waiting.append(.mark(name))
      return true
    }
    guard let message = codec.mark(name) else { return false }
    socket.send(message)
    return true
  }

  func clear() {
    if isReading { return waiting.append(.clear) }
    if let message = codec.clear() { socket.send(message) }
  }

  /// Closes in order; ``Event/ended(_:)`` follows.
  func close(_ code: Int = 1000, _ reason: String = "") {
    socket.assumeIsolated { $0.close(code, reason) }
  }
}
