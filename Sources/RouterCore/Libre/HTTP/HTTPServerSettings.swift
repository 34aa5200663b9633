/// Where an ``HTTPServer`` listens and what it bears.
public struct HTTPServerSettings: Sendable, Hashable {
  /// Numeric address and port; port 0 takes a free one.
  public var address = SocketAddress(ip: "127.0.0.1", port: 0)
  public var maximumConnections = 4000
  public var maximumConnectionsPerAddress = 1000
  /// A connection that is silent for so long is closed.
  public var idleSeconds = 30
  /// Longer heads get 431 or 414.
  public var maximumHeadBytes = 32 << 10
  /// Longer bodies get 413.
  public var maximumBodyBytes = 1 << 20
  /// A handler that takes longer is answered for with 503.
  public var handlerSeconds = 30
  /// With a certificate the server speaks TLS.
  public var certificate: CertificateFiles?
  /// How long a TLS handshake may take.
  public var handshakeSeconds = 10

  /// The defaults.
  public init() {}
}

/// A certificate with the chain behind it, and its key, as PEM files.
public struct CertificateFiles: Sendable, Hashable {
  public var certificate: String
  /// `nil` when the key stands in the same file.
  public var key: String?
  public init(certificate: String, key: String? = nil) {
    self.certificate = certificate
    self.key = key
  }
}
