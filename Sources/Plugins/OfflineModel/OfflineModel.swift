public import RouterCore

/// Answers from the agent's FAQs in their own words: no account, no network, no invention.
///
/// It keeps nothing itself. What it must remember between turns comes back to it as a note in the transcript, so one
/// model serves every call.
public struct OfflineModel: TextModel {
  /// The `type:` of a provider in the route files, and the provider of agents that name none.
  public static let type = "offline"

  public init() {}

  /// One turn, at once.
  public func respond(to request: TextRequest) -> AsyncThrowingStream<TextEvent, any Error> {
    let reply = Conversation(request).reply()
    return AsyncThrowingStream { continuation in
      continuation.yield(.note(reply.memory.note))
      if !reply.text.isEmpty { continuation.yield(.text(reply.text)) }
      if let tool = reply.tool {
        let id = "\(tool)-\(request.turn.number)"
        continuation.yield(.toolCall(ToolCall(id: id, name: tool, turn: request.turn)))
      }
      continuation.finish()
    }
  }

  /// The questions in every wording, the words for the rest, and the numbers of the menu.
  public func phrases(for agent: AgentConfiguration) -> [String] {
    let menu = Menu(agent)
    let numbers = (1...max(1, min(menu.count, Words.highestSpelled))).map { Words.spell($0) }
    return agent.faqs.flatMap { [$0.question] + $0.phrases } + Command.all.flatMap(\.phrases) + numbers
  }

  /// As soon as no longer number is in the menu.
  public func isComplete(_ digits: String, for agent: AgentConfiguration) -> Bool {
    guard let number = Int(digits), number > 0, digits.allSatisfy(\.isNumber) else { return !digits.isEmpty }
    return number * 10 > Menu(agent).count
  }
}
