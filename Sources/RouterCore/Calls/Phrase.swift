/// The engine's own few words, by language. An interpreter of none of them hears English.
enum Phrase: Sendable, Hashable {
  /// The agent takes its time.
  case moment
  /// No agent is left: before a person gets the call.
  case handOver
  /// No agent is left: before the call is ended.
  case apology

  /// The words for a language tag.
  /// - Returns: Them, and the language that they really are in.
  func words(_ language: String?, _ settings: EngineSettings) -> (text: String, language: String) {
    let tag = Phrase.primary(language)
    switch self {
    case .moment:
      if let own = settings.failover.words[tag] { return (own, tag) }
    case .apology:
      if settings.apology != EngineSettings.usualApology { return (settings.apology, tag) }
    case .handOver: break
    }
    if let known = Phrase.table[tag] { return (known[index], tag) }
    return (Phrase.english[index], "en")
  }

  /// `de` of `de-CH`; English when nothing is said.
  static func primary(_ language: String?) -> String {
    language?.split(whereSeparator: { $0 == "-" || $0 == "_" }).first?.lowercased() ?? "en"
  }

  private var index: Int {
    switch self {
    case .moment: 0
    case .handOver: 1
    case .apology: 2
    }
  }

  private static let english = [
    "One moment, please.", "I am sorry, I will put you through to somebody.", EngineSettings.usualApology,
  ]

  private static let table: [String: [String]] = [
    "en": english,
    "de": [
      "Einen Moment, bitte.", "Entschuldigung, ich verbinde Sie weiter.",
      "Entschuldigung, hier ist etwas schiefgegangen. Bitte rufen Sie später noch einmal an.",
    ],
    "fr": [
      "Un instant, s'il vous plaît.", "Excusez-moi, je vous mets en relation avec quelqu'un.",
      "Excusez-moi, un problème est survenu. Veuillez rappeler plus tard.",
    ],
    "es": [
      "Un momento, por favor.", "Disculpe, le paso con alguien.",
      "Disculpe, algo ha fallado. Por favor, llame más tarde.",
    ],
    "it": [
      "Un momento, per favore.", "Mi scusi, la metto in contatto con qualcuno.",
      "Mi scusi, qualcosa è andato storto. Richiami più tardi, per favore.",
    ],
    "pt": [
      "Um momento, por favor.", "Desculpe, vou transferir a sua chamada.",
      "Desculpe, algo correu mal. Por favor, ligue mais tarde.",
    ],
    "nl": [
      "Een ogenblik, alstublieft.", "Sorry, ik verbind u door.",
      "Sorry, er is iets misgegaan. Probeert u het later nog eens.",
    ],
    "pl": [
      "Chwileczkę, proszę.", "Przepraszam, połączę Pana lub Panią z kimś.",
      "Przepraszam, coś poszło nie tak. Proszę zadzwonić później.",
    ],
    "sv": [
      "Ett ögonblick, tack.", "Förlåt, jag kopplar dig vidare.",
      "Förlåt, något gick fel. Ring gärna senare.",
    ],
    "ja": ["少々お待ちください。", "申し訳ありません、担当者におつなぎします。", "申し訳ありません、問題が発生しました。後ほどおかけ直しください。"],
  ]
}
