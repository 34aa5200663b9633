internal import RouterCore

/// What a caller can say besides the agent's questions.
enum Command: Hashable {
  case yes, no, person, goodbye, again, menu, more

  static let all: [Command] = [.yes, .no, .person, .goodbye, .again, .menu, .more]

  /// How people say it.
  var phrases: [String] {
    switch self {
    case .yes: ["yes", "yes please", "yeah", "correct", "that's right", "okay"]
    case .no: ["no", "no thank you", "no thanks", "nothing else", "that is all", "that's all", "nope"]
    case .person:
      [
        "operator", "agent", "a person", "a person please", "a human", "talk to a person",
        "speak to a person",
        "speak to somebody", "i want to speak to a person", "can i speak to somebody", "representative",
      ]
    case .goodbye: ["goodbye", "bye", "bye bye", "hang up", "thank you goodbye"]
    case .again: ["repeat", "repeat that", "say that again", "again please", "can you repeat that", "pardon"]
    case .menu: ["menu", "help", "options", "what can i ask", "what can you do", "questions"]
    case .more: ["more", "more questions", "next"]
    }
  }
}

/// What the caller meant, as far as the words tell.
struct Meaning: Hashable {
  enum What: Hashable {
    case question(Int)
    case command(Command)
    case number(Int)
  }

  var what: What
  /// 0…1, how well the words fit, not how well they were heard.
  var fit: Double

  /// The best meaning of what was said; `nil` when no word fits anything.
  static func of(_ text: String, _ agent: AgentConfiguration) -> Meaning? {
    let heard = Words.of(text)
    guard !heard.isEmpty else { return nil }
    let bare = heard.first == "number" || heard.first == "press" ? Array(heard.dropFirst()) : heard
    if let number = Words.number(bare) { return Meaning(what: .number(number), fit: 1) }
    var found: [Meaning] = agent.faqs.enumerated().map { index, faq in
      let wordings = [faq.question] + faq.phrases
      return Meaning(what: .question(index), fit: best(heard, wordings))
    }
    found += Command.all.map { Meaning(what: .command($0), fit: best(heard, $0.phrases)) }
    found.sort { $0.fit > $1.fit }
    guard var first = found.first, first.fit > 0 else { return nil }
    // Two meanings that fit alike are none that is sure.
    if found.count > 1, first.fit < 1, first.fit - found[1].fit < 0.1 { first.fit *= 0.6 }
    return first
  }

  private static func best(_ heard: [String], _ phrases: [String]) -> Double {
    phrases.reduce(0) { max($0, Words.likeness(heard, Words.of($1))) }
  }
}
