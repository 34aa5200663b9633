internal import RouterCore

/// What the other side of an emulator sends, in words, for whoever asked to see the wire.
extension EmulatorReport {
  /// Headers that tell something.
  private static let headers = ["Authorization", "Content-Type", "Accept", "Retry-After"]

  /// A request, e.g. of REST.
  func wire(_ request: HTTPServerRequest) {
    wire(EmulatorReport.text("\(request.method) \(request.target)", request.headers, request.body))
  }

  /// What a webhook was answered.
  func wire(_ response: HTTPResponse, to request: HTTPRequest) {
    let first = "\(response.status) to \(request.method) \(request.url.prefix { $0 != "?" })"
    wire(EmulatorReport.text(first, response.headers, response.body))
  }

  /// What came on a WebSocket.
  func wire(_ message: WebSocketMessage) {
    switch message {
    case .text(let text): wire(String(decoding: text, as: UTF8.self))
    case .binary(let bytes):
      wire("\(bytes.count) bytes: \(Digest.hexadecimal(bytes.prefix(16)))\(bytes.count > 16 ? "…" : "")")
    }
  }

  private static func text(_ first: String, _ all: [Header], _ body: [UInt8]) -> String {
    var lines = [first]
    for name in headers {
      guard let header = all.first(where: { $0.name.lowercased() == name.lowercased() }) else { continue }
      // Whose it is can be seen elsewhere.
      let isSecret = name == "Authorization"
      lines.append("\(name): \(isSecret ? header.value.prefix { $0 != " " } + " …" : header.value[...])")
    }
    let text = String(decoding: body, as: UTF8.self)
    if !text.isEmpty { lines.append(text.last == "\n" ? String(text.dropLast()) : text) }
    return lines.joined(separator: "\n")
  }
}
