import Testing

@testable import SIPChannel

@Suite struct DigitTests {
  static let bodies: [(String, String, Character?)] = [
    ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", "5"),
    ("Application/DTMF-Relay; charset=utf-8", "signal = #\nduration = 250", "#"),
    ("application/dtmf-relay", "Duration=100\r\nSignal= 10\r\n", "*"),
    ("application/dtmf-relay", "Signal=11", "#"), ("application/dtmf-relay", "Signal=d", "D"),
    ("application/dtmf-relay", "Signal=16", nil), ("application/dtmf-relay", "Signal=!", nil),
    ("application/dtmf-relay", "", nil), ("application/dtmf-relay", "Signal=55", nil),
    ("application/dtmf", "7\r\n", "7"), ("application/dtmf", " * ", "*"), ("application/dtmf", "x", nil),
    ("text/plain", "Signal=5", nil), ("", "5", nil),
  ]

  @Test(arguments: bodies) func info(_ type: String, _ body: String, _ digit: Character?) {
    #expect(infoDigit(contentType: type, body: body) == digit)
  }

  struct Press: Sendable {
    var digit: Character
    var way: DigitFilter.Way
    var milliseconds: Int
  }

  static let presses: [([Press], String)] = [
    ([Press(digit: "5", way: .media, milliseconds: 0)], "5"),
    // One way only: every press counts, however fast.
    (
      [Press(digit: "5", way: .media, milliseconds: 0), Press(digit: "5", way: .media, milliseconds: 80)],
      "55"
    ),
    (
      [Press(digit: "5", way: .info, milliseconds: 0), Press(digit: "5", way: .info, milliseconds: 80)], "55"
    ),
    // Both ways: once.
    (
      [Press(digit: "5", way: .media, milliseconds: 0), Press(digit: "5", way: .info, milliseconds: 200)], "5"
    ),
    (
      [Press(digit: "5", way: .info, milliseconds: 0), Press(digit: "5", way: .media, milliseconds: 20)], "5"
    ),
    // Both ways, two quick presses of one key that overlap.
    (
      [
        Press(digit: "1", way: .media, milliseconds: 0), Press(digit: "1", way: .info, milliseconds: 100),
        Press(digit: "5", way: .media, milliseconds: 500), Press(digit: "5", way: .media, milliseconds: 620),
        Press(digit: "5", way: .info, milliseconds: 640), Press(digit: "5", way: .info, milliseconds: 760),
      ], "155"
    ),
    // Different keys, or long apart: presses of their own.
    (
      [Press(digit: "5", way: .media, milliseconds: 0), Press(digit: "6", way: .info, milliseconds: 20)], "56"
    ),
    (
      [Press(digit: "5", way: .media, milliseconds: 0), Press(digit: "5", way: .info, milliseconds: 2000)],
      "55"
    ),
  ]

  @Test(arguments: presses) func filter(_ presses: [Press], _ heard: String) {
    var filter = DigitFilter()
    let start = ContinuousClock.now
    let admitted = presses.filter {
      filter.admits($0.digit, by: $0.way, at: start + .milliseconds($0.milliseconds))
    }
    #expect(String(admitted.map(\.digit)) == heard)
  }
}
