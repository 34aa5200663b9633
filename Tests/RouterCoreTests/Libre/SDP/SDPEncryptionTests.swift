import RouterCore
import Testing

/// SDES keys in offers and answers (RFC 4568, RFC 8643).
@Suite struct SDPEncryptionTests {
  static let key30 = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
  static let key28 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw=="

  static func wish(_ encryption: MediaEncryption) -> SDPNegotiation.Wish {
    .init(addresses: ["203.0.113.9"], port: 20000, encryption: encryption)
  }

  static func offer(_ transport: String, _ cryptos: [String]) throws -> SessionDescription {
    let lines =
      ["v=0", "o=- 5 5 IN IP4 x", "c=IN IP4 198.51.100.7", "m=audio 4000 \(transport) 0"]
      + cryptos.map { "a=crypto:\($0)" }
    return try SessionDescription(parsing: lines.joined(separator: "\n"))
  }

  @Test(arguments: [
    ("plain", "1 AES_CM_128_HMAC_SHA1_80 inline:\(key30)", SRTPSuite.aes128sha80),
    ("a lifetime", "1 AES_CM_128_HMAC_SHA1_80 inline:\(key30)|2^31", .aes128sha80),
    ("a lifetime in digits", "1 AES_CM_128_HMAC_SHA1_32 inline:\(key30)|1048576", .aes128sha32),
    ("no padding", "1 AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw", .gcm128),
    ("padding", "1 AEAD_AES_128_GCM inline:\(key28)", .gcm128),
    ("a window hint", "1 AES_CM_128_HMAC_SHA1_80 inline:\(key30) WSH=128", .aes128sha80),
    ("an optional parameter", "1 AES_CM_128_HMAC_SHA1_80 inline:\(key30) -X=1", .aes128sha80),
    ("lower case", "1 aes_cm_128_hmac_sha1_80 INLINE:\(key30)", .aes128sha80),
    (
      "one spelling of AES-256",
      "1 AES_256_CM_HMAC_SHA1_80 inline:" + key30 + "AAECAwQFBgcICQoLDA0ODw==", .aes256sha80
    ),
    (
      "the other spelling",
      "1 AES_CM_256_HMAC_SHA1_80 inline:" + key30 + "AAECAwQFBgcICQoLDA0ODw", .aes256sha80
    ),
  ])
  func takes(_ name: String, _ crypto: String, _ suite: SRTPSuite) throws {
    var negotiation = SDPNegotiation(Self.wish(.accept))
    let answer = try negotiation.answer(to: Self.offer("RTP/SAVP", [crypto]))
    let parameters = try #require(negotiation.parameters)
    #expect(parameters.isEncrypted, "\(name)")
    #expect(parameters.receiveKey?.suite == suite)
    #expect(parameters.sendKey?.suite == suite)
    #expect(parameters.sendKey != parameters.receiveKey)
    let line = try #require(answer.media[0].values("crypto").first)
    #expect(
      line.hasPrefix(crypto.split(separator: " ").prefix(2).joined(separator: " ")),
      "tag and suite as offered")
    #expect(answer.media[0].transport == "RTP/SAVP")
  }

  @Test(arguments: [
    ("an MKI", "1 AES_CM_128_HMAC_SHA1_80 inline:\(key30)|2^20|1:4"),
    ("an MKI without lifetime", "1 AES_CM_128_HMAC_SHA1_80 inline:\(key30)|1:4"),
    ("several keys", "1 AES_CM_128_HMAC_SHA1_80 inline:\(key30)|1:4;inline:\(key30)|2:4"),
    ("an unknown suite", "1 F8_128_HMAC_SHA1_80 inline:\(key30)"),
    ("a short key", "1 AES_CM_128_HMAC_SHA1_80 inline:AAAA"),
    ("a key of another suite", "1 AES_CM_128_HMAC_SHA1_80 inline:\(key28)"),
    ("no base64", "1 AES_CM_128_HMAC_SHA1_80 inline:!!!!NfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"),
    ("no encryption at all", "1 AES_CM_128_HMAC_SHA1_80 inline:\(key30) UNENCRYPTED_SRTP"),
    ("another method", "1 AES_CM_128_HMAC_SHA1_80 uri:https://example.com/key"),
    ("no tag", "AES_CM_128_HMAC_SHA1_80 inline:\(key30)"), ("nothing", ""),
    ("a huge key", "1 AES_CM_128_HMAC_SHA1_80 inline:" + String(repeating: "A", count: 3000)),
  ])
  func skips(_ name: String, _ crypto: String) throws {
    var alone = SDPNegotiation(Self.wish(.accept))
    let offer = try Self.offer("RTP/SAVP", [crypto])
    #expect(throws: SDPError.encryption("RTP/SAVP without a usable a=crypto line"), "\(name)") {
      try alone.answer(to: offer)
    }
    var besides = SDPNegotiation(Self.wish(.accept))
    let answer = try besides.answer(
      to: Self.offer("RTP/SAVP", [crypto, "7 AES_CM_128_HMAC_SHA1_80 inline:\(Self.key30)"]))
    #expect(
      answer.media[0].values("crypto").first?.hasPrefix("7 AES_CM_128_HMAC_SHA1_80 ") == true, "\(name)")
    #expect(answer.media[0].values("crypto").count == 1)
  }

  @Test func opportunisticKeysAreAnswered() throws {
    var negotiation = SDPNegotiation(Self.wish(.accept))
    let answer = try negotiation.answer(
      to: Self.offer("RTP/AVP", ["1 AES_CM_128_HMAC_SHA1_80 inline:\(Self.key30)"]))
    #expect(answer.media[0].transport == "RTP/AVP")
    #expect(answer.media[0].values("crypto").count == 1)
    #expect(negotiation.parameters?.isEncrypted == true)
  }

  @Test func policyDecides() throws {
    let crypto = "1 AES_CM_128_HMAC_SHA1_80 inline:\(Self.key30)"
    var off = SDPNegotiation(Self.wish(.off))
    let secure = try Self.offer("RTP/SAVP", [crypto])
    #expect(throws: SDPError.self) { try off.answer(to: secure) }
    let answer = try off.answer(to: Self.offer("RTP/AVP", [crypto]))
    #expect(answer.media[0].values("crypto").isEmpty)
    #expect(off.parameters?.isEncrypted == false)

    var require = SDPNegotiation(Self.wish(.require))
    let plain = try Self.offer("RTP/AVP", [])
    #expect(throws: SDPError.encryption("it is required and was not offered")) {
      try require.answer(to: plain)
    }
  }

  @Test(arguments: [MediaEncryption.prefer, .require])
  func bothSidesAgree(_ encryption: MediaEncryption) throws {
    var caller = SDPNegotiation(Self.wish(encryption))
    var callee = SDPNegotiation(Self.wish(.accept))
    let offer = caller.offer()
    #expect(offer.media[0].transport == (encryption == .require ? "RTP/SAVP" : "RTP/AVP"))
    try caller.accept(callee.answer(to: SessionDescription(parsing: offer.text)))
    #expect(caller.parameters?.sendKey == callee.parameters?.receiveKey)
    #expect(caller.parameters?.receiveKey == callee.parameters?.sendKey)
    #expect(caller.parameters?.isEncrypted == true)

    // A re-offer keeps the keys of both sides, so the rollover counters can live on.
    let keys = (caller.parameters?.sendKey, caller.parameters?.receiveKey)
    try caller.accept(callee.answer(to: caller.offer()))
    #expect(caller.parameters?.sendKey == keys.0)
    #expect(caller.parameters?.receiveKey == keys.1)
  }

  @Test func anAnswerWithoutItsKeyIsRefused() throws {
    var caller = SDPNegotiation(Self.wish(.require))
    _ = caller.offer()
    let bare = try Self.offer("RTP/SAVP", [])
    #expect(throws: SDPError.encryption("the answer has no usable a=crypto line")) { try caller.accept(bare) }
    let strange = try Self.offer("RTP/SAVP", ["9 AES_CM_128_HMAC_SHA1_80 inline:\(Self.key30)"])
    #expect(throws: SDPError.self) { try caller.accept(strange) }

    var willing = SDPNegotiation(Self.wish(.prefer))
    _ = willing.offer()
    try willing.accept(Self.offer("RTP/AVP", []))
    #expect(willing.parameters?.isEncrypted == false)
  }

  @Test func keysAreNeverPrinted() throws {
    let key = SRTPKey.random(.gcm256)
    let secret = try #require(SRTPKey(.aes128sha80, bytes: Array(repeating: 0x41, count: 30)))
    for text in [
      "\(secret)", String(reflecting: secret), "\(Mirror(reflecting: secret).children.map(\.value))",
    ] {
      #expect(!text.contains("65"))
    }
    #expect("\(key)" == "AEAD_AES_256_GCM key")
    #expect(SRTPKey(.gcm128, bytes: [1, 2, 3]) == nil)
  }
}
