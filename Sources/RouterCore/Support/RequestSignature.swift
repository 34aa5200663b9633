public import FoundationEssentials

/// Signs what routerd posts to somebody's own server, so that the server knows who asks and when.
public enum RequestSignature {
  /// `X-Routerd-Signature: t=UNIXTIME,v1=HEX`: the HMAC-SHA256 of `UNIXTIME.BODY`.
  public static func header(for body: [UInt8], secret: String, now: Date = Date()) -> Header {
    let time = Int(now.timeIntervalSince1970)
    let signature = Digest.authenticate(Array("\(time).".utf8) + body, key: secret.utf8)
    return Header("X-Routerd-Signature", "t=\(time),v1=\(Digest.hexadecimal(signature))")
  }
}
