/// Sends outbound HTTP requests whose responses are read piece by piece. `HTTPClient` is the one that ships.
public protocol HTTPStreaming: HTTPSending {
  /// Sends the request and returns as soon as the response's head is there; any status is a response.
  ///
  /// `request.deadline` is for the whole exchange, the body included, and `request.maximumBodyBytes` for the whole
  /// body. Redirects are not followed. Cancelling the task, or letting go of the body, ends the exchange.
  func stream(_ request: HTTPRequest, limits: HTTPStreamLimits) async throws(HTTPError) -> HTTPStream
}

/// How long a streamed response may keep its reader waiting.
public struct HTTPStreamLimits: Sendable, Hashable {
  /// From the request to the head of the response: name look-up, connecting and TLS included.
  public var head: Duration
  /// From one piece of the body to the next, while somebody waits for it.
  public var idle: Duration

  /// Limits; 10 and 30 seconds unless told otherwise.
  public init(head: Duration = .seconds(10), idle: Duration = .seconds(30)) {
    self.head = head
    self.idle = idle
  }
}

/// A response whose body is still on its way.
public struct HTTPStream: Sendable {
  public var status: Int
  public var headers: [Header]
  public var body: HTTPBody

  /// A response.
  public init(status: Int, headers: [Header] = [], body: HTTPBody) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// The first header of that name, compared without case.
  public func header(_ name: String) -> String? {
    HTTPResponse(status: status, headers: headers).header(name)
  }

  /// Reads the rest of the body, at most so many bytes; what is longer is cut off. For an error's words.
  public func text(upTo limit: Int) async throws(HTTPError) -> String {
    var bytes: [UInt8] = []
    while bytes.count < limit, let piece = try await body.next() { bytes += piece }
    return String(decoding: bytes.prefix(limit), as: UTF8.self)
  }
}

/// A body as pieces in order. One reader; what it does not take is not fetched either (back-pressure).
public struct HTTPBody: AsyncSequence, Sendable {
  public typealias Element = [UInt8]
  public typealias Failure = HTTPError

  private let source: any HTTPBodySource

  /// A body from a source of one's own, e.g. of a test.
  public init(_ source: any HTTPBodySource) { self.source = source }

  /// A body of known pieces.
  public init(_ pieces: [[UInt8]]) { source = KnownPieces(pieces) }

  /// The next piece, never empty; `nil` at the end.
  /// - Parameter limit: How long to wait for it, when that is less than the stream's own limit; being late ends the
  ///   exchange with ``HTTPError/Kind/timedOut``.
  public func next(within limit: Duration? = nil) async throws(HTTPError) -> [UInt8]? {
    try await source.next(within: limit)
  }

  public func makeAsyncIterator() -> Iterator { Iterator(body: self) }

  /// Reads a body in a `for` loop.
  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let body: HTTPBody

    public mutating func next() async throws -> [UInt8]? { try await body.next() }

    public mutating func next(isolation actor: isolated (any Actor)?) async throws(HTTPError) -> [UInt8]? {
      try await body.next()
    }
  }
}

/// Where a body's pieces come from. Letting go of it ends the exchange.
public protocol HTTPBodySource: AnyObject, Sendable {
  /// See ``HTTPBody/next(within:)``.
  func next(within limit: Duration?) async throws(HTTPError) -> [UInt8]?
}

private final class KnownPieces: HTTPBodySource {
  private let left: Lock<ArraySlice<[UInt8]>>

  init(_ pieces: [[UInt8]]) { left = Lock(pieces.filter { !$0.isEmpty }[...]) }

  func next(within limit: Duration?) async throws(HTTPError) -> [UInt8]? { left.withLock { $0.popFirst() } }
}
