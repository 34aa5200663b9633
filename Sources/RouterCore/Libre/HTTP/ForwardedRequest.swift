/// Who really sent a request, and which address he thinks that he sent it to. Pure.
///
/// What a request says of itself is believed as far as a signature over it will be checked; the headers of proxies are
/// believed from trusted addresses alone. With a configured public URL nobody is asked.
struct ForwardedRequest {
  let publicURL: String?
  let trustedProxies: [AddressPrefix]

  /// The request as it was before the proxies.
  func resolve(_ request: HTTPServerRequest) -> HTTPServerRequest {
    var resolved = request
    let isForwarded = isTrusted(request.remote.ip)
    if isForwarded {
      if let client = client(of: request) { resolved.remote = SocketAddress(ip: client, port: 0) }
      if let scheme = first(request, "X-Forwarded-Proto")?.lowercased(),
        ["http", "https", "ws", "wss"].contains(scheme)
      {
        resolved.isSecure = scheme.hasSuffix("s")
      }
    }
    if let publicURL {
      resolved.origin = publicURL
      return resolved
    }
    var host = request.header("Host") ?? ""
    if isForwarded, let forwarded = first(request, "X-Forwarded-Host") {
      host = forwarded
      if !host.contains(":"), let port = first(request, "X-Forwarded-Port"), UInt16(port) != nil,
        port != (resolved.isSecure ? "443" : "80")
      {
        host += ":" + port
      }
    }
    resolved.origin = host.isEmpty ? "" : (resolved.isSecure ? "https://" : "http://") + host
    return resolved
  }

  private func isTrusted(_ ip: String) -> Bool { trustedProxies.contains { $0.contains(ip) } }

  /// The headers may hold lists, the first proxy's word first.
  private func first(_ request: HTTPServerRequest, _ name: String) -> String? {
    guard let value = request.header(name)?.split(separator: ",").first else { return nil }
    let text = value.filter { $0 != " " && $0 != "\t" }
    return text.isEmpty ? nil : String(text)
  }

  /// From the right, the first address that is no proxy of ours: what stands left of it anybody can have written.
  private func client(of request: HTTPServerRequest) -> String? {
    let chain = request.headers.filter { $0.name.lowercased() == "x-forwarded-for" }
      .flatMap { $0.value.split(separator: ",") }
      .map { String($0.filter { $0 != " " && $0 != "\t" }) }
    for address in chain.reversed().prefix(32) {
      guard let ip = ForwardedRequest.address(address) else { return nil }
      if !isTrusted(ip) { return ip }
    }
    return nil
  }

  /// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
  private static func address(_ text: String) -> String? {
    if AddressPrefix.bits(of: text) != nil { return text.filter { $0 != "[" && $0 != "]" } }
    guard let colon = text.lastIndex(of: ":") else { return nil }
    let host = text[..<colon]
    guard AddressPrefix.bits(of: host) != nil else { return nil }
    return host.filter { $0 != "[" && $0 != "]" }
  }
}
