import Testing

@testable import routerd

@Suite struct WhatIfCallTests {
  @Test(arguments: [
    ("2026-12-25T10:00:00Z", true), ("2026-12-25T10:00Z", true), ("2026-12-25T10:00+01:00", true),
    ("2026-12-25T10:00:00-05:00", true), ("2028-02-29T10:00Z", true), ("2026-02-29T10:00Z", false),
    ("2026-04-31T10:00Z", false), ("2026-12-25T25:00Z", false), ("2026-12-25T10:61Z", false),
    ("2026-12-25", false), ("soon", false), ("", false),
  ])
  func onlyTimesThatThereAre(text: String, isOne: Bool) {
    #expect((WhatIfCall.time(text) != nil) == isOne)
  }
}
