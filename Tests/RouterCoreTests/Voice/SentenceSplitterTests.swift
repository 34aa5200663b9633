import Testing

@testable import RouterCore

extension String {
  /// Without the space around it: where space between two sentences belongs is a matter of timing.
  fileprivate var spoken: Substring {
    var text = self[...]
    while text.last?.isWhitespace == true { text.removeLast() }
    while text.first?.isWhitespace == true { text.removeFirst() }
    return text
  }
}

@Suite struct SentenceSplitterTests {
  private func split(_ pieces: [String]) -> [String] {
    var splitter = SentenceSplitter()
    var sentences: [String] = []
    for piece in pieces {
      splitter.add(piece)
      while let sentence = splitter.next() { sentences.append(sentence) }
    }
    if let rest = splitter.rest() { sentences.append(rest) }
    return sentences
  }

  @Test(arguments: [
    ("", []),
    ("Hello", ["Hello"]),
    ("Hello. How are you? Fine!", ["Hello. ", "How are you? ", "Fine!"]),
    ("Dr. Smith is in. Mr. A. Jones is not.", ["Dr. Smith is in. ", "Mr. A. Jones is not."]),
    ("It costs 3.50 dollars. Cheap.", ["It costs 3.50 dollars. ", "Cheap."]),
    ("1. First. 2. Second.", ["1. First. ", "2. Second."]),
    ("We open at 9. Come in.", ["We open at 9. ", "Come in."]),
    ("... Well? ?! Yes", ["... Well? ", "?! Yes"]),
    ("one\ntwo\n\nthree", ["one\n", "two\n\n", "three"]),
    ("そうです。はい。", ["そうです。", "はい。"]),
    ("\"Yes!\" she said. (No.) Well.", ["\"Yes!\" ", "she said. ", "(No.) ", "Well."]),
    ("هل أنت هناك؟ نعم.", ["هل أنت هناك؟ ", "نعم."]),
    ("नमस्ते। आप कैसे हैं? ठीक।", ["नमस्ते। ", "आप कैसे हैं? ", "ठीक।"]),
    ("好！真的？是。", ["好！", "真的？", "是。"]),
    ("Das kostet ca. 3,50 Euro, d.h. wenig. Gut.", ["Das kostet ca. 3,50 Euro, d.h. wenig. ", "Gut."]),
    ("one\r\ntwo", ["one\r\n", "two"]),
    ("What? I. No.", ["What? ", "I. ", "No."]),
  ])
  func sentences(_ text: String, _ expected: [String]) {
    #expect(split([text]) == expected)
    let letters = text.map { String($0) }
    #expect(split(letters).map(\.spoken) == expected.map(\.spoken), "letter by letter")
    #expect(split(letters).joined() == text)
  }

  @Test func aSentenceIsReadyAsSoonAsItIsComplete() {
    var splitter = SentenceSplitter()
    splitter.add("We are open.")
    #expect(splitter.next() == nil)
    splitter.add(" From")
    #expect(splitter.next() == "We are open. ")
    #expect(splitter.next() == nil)
  }

  @Test func longTextIsCut() {
    let words = String(repeating: "word ", count: 1000)
    let letters = String(repeating: "a", count: 5000)
    let commas = String(repeating: "one two, ", count: 600)
    for text in [words, letters, commas, words + "end. Next."] {
      let pieces = split([text])
      #expect(pieces.joined() == text)
      #expect(pieces.allSatisfy { $0.count <= SentenceSplitter.longest })
    }
  }
}
