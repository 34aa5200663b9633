import Testing

@testable import RouterCore

@Suite struct MergePatchTests {
  /// The table of RFC 7396, appendix A.
  static let cases: [(JSONValue, JSONValue, JSONValue)] = [
    (["a": "b"], ["a": "c"], ["a": "c"]), (["a": "b"], ["b": "c"], ["a": "b", "b": "c"]),
    (["a": "b"], ["a": nil], [:]),
    (["a": "b", "b": "c"], ["a": nil], ["b": "c"]), (["a": ["b"]], ["a": "c"], ["a": "c"]),
    (["a": "c"], ["a": ["b"]], ["a": ["b"]]),
    (["a": ["b": "c"]], ["a": ["b": "d", "c": nil]], ["a": ["b": "d"]]),
    (["a": [["b": "c"]]], ["a": [1]], ["a": [1]]),
    (["a", "b"], ["c", "d"], ["c", "d"]), (["a": "b"], ["c"], ["c"]), (["a": "foo"], nil, nil),
    (["a": "foo"], "bar", "bar"),
    (["e": nil], ["a": 1], ["e": nil, "a": 1]), ([1, 2], ["a": "b", "c": nil], ["a": "b"]),
    ([:], ["a": ["bb": ["ccc": nil]]], ["a": ["bb": [:]]]),
  ]

  @Test(arguments: cases.indices)
  func theRFCsOwnCasesHold(index: Int) {
    let (target, patch, result) = Self.cases[index]
    #expect(target.merging(patch) == result)
    let sourced = Sourced(target, from: .resource("t")).merging(Sourced(patch, from: .resource("p")))
    #expect(sourced.json == result)
  }

  @Test func everyLeafKnowsItsLayer() {
    let agent = Sourced(
      ["voiceId": "a", "providerSettings": ["temperature": 0.7, "x": [1, 2]]], from: .resource("agent"))
    let route = Sourced(["providerSettings": ["temperature": nil, "x": [3]]], from: .resource("route"))
    let leaves = agent.merging(route).leaves.map { "\($0.path) \($0.origin)" }
    #expect(leaves == ["providerSettings.x route", "voiceId agent"])
  }
}
