internal import RouterCore

/// The questions that callers can choose by a key, and the words that offer them.
struct Menu {
  /// Questions that are read out at once; more than callers remember, and all they need to interrupt is a key.
  static let page = 5

  let questions: [String]
  /// Whether 0 leads to a person.
  let hasPerson: Bool

  init(_ agent: AgentConfiguration, hasPerson: Bool = false) {
    questions = agent.faqs.map(\.question)
    self.hasPerson = hasPerson
  }

  var count: Int { questions.count }
  /// How many times a page of them can be offered.
  var pages: Int { max(1, (count + Menu.page - 1) / Menu.page) }

  /// The question with a number that the caller pressed or said, from 1.
  func index(of number: Int) -> Int? { (1...max(1, count)).contains(number) && count > 0 ? number - 1 : nil }

  /// One page, from 0, in words.
  func offer(_ page: Int = 0) -> String {
    let start = max(0, min(page, pages - 1)) * Menu.page
    var sentences = questions.enumerated().dropFirst(start).prefix(Menu.page).map { index, question in
      "For: \(Menu.sentence(question)) press \(index + 1)."
    }
    if start + Menu.page < count { sentences.append("To hear more questions, say more.") }
    if hasPerson { sentences.append("For a person, press 0.") }
    if count == 0, !hasPerson { sentences.append("There is nothing that I can tell you yet.") }
    return sentences.joined(separator: " ")
  }

  /// A question with the mark that makes a voice rise.
  static func sentence(_ text: String) -> String {
    let text = Words.trimmed(text)
    guard let last = text.last, !"?!.".contains(last) else { return text }
    return text + "?"
  }
}
