/// What is said while a tool takes its time.
enum FillerWords {
  /// By language, the primary tag of BCP 47.
  static let usual: [String: [String]] = [
    "ar": ["لحظة من فضلك."], "cs": ["Moment, prosím.", "Hned se podívám."],
    "da": ["Et øjeblik.", "Jeg kigger lige efter."], "de": ["Einen Moment, bitte.", "Ich sehe kurz nach."],
    "el": ["Μια στιγμή, παρακαλώ."], "en": ["One moment, please.", "Let me look that up.", "Just a second."],
    "es": ["Un momento, por favor.", "Déjeme comprobarlo."], "fi": ["Hetkinen, olkaa hyvä."],
    "fr": ["Un instant, s'il vous plaît.", "Je regarde cela."], "he": ["רגע בבקשה."], "hi": ["एक क्षण, कृपया।"],
    "hu": ["Egy pillanat, kérem."], "it": ["Un momento, per favore.", "Controllo subito."],
    "ja": ["少々お待ちください。"], "ko": ["잠시만 기다려 주세요."],
    "nl": ["Een ogenblik alstublieft.", "Ik zoek het even op."],
    "no": ["Et øyeblikk."], "pl": ["Chwileczkę.", "Już sprawdzam."],
    "pt": ["Um momento, por favor.", "Vou verificar."], "ro": ["Un moment, vă rog."],
    "ru": ["Одну минуту, пожалуйста.", "Сейчас посмотрю."], "sv": ["Ett ögonblick.", "Jag ska titta efter."],
    "tr": ["Bir dakika lütfen."], "uk": ["Хвилинку, будь ласка."], "zh": ["请稍等。"],
  ]
}

extension EngineSettings {
  /// The words for an agent's language; English for one that we have no words in, or that is open.
  func fillerWords(for language: String?) -> [String] {
    let tag = (language ?? "en").lowercased()
    let primary = String(tag.prefix { $0 != "-" && $0 != "_" })
    return fillerWords[tag] ?? fillerWords[primary] ?? FillerWords.usual[primary]
      ?? fillerWords["en"] ?? FillerWords.usual["en"] ?? []
  }
}
