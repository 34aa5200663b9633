/// What a caller may say, as a JSGF grammar and the words in it. Pure.
struct Grammar: Hashable, Sendable {
  /// Phrases beyond these are left out: each costs time in every utterance.
  static let maximumPhrases = 400
  static let maximumWordsInPhrase = 20

  /// What people say around a phrase; it is taken off what was recognised.
  static let leads = ["hello", "hi", "uh", "um", "please", "so", "and", "well", "okay"]
  static let tails = ["please", "thank you", "thanks"]

  /// The phrases in dictionary form: lower-case words, apart by one space.
  let phrases: [String]

  init(phrases: [String]) {
    var seen = Set<String>()
    self.phrases = Array(
      phrases.map(Grammar.spoken).filter { !$0.isEmpty && seen.insert($0).inserted }.prefix(
        Grammar.maximumPhrases))
  }

  /// The grammar; words that `isKnown` refuses take their phrase with them.
  func jsgf(isKnown: (String) -> Bool) -> String? {
    func known(_ phrase: String) -> Bool { phrase.split(separator: " ").allSatisfy { isKnown(String($0)) } }
    let usable = phrases.filter(known)
    guard !usable.isEmpty else { return nil }
    let lead = Grammar.leads.filter(known).joined(separator: " | ")
    let tail = Grammar.tails.filter(known).joined(separator: " | ")
    let around = { (words: String) in words.isEmpty ? "" : "[ \(words) ]" }
    return """
      #JSGF V1.0;
      grammar agent;
      public <utterance> = \(around(lead)) <phrase> \(around(tail)) ;
      <phrase> = \(usable.joined(separator: " | ")) ;

      """
  }

  /// The phrase inside of what was recognised: without what people say around it.
  func phrase(in recognised: String) -> String {
    if phrases.contains(recognised) { return recognised }
    var words = recognised.split(separator: " ").map(String.init)
    if let first = words.first, Grammar.leads.contains(first), words.count > 1 { words.removeFirst() }
    if phrases.contains(words.joined(separator: " ")) { return words.joined(separator: " ") }
    for tail in Grammar.tails.map({ $0.split(separator: " ").map(String.init) })
    where words.count > tail.count && words.suffix(tail.count).elementsEqual(tail) {
      return words.dropLast(tail.count).joined(separator: " ")
    }
    return words.joined(separator: " ")
  }

  /// Text as it is said: lower case, numbers up to a hundred in words, nothing but letters and apostrophes.
  static func spoken(_ text: String) -> String {
    var words: [String] = []
    var word = ""
    func end() {
      if let number = Int(word) {
        words += spell(number, digits: word)
      } else if word.contains(where: \.isLetter) {
        words.append(word)
      }
      word = ""
    }
    for sentence in SpokenText.sentences(of: text) {
      for character in sentence.lowercased() {
        if character.isLetter || character.isNumber || (character == "'" && !word.isEmpty) {
          if let last = word.last, last.isNumber != character.isNumber, last != "'" { end() }
          word.append(character)
        } else {
          end()
        }
      }
      end()
    }
    return words.prefix(maximumWordsInPhrase).joined(separator: " ")
  }

  private static let units = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
  ]
  private static let tens = [
    "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
  ]

  private static func spell(_ number: Int, digits: String) -> [String] {
    if number < 20, digits.count <= 2 { return [units[number]] }
    if number < 100, digits.count <= 2 {
      return [tens[number / 10]] + (number % 10 == 0 ? [] : [units[number % 10]])
    }
    return digits.compactMap(\.wholeNumberValue).map { units[$0] }  // longer numbers are said digit by digit
  }
}
