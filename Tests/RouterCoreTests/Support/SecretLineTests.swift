import Testing

@testable import RouterCore

/// Lines that diagnostics show: without the secrets in them, and as long as they were.
@Suite struct SecretLineTests {
  @Test(arguments: [
    ("  authToken: sesame", "  authToken: ******"),
    ("a: {type: twilio, authToken: sesame, b: c}", "a: {type: twilio, authToken: ******, b: c}"),
    ("  signatureSecret: \"se, same\"  # x", "  signatureSecret: \"********\"  # x"),
    ("apiKey: 'x'", "apiKey: '*'"), ("authToken: [a, b]", "authToken: [****]"),
    ("password: \"open", "password: \"****"),
    ("{\"apiKey\":\"x\",\"type\":\"y\"}", "{\"apiKey\":\"*\",\"type\":\"y\"}"),
    ("\"X-Api-Key\" : z", "\"X-Api-Key\" : *"),
    ("headers: {Authorization: Bearer x y}", "headers: {Authorization: **********}"),
    ("apiKey: \"${env:KEY}\"", "apiKey: \"${env:KEY}\""), ("privateKey: |", "privateKey: |"),
    ("publicKey: abc", "publicKey: abc"), ("maxTokens: lots", "maxTokens: lots"), ("keypad: 1", "keypad: 1"),
    ("apiKey:", "apiKey:"), ("apiKey: ", "apiKey: "), (":", ":"), ("", ""),
    ("url: http://h:1/token", "url: http://h:1/token"),
    ("token: ü€", "token: **"),
  ])
  func secretsAreHidden(_ line: String, _ shown: String) {
    let diagnostic = Diagnostic(.warning, "wrong", sourceLine: line)
    #expect(diagnostic.sourceLine == shown)
    var later = Diagnostic(.warning, "wrong")
    later.sourceLine = line
    #expect(later.sourceLine == shown)
    #expect(shown.unicodeScalars.count == line.unicodeScalars.count)
  }
}
