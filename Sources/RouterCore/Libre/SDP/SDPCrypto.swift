internal import FoundationEssentials

/// One usable `a=crypto` line (SDES, RFC 4568 section 9.1).
struct SDPCrypto: Sendable, Hashable {
  var tag: Int
  /// As the peer spelled it: an answer repeats it.
  var suiteName: String
  var key: SRTPKey

  /// `nil` for a line that we cannot serve: an unknown suite, a bad key, several keys, an MKI (which adds bytes to each
  /// packet that nobody here would take off), or a session parameter that changes the packets.
  init?(parsing value: String) {
    let words = value.split(separator: " ", omittingEmptySubsequences: true)
    guard words.count >= 3, words[0].count <= 9, let tag = Int(words[0]), tag >= 0,
      let suite = SDPCrypto.suite(named: words[1]), words[2].lowercased().hasPrefix("inline:")
    else { return nil }
    let parts = words[2].dropFirst("inline:".count).split(separator: "|", omittingEmptySubsequences: false)
    // The lifetime (`2^31` or a number) is accepted and not watched: no call lasts that long.
    guard let encoded = parts.first, !words[2].contains(";"), parts.count <= 2,
      !parts.dropFirst().contains(where: { $0.contains(":") })
    else { return nil }
    guard words.dropFirst(3).allSatisfy(SDPCrypto.isHarmless), let bytes = SDPCrypto.decode(encoded),
      let key = SRTPKey(suite, bytes: bytes)
    else { return nil }
    self.tag = tag
    self.suiteName = String(words[1])
    self.key = key
  }

  init(tag: Int, key: SRTPKey, suiteName: String? = nil) {
    self.tag = tag
    self.suiteName = suiteName ?? key.suite.rawValue
    self.key = key
  }

  /// The attribute that says it.
  var attribute: SessionDescription.Attribute {
    SessionDescription.Attribute(
      "crypto", "\(tag) \(suiteName) inline:\(Data(key.bytes).base64EncodedString())")
  }

  private static func suite(named name: Substring) -> SRTPSuite? {
    // Both orders of the words are met for AES-256 (sipwise/rtpengine#736).
    SRTPSuite(rawValue: name.uppercased().replacing("AES_CM_256_", with: "AES_256_CM_"))
  }

  /// RFC 4568 section 6.3.7: a parameter that is not understood makes the line unusable, unless it begins with `-`.
  private static func isHarmless(_ parameter: Substring) -> Bool {
    let parameter = parameter.uppercased()
    return parameter.hasPrefix("-") || parameter.hasPrefix("WSH=") || parameter == "KDR=0"
  }

  /// Base64 with or without padding.
  private static func decode(_ text: Substring) -> [UInt8]? {
    let bare = text.prefix { $0 != "=" }
    guard bare.count <= 128 else { return nil }
    let padded = bare + String(repeating: "=", count: (4 - bare.count % 4) % 4)
    return Data(base64Encoded: String(padded)).map(Array.init)
  }
}
