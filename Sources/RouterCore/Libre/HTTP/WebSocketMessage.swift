/// One message of a WebSocket (RFC 6455 section 5.6), put together from its fragments.
public enum WebSocketMessage: Sendable, Hashable {
  /// UTF-8, checked on receipt.
  case text([UInt8])
  case binary([UInt8])

  /// A text message.
  public static func text(_ string: String) -> WebSocketMessage { .text(Array(string.utf8)) }
}

/// How a WebSocket ended.
public struct WebSocketClose: Sendable, Hashable, Error {
  /// The close code, RFC 6455 section 7.4; 1006 when the connection broke without one.
  public var code: Int
  /// The other side's words, or ours for what went wrong.
  public var reason: String
  /// Whether we gave the other side up: it broke the rules, or did not keep up.
  public var isGivenUp = false

  /// An end.
  public init(code: Int, reason: String = "") {
    self.code = code
    self.reason = reason
  }

  /// The connection broke.
  public static func broken(_ reason: String) -> WebSocketClose { WebSocketClose(code: 1006, reason: reason) }

  /// We would not wait for the other side any longer.
  public static func givenUp(_ reason: String, code: Int = 1006) -> WebSocketClose {
    var close = WebSocketClose(code: code, reason: reason)
    close.isGivenUp = true
    return close
  }
}

/// Limits of a ``WebSocket``.
public struct WebSocketSettings: Sendable, Hashable {
  /// A longer message closes the socket with 1009.
  public var maximumMessageBytes = 16 << 20
  /// When more than this waits for a slow reader, the socket is given up.
  public var maximumQueuedBytes = 4 << 20
  /// Every so many milliseconds a ping goes out; when nothing at all came for two of them, the socket is given up.
  public var pingMilliseconds = 20_000
  /// Whether the other side, once it has answered a ping, has to answer each before the next one, though other things come from
  /// it: who writes and does not read any more answers none.
  public var mustAnswerPings = false
  /// How long the other side may take to answer our close.
  public var closeMilliseconds = 2_000

  /// The defaults.
  public init() {}
}
