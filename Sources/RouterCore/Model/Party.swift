/// One side of a call as the network named it, before any normalisation.
public struct Party: Hashable, Sendable, Codable {
  /// The whole URI where there is one, e.g. `sip:+442079460001@carrier.example;user=phone` or `tel:+1555…`.
  public var uri: String
  /// The user part, percent-decoded and without parameters: a number in any form, an extension or a name.
  public var user: String
  /// The host part; empty for `tel:` and for providers that send bare numbers.
  public var host: String
  /// What a phone would display, if the network said it.
  public var displayName: String?
  /// Whether the caller withheld the number (`Privacy: id`, `anonymous.invalid`, an empty user).
  public var isAnonymous: Bool

  /// Bytes of each part; a network that says more is not listened to for longer.
  public static let maximumBytes = 512

  /// Makes a party. Without `uri`, it is built from `user` and `host`. Each part is cut to ``maximumBytes``.
  public init(
    user: String, host: String = "", uri: String? = nil, displayName: String? = nil, isAnonymous: Bool = false
  ) {
    let limit = Party.maximumBytes
    self.user = user.cut(to: limit)
    self.host = host.cut(to: limit)
    self.uri = (uri ?? (host.isEmpty ? user : "sip:\(user)@\(host)")).cut(to: limit)
    self.displayName = displayName?.cut(to: limit)
    self.isAnonymous = isAnonymous
  }
}
