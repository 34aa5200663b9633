/// Makes foreign text fit for flite: ASCII, short words, sentence by sentence. Pure.
enum SpokenText {
  /// A request is cut after this many characters: some three minutes of speech.
  static let maximumCharacters = 3000
  /// Longer runs of letters are no words; they are broken up, for flite spells what it does not know.
  static let maximumWord = 40

  private static let replacements: [Character: String] = [
    "’": "'", "‘": "'", "“": "\"", "”": "\"", "–": ", ", "—": ", ", "…": ".", "ß": "ss", "æ": "ae", "ø": "o",
    "œ": "oe", "€": " euros ", "£": " pounds ", "°": " degrees ", "&": " and ", "%": " percent ",
  ]

  /// The text as sentences that flite can say one by one; empty when there is nothing to say.
  static func sentences(of text: String) -> [String] {
    var sentences: [String] = []
    var sentence = ""
    var word = 0
    for character in ascii(text.prefix(maximumCharacters)) {
      if character == " " { word = 0 } else { word += 1 }
      if word > maximumWord {
        sentence += " "
        word = 1
      }
      sentence.append(character)
      if ".!?".contains(character) {
        append(sentence, to: &sentences)
        sentence = ""
      }
    }
    append(sentence, to: &sentences)
    return sentences
  }

  /// A piece without letters or digits (a lone dot) belongs to the sentence before.
  private static func append(_ sentence: String, to sentences: inout [String]) {
    guard sentence.contains(where: { $0.isLetter || $0.isNumber }) else { return }
    // A dot inside of a number or an abbreviation does not end a sentence: it has no space behind it.
    if let last = sentences.last, last.last == ".", sentence.first != " " {
      sentences[sentences.count - 1] = last + sentence
    } else {
      sentences.append(String(sentence.drop { $0 == " " }))
    }
  }

  private static func ascii(_ text: Substring) -> String {
    var result = ""
    for character in text {
      if let replacement = replacements[character] {
        result += replacement
      } else if character.isASCII {
        result.append(character.isWhitespace || character.isNewline ? " " : character)
      } else if let plain = character.decomposed {
        result.append(plain)
      } else {
        result += " "
      }
    }
    return String(result.unicodeScalars.filter { $0.value >= 32 && $0.value < 127 }.map(Character.init))
  }
}

extension Character {
  /// The letter without its accent, for letters that have one.
  fileprivate var decomposed: Character? {
    let table: [String: String] = [
      "a": "àáâãäåāă", "c": "çćč", "e": "èéêëēėę", "i": "ìíîïī", "l": "ł", "n": "ñńň", "o": "òóôõöō",
      "s": "śš",
      "u": "ùúûüū", "y": "ýÿ", "z": "źżž",
    ]
    let lower = Character(String(self).lowercased())
    guard let entry = table.first(where: { $0.value.contains(lower) }) else { return nil }
    return Character(isUppercase ? entry.key.uppercased() : entry.key)
  }
}
