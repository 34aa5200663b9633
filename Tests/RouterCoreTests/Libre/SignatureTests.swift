import Foundation
import RouterCore
import RouterTesting
import Testing

@Suite struct SignatureTests {
  private func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = Array(hexadecimal)
    return stride(from: 0, to: digits.count, by: 2).compactMap {
      UInt8(String(digits[$0...$0 + 1]), radix: 16)
    }
  }

  /// RFC 8032 section 7.1, tests 1 to 3.
  @Test(arguments: [
    (
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    ),
    (
      "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    ),
    (
      "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
      "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
    ),
  ])
  func ed25519(_ privateKey: String, _ publicKey: String, _ message: String, _ signature: String) throws {
    #expect(Signature.ed25519PublicKey(of: bytes(privateKey)) == bytes(publicKey))
    #expect(Signature.ed25519(bytes(message), privateKey: bytes(privateKey)) == bytes(signature))
    #expect(Signature.isEd25519(bytes(signature), of: bytes(message), by: bytes(publicKey)))
    #expect(!Signature.isEd25519(bytes(signature), of: bytes(message) + [0], by: bytes(publicKey)))
    var wrong = bytes(signature)
    wrong[63] ^= 0x01
    #expect(!Signature.isEd25519(wrong, of: bytes(message), by: bytes(publicKey)))
    #expect(
      !Signature.isEd25519(Array(bytes(signature).dropLast()), of: bytes(message), by: bytes(publicKey)))
    #expect(
      !Signature.isEd25519(bytes(signature), of: bytes(message), by: Array(bytes(publicKey).dropLast())))
  }

  /// Against OpenSSL's own program.
  @Test func rs256() async throws {
    let place = try Workplace()
    let keyFile = place.path("key.pem")
    let publicFile = place.path("public.pem")
    try openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", keyFile)
    try openssl("pkey", "-in", keyFile, "-pubout", "-out", publicFile)
    let privateKey = try String(contentsOfFile: keyFile, encoding: .utf8)
    let publicKey = try String(contentsOfFile: publicFile, encoding: .utf8)
    let message = Array("hello".utf8)
    let messageFile = try place.write("message", "hello")
    let signature = try #require(Signature.rs256(message, privateKey: privateKey))
    let signatureFile = place.path("signature")
    try Data(signature).write(to: URL(filePath: signatureFile))
    try openssl("dgst", "-sha256", "-verify", publicFile, "-signature", signatureFile, messageFile)
    #expect(Signature.isRS256(signature, of: message, by: publicKey))
    #expect(!Signature.isRS256(signature, of: message + [33], by: publicKey))
    #expect(Signature.rs256(message, privateKey: publicKey) == nil)
    #expect(Signature.rs256(message, privateKey: "") == nil)

    let token = try #require(JSONWebToken.signed(["iss": "me"], by: .rs256(privateKey)))
    #expect(try JSONWebToken.verified(token, by: .rs256(publicKey)) == ["iss": "me"])
    // The confusion of algorithms: a token signed by HMAC with the public key as its secret.
    let forged = try #require(JSONWebToken.signed(["iss": "me"], by: .hs256(Array(publicKey.utf8))))
    #expect(throws: JSONWebToken.Fault.algorithm("HS256")) {
      try JSONWebToken.verified(forged, by: .rs256(publicKey))
    }
  }

  private func openssl(_ arguments: String...) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/openssl")
    process.arguments = arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "openssl \(arguments[0])")
  }
}

@Suite struct JSONWebTokenTests {
  /// RFC 7515 appendix A.1.
  static let key = Array(
    Data(
      base64Encoded:
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ+EstJQLr/T+1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow==") ?? Data())
  static let head = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
  static let claims =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
  static let signature = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

  @Test func theSpecificationsOwn() throws {
    let token = "\(Self.head).\(Self.claims).\(Self.signature)"
    let claims = try JSONWebToken.verified(token, by: .hs256(Self.key))
    #expect(claims == ["iss": "joe", "exp": 1_300_819_380, "http://example.com/is_root": true])
    #expect(throws: JSONWebToken.Fault.signature) { try JSONWebToken.verified(token, by: .hs256([1])) }
  }

  @Test func ourOwn() throws {
    let token = try #require(JSONWebToken.signed(["a": [1, "ü?>~"]], by: .hs256(Self.key)))
    #expect(!token.contains { "+/=".contains($0) })
    #expect(try JSONWebToken.verified(token, by: .hs256(Self.key)) == ["a": [1, "ü?>~"]])
  }

  @Test(arguments: [
    "", "a", "a.b", "..", "a.b.c.d", "\(head).\(claims)", "\(head).\(claims).",
    "\(head).\(claims).\(signature)=",
    "\(head).\(claims).\(signature)x", "\(head).\(claims).dBjftJeZ4CVP+mB92K27uhbUJU1p1r/wW1gFWFOEjXk",
    "\(head) .\(claims).\(signature)", "eyJhbGciOiJub25lIn0.\(claims).",
    "eyJhbGciOiJub25lIn0.\(claims).\(signature)",
    "eyJhbGciOiJIUzI1NiIsImNyaXQiOlsieCJdfQ.\(claims).\(signature)", "bnVsbA.\(claims).\(signature)",
    String(repeating: "a", count: 20_000), "\(head).\(String(repeating: "a", count: 20_000)).\(signature)",
  ])
  func whatIsWrongIsRefused(_ token: String) {
    #expect(throws: JSONWebToken.Fault.self) { try JSONWebToken.verified(token, by: .hs256(Self.key)) }
  }
}
