/// The `web:` section of `routerd.yaml`: what is served over HTTP, and to whom it is believed.
public struct WebSettings: Decodable, Sendable {
  /// One entry of `listen:`.
  public struct Listen: Sendable, Hashable {
    public var isSecure: Bool
    public var address: SocketAddress
    public init(isSecure: Bool, address: SocketAddress) {
      self.isSecure = isSecure
      self.address = address
    }
  }

  /// What a client may take.
  public struct Limits: Sendable, Hashable {
    public var connections = 4000
    public var connectionsPerAddress = 1000
    public var headBytes = 32 << 10
    public var bodyBytes = 1 << 20
    public var idleSeconds = 30
    public var handlerSeconds = 30
    public var requestsPerSecondPerAddress = 1000
    public var messageBytes = 1 << 20
    public var pingSeconds = 20
  }

  /// `http:ADDRESS:PORT` or `https:ADDRESS:PORT`; nothing by default.
  public var listen: [Listen] = []
  /// PEM files for `https:`.
  public var certificate: CertificateFiles?
  /// How the outside reaches us; without a slash at the end.
  public var publicURL: String?
  /// Whose `X-Forwarded-*` headers are believed.
  public var trustedProxies: [AddressPrefix] = []
  /// Who may read `/metrics`.
  public var metricsFrom = ["127.0.0.0/8", "::1"].compactMap { AddressPrefix($0) }
  /// The file of the secret that agents' addresses are made with; made when it is missing.
  public var secretFile: String?
  public var limits = Limits()

  public init() {}

  private enum CodingKeys: String, CodingKey {
    case listen, certificate, privateKey, publicURL, trustedProxies, metricsFrom, secretFile, limits
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func wrong(_ key: CodingKeys, _ what: String) -> DecodingError {
      DecodingError.dataCorruptedError(forKey: key, in: values, debugDescription: what)
    }
    func prefixes(_ key: CodingKeys) throws -> [AddressPrefix]? {
      try values.decodeIfPresent([String].self, forKey: key)?.map { text in
        guard let prefix = AddressPrefix(text) else { throw wrong(key, "'\(text)' is no address or prefix") }
        return prefix
      }
    }
    listen = try (values.decodeIfPresent([String].self, forKey: .listen) ?? []).map { text in
      guard let entry = Listen(text) else {
        throw wrong(.listen, "'\(text)' is not http: or https:, a numeric address and a port")
      }
      return entry
    }
    if let file = try values.decodeIfPresent(String.self, forKey: .certificate) {
      let key = try values.decodeIfPresent(String.self, forKey: .privateKey)
      certificate = CertificateFiles(certificate: file, key: key)
    } else if listen.contains(where: \.isSecure) {
      throw wrong(
        .certificate, "https: needs 'certificate', a PEM file, and 'privateKey' unless it is in there")
    }
    if let text = try values.decodeIfPresent(String.self, forKey: .publicURL) {
      guard let url = WebSettings.publicURL(text) else {
        throw wrong(.publicURL, "'\(text)' is not http:// or https://, a host, and perhaps a path")
      }
      publicURL = url
    }
    trustedProxies = try prefixes(.trustedProxies) ?? trustedProxies
    metricsFrom = try prefixes(.metricsFrom) ?? metricsFrom
    secretFile = try values.decodeIfPresent(String.self, forKey: .secretFile)
    limits = try values.decodeIfPresent(Limits.self, forKey: .limits) ?? limits
  }

  /// Without slashes at the end; `nil` for what is no such URL.
  private static func publicURL(_ text: String) -> String? {
    guard let scheme = ["http://", "https://"].first(where: { text.lowercased().hasPrefix($0) }) else {
      return nil
    }
    var rest = text.dropFirst(scheme.count)
    while rest.last == "/" { rest = rest.dropLast() }
    guard !rest.isEmpty, rest.first != "/", !rest.contains(where: { "?#@ \"<>".contains($0) }) else {
      return nil
    }
    return scheme + rest
  }
}

extension WebSettings.Listen {
  /// `http:127.0.0.1:8080`, `https:[::]:443`.
  init?(_ text: String) {
    guard let colon = text.firstIndex(of: ":"), let last = text.lastIndex(of: ":"), colon < last,
      let port = UInt16(text[text.index(after: last)...])
    else { return nil }
    switch text[..<colon] {
    case "http": isSecure = false
    case "https": isSecure = true
    default: return nil
    }
    var host = text[text.index(after: colon)..<last]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      return nil
    }
    guard AddressPrefix.bits(of: host) != nil else { return nil }
    address = SocketAddress(ip: String(host), port: port)
  }

  var scheme: String { isSecure ? "https" : "http" }
}

extension WebSettings.Limits: Decodable {
  private enum CodingKeys: String, CodingKey {
    case connections, connectionsPerAddress, headBytes, bodyBytes, idleSeconds, handlerSeconds,
      requestsPerSecondPerAddress, messageBytes, pingSeconds
  }

  public init(from decoder: any Decoder) throws {
    self.init()
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func read(_ key: CodingKeys, _ path: WritableKeyPath<Self, Int>, _ range: ClosedRange<Int>) throws {
      guard let value = try values.decodeIfPresent(Int.self, forKey: key) else { return }
      guard range.contains(value) else {
        throw DecodingError.dataCorruptedError(
          forKey: key, in: values,
          debugDescription: "\(key.stringValue) is from \(range.lowerBound) to \(range.upperBound)")
      }
      self[keyPath: path] = value
    }
    try read(.connections, \.connections, 1...1_000_000)
    try read(.connectionsPerAddress, \.connectionsPerAddress, 1...1_000_000)
    try read(.headBytes, \.headBytes, 4096...1 << 20)
    try read(.bodyBytes, \.bodyBytes, 1024...1 << 30)
    try read(.idleSeconds, \.idleSeconds, 1...3600)
    try read(.handlerSeconds, \.handlerSeconds, 1...600)
    try read(.requestsPerSecondPerAddress, \.requestsPerSecondPerAddress, 1...1_000_000)
    try read(.messageBytes, \.messageBytes, 1024...1 << 30)
    try read(.pingSeconds, \.pingSeconds, 1...300)
  }
}
