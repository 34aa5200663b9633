import RouterCore
import Testing

@Suite struct DigitFilterTests {
  struct Press: Sendable {
    var digit: Character
    var method: DigitFilter.Method
    var milliseconds: Int
    init(_ digit: Character, _ method: DigitFilter.Method, _ milliseconds: Int) {
      self.digit = digit
      self.method = method
      self.milliseconds = milliseconds
    }
  }

  static let cases: [([Press], String)] = [
    ([Press("5", .event, 0)], "5"),
    // One method only: every press counts, however fast.
    ([Press("5", .event, 0), Press("5", .event, 80)], "55"),
    ([Press("5", .info, 0), Press("5", .info, 80)], "55"),
    // Two methods: once.
    ([Press("5", .event, 0), Press("5", .info, 250)], "5"),
    ([Press("5", .info, 0), Press("5", .event, 20)], "5"),
    ([Press("5", .tone, 0), Press("5", .info, 60), Press("6", .tone, 400), Press("6", .info, 900)], "56"),
    // Two quick presses of one key, each sent twice, that overlap.
    (
      [
        Press("1", .event, 0), Press("1", .info, 100), Press("5", .event, 500), Press("5", .event, 620),
        Press("5", .info, 640), Press("5", .info, 760),
      ], "155"
    ),
    // Different keys, or long apart: presses of their own.
    ([Press("5", .event, 0), Press("6", .info, 20)], "56"),
    ([Press("5", .event, 0), Press("5", .info, 2000)], "55"),
  ]

  @Test(arguments: cases) func onePressIsOneKey(_ presses: [Press], _ heard: String) {
    var filter = DigitFilter()
    let start = ContinuousClock.now
    let accepted = presses.filter {
      filter.accepts($0.digit, by: $0.method, at: start + .milliseconds($0.milliseconds))
    }
    #expect(String(accepted.map(\.digit)) == heard)
  }
}
