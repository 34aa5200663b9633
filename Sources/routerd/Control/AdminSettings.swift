internal import RouterCore

/// The `admin:` section: commands of the control socket over HTTP, for programs on this host. Off unless `listen` is set.
struct AdminSettings: Decodable, Sendable {
  /// An address of this host alone, and a port.
  var listen: SocketAddress?
  /// What a client must know, by reference.
  var token: SecretSetting?

  /// Shorter ones can be guessed.
  static let minimumTokenLength = 16

  private enum CodingKeys: String, CodingKey { case listen, token }
  init() {}
  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    token = try values.decodeIfPresent(SecretSetting.self, forKey: .token)
    guard let text = try values.decodeIfPresent(String.self, forKey: .listen) else { return }
    guard let address = AdminSettings.address(text) else {
      throw DecodingError.dataCorruptedError(
        forKey: .listen, in: values,
        debugDescription: "'\(text)' is no numeric address with a port, e.g. 127.0.0.1:8089")
    }
    let own = ["127.0.0.0/8", "::1"].compactMap { AddressPrefix($0) }
    guard own.contains(where: { $0.contains(address.ip) }) else {
      throw DecodingError.dataCorruptedError(
        forKey: .listen, in: values,
        debugDescription:
          "only addresses of this host (127.0.0.1, [::1]) are allowed: the token travels without TLS")
    }
    guard token != nil else {
      throw DecodingError.dataCorruptedError(
        forKey: .listen, in: values,
        debugDescription: "'token' is missing: write token: \"${env:ROUTERD_ADMIN_TOKEN}\"")
    }
    listen = address
  }

  private static func address(_ text: String) -> SocketAddress? {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
      return nil
    }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      return nil
    }
    return AddressPrefix.bits(of: host) == nil ? nil : SocketAddress(ip: String(host), port: port)
  }

  /// What the listener is made of; nothing listens without `listen`.
  var web: WebSettings {
    var web = WebSettings()
    if let listen { web.listen = [WebSettings.Listen(isSecure: false, address: listen)] }
    web.limits.connections = 64
    web.limits.connectionsPerAddress = 64
    web.limits.handlerSeconds = ControlClient.patience
    return web
  }

  /// Reads the token. Throws ``ControlFailure`` when there is none, or one that can be guessed.
  func readToken() throws(ControlFailure) -> String {
    guard let token else { return "" }
    let value: String
    do { value = try token.read() } catch { throw ControlFailure("admin: token: \(error)", .failure) }
    guard value.utf8.count >= AdminSettings.minimumTokenLength else {
      throw ControlFailure(
        "admin: token: \(token) has fewer than \(AdminSettings.minimumTokenLength) characters", .failure)
    }
    return value
  }
}
