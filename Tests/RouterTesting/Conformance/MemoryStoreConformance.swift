internal import FoundationEssentials
public import RouterCore

/// What every ``MemoryStore`` must do.
public enum MemoryStoreConformance {
  /// Tries a store out.
  /// - Parameter open: Opens the store: an empty one at first, and the same again when it is called a second time.
  /// - Returns: What it does wrong; empty for a good one.
  public static func violations(_ open: () async throws -> any MemoryStore) async -> [Violation] {
    var findings = Findings()
    await findings.attempt("a store opens") { findings in
      let store = try await open()
      await findings.attempt("conversations come back, oldest first") { try await keeps(store, &$0) }
      await findings.attempt("what has expired is gone") { try await expires(store, &$0) }
      await findings.attempt("a person is forgotten") { try await forgets(store, &$0) }
      let again = try await open()
      let kept = try await again.conversations(
        of: key("a", "'; DROP TABLE memories; --"), at: start, limit: 9)
      findings.expect(
        kept.map(\.summary) == ["quoted"], "memory outlives the store, and any text is only text", "\(kept)")
    }
    return findings.violations
  }

  private static let start = Date().addingTimeInterval(86_400)

  private static func key(_ agent: String, _ person: String) -> MemoryKey {
    MemoryKey(agent: agent, person: person)
  }

  private static func conversation(_ number: Int, summary: String? = nil) -> RememberedConversation {
    RememberedConversation(
      date: start.addingTimeInterval(Double(number)), channel: .sip, summary: summary,
      lines: [.init(.caller, "Ünïcödé \"\(number)\"\n🚲"), .init(.agent, "")])
  }

  private static func texts(_ conversations: [RememberedConversation]) -> [String] {
    conversations.map { $0.lines.first?.text ?? "" }
  }

  private static func keeps(_ store: any MemoryStore, _ findings: inout Findings) async throws {
    let (ada, later) = (key("a", "+1"), start.addingTimeInterval(1000))
    for number in [2, 1, 3] { try await store.remember(conversation(number), of: ada, until: later) }
    try await store.remember(conversation(4), of: key("b", "+1"), until: later)
    try await store.remember(conversation(5), of: key("a", "+2"), until: later)
    try await store.remember(
      conversation(6, summary: "quoted"), of: key("a", "'; DROP TABLE memories; --"), until: later)
    let all = try await store.conversations(of: ada, at: start, limit: 10)
    findings.expect(
      texts(all) == [1, 2, 3].map { texts([conversation($0)])[0] },
      "an agent's memory of a person, oldest first",
      "\(texts(all))")
    findings.expect(
      all.first?.lines == conversation(1).lines && all.first?.channel == .sip,
      "a conversation comes back as it was", "\(all.first.map { "\($0)" } ?? "nothing")")
    let last = try await store.conversations(of: ada, at: start, limit: 2)
    findings.expect(
      texts(last) == texts(Array(all.suffix(2))), "a limit takes the last ones", "\(texts(last))")
    let none = try await store.conversations(of: ada, at: start, limit: 0)
    findings.expect(none.isEmpty, "a limit of nothing gives nothing", "\(texts(none))")
    let unknown = try await store.conversations(of: key("a", "+3"), at: start, limit: 10)
    findings.expect(unknown.isEmpty, "an unknown person has no memory", "\(texts(unknown))")
  }

  private static func expires(_ store: any MemoryStore, _ findings: inout Findings) async throws {
    let bob = key("a", "+4")
    try await store.remember(conversation(1), of: bob, until: start.addingTimeInterval(10))
    try await store.remember(conversation(2), of: bob, until: start.addingTimeInterval(20))
    let later = try await store.conversations(of: bob, at: start.addingTimeInterval(10), limit: 10)
    findings.expect(
      texts(later) == texts([conversation(2)]), "what has expired is not remembered", "\(texts(later))")
    try await store.remember(conversation(3), of: bob, until: Date().addingTimeInterval(-1))
    try await store.remember(conversation(4), of: bob, until: start)
    let past = try await store.conversations(of: bob, at: .distantPast, limit: 10)
    findings.expect(
      !texts(past).contains(texts([conversation(3)])[0]), "what has expired is erased", "\(texts(past))")
  }

  private static func forgets(_ store: any MemoryStore, _ findings: inout Findings) async throws {
    let count = try await store.forget("+1")
    findings.expect(count == 4, "all agents forget a person", "\(count) of 4 conversations")
    for agent in ["a", "b"] {
      let left = try await store.conversations(of: key(agent, "+1"), at: start, limit: 10)
      findings.expect(left.isEmpty, "what is forgotten is gone", "\(texts(left))")
    }
    let other = try await store.conversations(of: key("a", "+2"), at: start, limit: 10)
    findings.expect(other.count == 1, "others are not forgotten", "\(other.count)")
    let again = try await store.forget("+1")
    findings.expect(again == 0, "there is nothing to forget twice", "\(again)")
  }
}
