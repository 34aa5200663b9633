import Testing

@testable import RouterCore

/// Requests of which two servers might see two different ends (RFC 9112 section 11.2).
@Suite struct HTTPAmbiguityTests {
  private static let host = Header("Host", "x")
  private static let chunked = Header("Transfer-Encoding", "chunked")

  @Test(
    arguments: [
      ([host], nil), ([host, Header("content-length", "5")], nil),
      ([host, Header("transfer-encoding", "Chunked")], nil),
      ([host, Header("X-A", "1"), Header("X-A", "2")], nil),
      ([host, chunked, Header("Content-Length", "5")], 400),
      ([host, Header("Content-Length", "5"), Header("Content-Length", "0")], 400),
      ([host, Header("Content-Length", "+5")], 400), ([host, Header("Content-Length", "")], 400),
      ([host, Header("Content-length5", "")], 400), ([host, Header("Transfer-Encodingchunked", "")], 400),
      ([host, Header("XContent-Length:5", "a")], 400), ([host, Header("X-Content-Length", "5")], nil),
      ([host, host], 400), ([host, Header("X ", "a")], 400),
      ([host, chunked, chunked], 501), ([host, Header("Transfer-Encoding", "gzip, chunked")], 501),
      ([host, Header("Transfer-Encoding", "xchunked")], 501),
    ] as [([Header], Int?)])
  func whatIsRefused(headers: [Header], status: Int?) throws {
    let request = HTTPServerRequest(
      method: "POST", target: "/", headers: headers, remote: SocketAddress(ip: "127.0.0.1", port: 1),
      isSecure: false)
    guard let refusal = request.ambiguity else {
      #expect(status == nil)
      return
    }
    guard case .response(let response) = refusal else {
      Issue.record("no response")
      return
    }
    #expect(response.status == status)
    #expect(response.header("Connection") == "close")
  }
}
