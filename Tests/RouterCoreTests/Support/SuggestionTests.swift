import RouterCore
import Testing

@Suite struct SuggestionTests {
  @Test(arguments: [
    ("agnet", "agent"), ("Agent", "agent"), ("chanel", "channel"), ("prioritty", "priority"), ("x", nil),
    ("route", nil),
    ("", nil), ("zzzzzzzz", nil), ("over", "overrides"), ("ove", nil),
  ])
  func theNearestNameIsFound(word: String, expected: String?) {
    #expect(Suggestion.nearest(to: word, in: ["agent", "channel", "priority", "overrides"]) == expected)
  }
}
