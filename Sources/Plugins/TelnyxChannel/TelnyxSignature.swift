internal import RouterCore

/// `telnyx-signature-ed25519`: Ed25519 over `TIMESTAMP|BODY`
/// (https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks#webhook-signing). The address is not signed, so
/// nothing in a query is believed.
enum TelnyxSignature {
  static let signatureHeader = "telnyx-signature-ed25519"
  static let timestampHeader = "telnyx-timestamp"
  /// How old, or how far ahead of our clock, a webhook may be.
  static let toleranceSeconds = 300

  /// Why a webhook is not believed; the words are for the log.
  enum Verdict: Hashable, Sendable {
    /// The accounts whose key made it.
    case right(accounts: [Int])
    case unsigned, forged, stale
  }

  /// Which of the accounts signed the request.
  /// - Parameter now: Seconds since 1970.
  static func verdict(_ request: HTTPServerRequest, _ accounts: [TelnyxAccount], now: Int) -> Verdict {
    guard let text = request.header(signatureHeader), let timestamp = request.header(timestampHeader) else {
      return .unsigned
    }
    // Digits of a time that fits into an Int; the signature covers them as they stand.
    guard (1...12).contains(timestamp.utf8.count),
      timestamp.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let time = Int(timestamp), let signature = Base64.decode(text)
    else { return .forged }
    let signed = Array(timestamp.utf8) + [UInt8(ascii: "|")] + request.body
    let right = accounts.indices.filter { index in
      accounts[index].publicKeys.contains { Signature.isEd25519(signature, of: signed, by: $0) }
    }
    guard !right.isEmpty else { return .forged }
    return abs(time - now) <= toleranceSeconds ? .right(accounts: right) : .stale
  }
}
