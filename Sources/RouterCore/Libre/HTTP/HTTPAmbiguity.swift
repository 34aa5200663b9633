extension HTTPServerRequest {
  /// The refusal of a request of which two servers might see two different ends, or two different hosts: what one of
  /// them takes for its body, the other would take for the next request (RFC 9112 sections 3.2, 5.1, 6.1, 6.3 and 11.2).
  /// The connection is closed with it. `nil` for every ordinary request.
  var ambiguity: HTTPServerReply? {
    var counts: [String: Int] = [:]
    for header in headers {
      // A blank before the colon: some take it for a part of the name, some do not.
      guard header.name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }) else {
        return refusal(400, "a header's name")
      }
      let name = header.name.lowercased()
      // libmicrohttpd appends a folded line (RFC 9112 section 5.2) to the name: `Content-Length5`.
      for length in ["content-length", "transfer-encoding"] where name.hasPrefix(length) {
        let rest = name.utf8.dropFirst(length.utf8.count)
        if let next = rest.first, next != UInt8(ascii: "-") { return refusal(400, "a folded header") }
      }
      counts[name, default: 0] += 1
    }
    if counts["host", default: 0] > 1 { return refusal(400, "two Host") }
    if let coding = counts["transfer-encoding"] {
      guard coding == 1, header("Transfer-Encoding")?.lowercased() == "chunked" else {
        return refusal(501, "a Transfer-Encoding other than chunked")
      }
      if counts["content-length"] != nil { return refusal(400, "Content-Length and Transfer-Encoding") }
    }
    if let lengths = counts["content-length"] {
      guard lengths == 1, let text = header("Content-Length"), !text.isEmpty,
        text.utf8.allSatisfy({ (48...57).contains($0) })
      else { return refusal(400, "Content-Length") }
    }
    return nil
  }

  private func refusal(_ status: Int, _ what: String) -> HTTPServerReply {
    .response(
      HTTPResponse(
        status: status, headers: [Header("Connection", "close"), Header("Content-Type", "text/plain")],
        body: Array("\(what): this request is not served\n".utf8)))
  }
}
