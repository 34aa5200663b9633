internal import CCurl
internal import Glibc

/// Keeps an exchange inside of its ``HTTPRequest/reach``: the address is looked at when libcurl connects, so neither a
/// name that resolves to a private address nor one that does so only the second time gets through.
enum HTTPReach {
  /// Tells libcurl to ask before each socket and before each request, the ones over kept connections too.
  static func limit(_ easy: UnsafeMutableRawPointer, asking me: UnsafeMutableRawPointer) {
    ccurl_set_pointer(easy, CURLOPT_OPENSOCKETDATA, me)
    ccurl_set_pointer(easy, CURLOPT_PREREQDATA, me)
    ccurl_set_guards(
      easy,
      { me, _, address in
        guard let me, let address else { return CURL_SOCKET_BAD }
        var text = [CChar](repeating: 0, count: 64)
        guard ccurl_address_text(address, &text, text.count) == 0, HTTPReach.permits(me, &text) else {
          return CURL_SOCKET_BAD
        }
        return ccurl_open_socket(address)
      },
      { me, address, _, _, _ in
        guard let me, let address, HTTPReach.permits(me, address) else { return CURL_PREREQFUNC_ABORT }
        return CURL_PREREQFUNC_OK
      })
  }

  private static func permits(_ me: UnsafeMutableRawPointer, _ address: UnsafePointer<CChar>) -> Bool {
    Unmanaged<HTTPExchange>.fromOpaque(me).takeUnretainedValue().permits(String(cString: address))
  }

  /// What can be said of a URL before anything is looked up: numbers in every spelling, and names of this host. Behind a
  /// proxy that is all, because the proxy looks names up: there the proxy's own rules keep the network.
  static func permits(url: String, _ reach: NetworkReach) -> Bool {
    guard !reach.isUnlimited else { return true }
    var text = [CChar](repeating: 0, count: 300)
    guard ccurl_url_host(url, &text, text.count) == 0 else { return false }
    let host = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      .lowercased()
    let name = host.hasSuffix(".") ? String(host.dropLast()) : host
    if AddressPrefix.bits(of: name) != nil { return reach.permits(name) }
    return name != "localhost" && !name.hasSuffix(".localhost")
  }

  /// Whether requests of a scheme leave through a proxy of the environment (curl's rules).
  static func usesProxy(_ url: String) -> Bool {
    let isSecure = url.hasPrefix("https")
    let names = isSecure ? ["https_proxy", "HTTPS_PROXY"] : ["http_proxy"]
    return (names + ["all_proxy", "ALL_PROXY"]).contains { name in
      getenv(name).map { $0.pointee != 0 } ?? false
    }
  }
}
