public import RouterCore

/// What a server gives in place of what was asked for; for tests of everything that asks somebody's server.
public enum HostileAnswer: String, CaseIterable, Sendable {
  case never, cut, html, redirect, unauthorized, rateLimited, failure, empty, binary, deepNesting,
    fiftyMegabytes

  /// - Parameters:
  ///   - echo: What a server might repeat in an error, e.g. a credential that it was sent.
  ///   - elsewhere: Where a redirect leads to.
  public func reply(echo: String = "", elsewhere: String = "/elsewhere") async -> HTTPServerReply {
    func text(_ status: Int, _ body: String, type: String = "application/json") -> HTTPServerReply {
      .response(
        HTTPResponse(status: status, headers: [Header("Content-Type", type)], body: Array(body.utf8)))
    }
    let json = [Header("Content-Type", "application/json")]
    switch self {
    case .never:
      try? await Task.sleep(for: .seconds(600))  // until the client has had enough
      return text(503, "nobody waited")
    case .cut: return .broken(status: 200, headers: json, Self.pieces([Array("{\"a\": [1, ".utf8)]))
    case .html: return text(200, "<!DOCTYPE html><p>Not what you want: \(echo)", type: "text/html")
    case .redirect: return .response(HTTPResponse(status: 302, headers: [Header("Location", elsewhere)]))
    case .unauthorized: return text(401, "{\"error\": \"the key \(echo) is wrong\"}")
    case .rateLimited: return text(429, "{\"error\": \"slowly, \(echo)\"}")
    case .failure: return text(500, "a stack trace with \(echo)")
    case .empty: return text(200, "")
    case .binary:
      return .response(HTTPResponse(status: 200, headers: json, body: [0xFF, 0x00, 0x7B, 0xC3, 0x28]))
    case .deepNesting: return text(200, String(repeating: "[", count: 100_000))
    case .fiftyMegabytes:
      let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
      return .stream(
        status: 200, headers: json,
        Self.pieces([Array("{\"a\": \"".utf8)] + Array(repeating: piece, count: 50)))
    }
  }

  private static func pieces(_ pieces: [[UInt8]]) -> AsyncStream<[UInt8]> {
    AsyncStream { continuation in
      for piece in pieces { continuation.yield(piece) }
      continuation.finish()
    }
  }
}
