/// Words of a text, in the form in which they are compared.
enum Words {
  /// Numbers up to here have words of their own; longer ones are said digit by digit.
  static let highestSpelled = 99

  /// Lower-case words without punctuation, numbers in words.
  static func of(_ text: String) -> [String] {
    var words: [String] = []
    var word = ""
    func end() {
      if let number = Int(word), number >= 0 {
        words +=
          (number <= highestSpelled && word.count <= 2)
          ? spell(number).split(separator: " ").map(String.init)
          : word.compactMap(\.wholeNumberValue).map { spell($0) }
      } else if word.contains(where: { $0.isLetter || $0.isNumber }) {
        words.append(word)
      }
      word = ""
    }
    for character in text.lowercased() {
      if character.isLetter || character.isNumber {
        if let last = word.last, last.isNumber != character.isNumber { end() }
        word.append(character)
      } else if character == "'" || character == "’" {
        continue  // "what's" and "whats" are one word
      } else {
        end()
      }
    }
    end()
    return words
  }

  private static let units = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
  ]
  private static let tens = [
    "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
  ]

  /// A number from 0 to 99 in words.
  static func spell(_ number: Int) -> String {
    if units.indices.contains(number) { return units[number] }
    guard (20...highestSpelled).contains(number) else { return "\(number)" }
    return number % 10 == 0 ? tens[number / 10] : "\(tens[number / 10]) \(units[number % 10])"
  }

  /// The number that the words are, from 0 to 99.
  static func number(_ words: [String]) -> Int? {
    guard (1...2).contains(words.count) else { return nil }
    let text = words.joined(separator: " ")
    return (0...highestSpelled).first { spell($0) == text }
  }

  /// How alike two texts are: 1 for the same words, 0 for none in common. Words that every question has count little.
  static func likeness(_ heard: [String], _ phrase: [String]) -> Double {
    if heard == phrase { return heard.isEmpty ? 0 : 1 }
    if heard.isEmpty || phrase.isEmpty { return 0 }
    if phrase.count > 1, contains(heard, phrase) { return 0.95 }  // "uh, when are you open please"
    var left: [String: Int] = [:]
    for word in phrase { left[word, default: 0] += 1 }
    var common = 0.0
    for word in heard where left[word, default: 0] > 0 {
      left[word, default: 0] -= 1
      common += weight(word)
    }
    let all = heard.reduce(0) { $0 + weight($1) } + phrase.reduce(0) { $0 + weight($1) }
    return all > 0 ? 0.9 * 2 * common / all : 0
  }

  private static func contains(_ words: [String], _ part: [String]) -> Bool {
    guard words.count >= part.count else { return false }
    return (0...(words.count - part.count)).contains { words[$0..<($0 + part.count)].elementsEqual(part) }
  }

  private static let common: Set<String> = [
    "a", "an", "the", "is", "are", "am", "do", "does", "did", "you", "your", "i", "my", "me", "we", "can",
    "could",
    "to", "of", "in", "on", "at", "it", "for", "please", "uh", "um", "hello", "hi", "have", "there", "be",
    "would",
  ]
  private static let asking: Set<String> = [
    "what", "how", "when", "where", "who", "which", "why", "much", "many",
  ]

  private static func weight(_ word: String) -> Double {
    common.contains(word) ? 0.2 : asking.contains(word) ? 0.6 : 1
  }

  /// Without space at either end.
  static func trimmed(_ text: String) -> String {
    var text = text[...]
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
