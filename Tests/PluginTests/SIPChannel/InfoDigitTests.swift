import Testing

@testable import SIPChannel

@Suite struct InfoDigitTests {
  static let bodies: [(String, String, Character?)] = [
    ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", "5"),
    ("application/dtmf-relay", "signal = #\nduration = 250", "#"),
    ("application/dtmf-relay", "Duration=100\r\nSignal= 10\r\n", "*"),
    ("application/dtmf-relay", "Signal=11", "#"), ("application/dtmf-relay", "Signal=d", "D"),
    ("application/dtmf-relay", "Signal=16", nil), ("application/dtmf-relay", "Signal=!", nil),
    ("application/dtmf-relay", "", nil), ("application/dtmf-relay", "Signal=55", nil),
    ("application/dtmf", "7\r\n", "7"), ("application/dtmf", " * ", "*"), ("application/dtmf", "x", nil),
    ("text/plain", "Signal=5", nil), ("", "5", nil),
  ]

  @Test(arguments: bodies) func info(_ type: String, _ body: String, _ digit: Character?) {
    #expect(infoDigit(contentType: type, body: Array(body.utf8)) == digit)
  }
}
