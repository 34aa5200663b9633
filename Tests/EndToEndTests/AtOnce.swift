/// Does the same for many things, a few at a time: calls last for seconds, and are silent for most of them.
func atOnce<Element: Sendable, Outcome: Sendable>(
  _ width: Int, _ elements: [Element], _ body: @escaping @Sendable (Element) async throws -> Outcome
) async throws -> [Outcome] {
  try await withThrowingTaskGroup(of: (Int, Outcome).self) { group in
    var outcomes: [Int: Outcome] = [:]
    var next = 0
    while next < elements.count || outcomes.count < elements.count {
      if next < elements.count, next - outcomes.count < width {
        group.addTask { [next, element = elements[next]] in (next, try await body(element)) }
        next += 1
      } else if let (index, outcome) = try await group.next() {
        outcomes[index] = outcome
      }
    }
    return elements.indices.compactMap { outcomes[$0] }
  }
}
