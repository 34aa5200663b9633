/// One element of an XML document, read strictly: what a parser of a provider would refuse is refused. No DTD, no
/// namespaces, no processing instructions but the declaration.
public struct XMLElement: Hashable, Sendable {
  public var name: String
  public var attributes: [String: String] = [:]
  public var children: [XMLElement] = []
  /// The text directly in it.
  public var text = ""

  /// Deeper documents are refused.
  static let maximumDepth = 32

  /// Reads a whole document. Throws what is wrong with it.
  public static func parse(_ text: String) throws(EmulatorError) -> XMLElement {
    var reader = XMLReader(Array(text.unicodeScalars))
    return try reader.document()
  }
}

private struct XMLReader {
  private let text: [Unicode.Scalar]
  private var at = 0

  init(_ text: [Unicode.Scalar]) { self.text = text }

  private func fault(_ what: String) -> EmulatorError { EmulatorError("XML: \(what) at character \(at)") }

  private mutating func skipBlanks() {
    while at < text.count, text[at].properties.isWhitespace { at += 1 }
  }

  private func sees(_ word: String) -> Bool {
    let word = Array(word.unicodeScalars)
    return at + word.count <= text.count && text[at..<at + word.count].elementsEqual(word)
  }

  private mutating func take(_ word: String) throws(EmulatorError) {
    guard sees(word) else { throw fault("'\(word)' is missing") }
    at += word.unicodeScalars.count
  }

  private mutating func skip(to end: String) throws(EmulatorError) {
    while at < text.count, !sees(end) { at += 1 }
    try take(end)
  }

  mutating func document() throws(EmulatorError) -> XMLElement {
    if sees("<?xml") { try skip(to: "?>") }
    try skipComments()
    let root = try element(depth: 0)
    try skipComments()
    guard at == text.count else { throw fault("something follows the document") }
    return root
  }

  private mutating func skipComments() throws(EmulatorError) {
    skipBlanks()
    while sees("<!--") {
      try skip(to: "-->")
      skipBlanks()
    }
  }

  private mutating func name() throws(EmulatorError) -> String {
    let start = at
    while at < text.count,
      text[at].properties.isAlphabetic || "0123456789_-.:".unicodeScalars.contains(text[at])
    {
      at += 1
    }
    guard at > start else { throw fault("a name is missing") }
    return String(String.UnicodeScalarView(text[start..<at]))
  }

  private mutating func element(depth: Int) throws(EmulatorError) -> XMLElement {
    guard depth < XMLElement.maximumDepth else { throw fault("too deep") }
    try take("<")
    var element = XMLElement(name: try name())
    skipBlanks()
    while at < text.count, text[at] != ">", text[at] != "/" {
      let key = try name()
      skipBlanks()
      try take("=")
      skipBlanks()
      guard at < text.count, text[at] == "\"" || text[at] == "'" else { throw fault("a quote is missing") }
      let quote = text[at]
      at += 1
      let value = try characters { $0 == quote }
      at += 1
      guard element.attributes.updateValue(value, forKey: key) == nil else {
        throw fault("\(key) is there twice")
      }
      skipBlanks()
    }
    if sees("/>") {
      at += 2
      return element
    }
    try take(">")
    while !sees("</") {
      guard at < text.count else { throw fault("\(element.name) has no end") }
      if sees("<!--") {
        try skip(to: "-->")
      } else if text[at] == "<" {
        element.children.append(try self.element(depth: depth + 1))
      } else {
        element.text += try characters { $0 == "<" }
      }
    }
    try take("</" + element.name)
    skipBlanks()
    try take(">")
    return element
  }

  /// Text up to a character, entities resolved.
  private mutating func characters(until isEnd: (Unicode.Scalar) -> Bool) throws(EmulatorError) -> String {
    var result = String.UnicodeScalarView()
    while at < text.count, !isEnd(text[at]) {
      guard text[at] != "<" else { throw fault("'<' in a value") }
      if text[at] == "&" {
        result.append(try entity())
      } else {
        result.append(text[at])
        at += 1
      }
    }
    guard at < text.count else { throw fault("the text has no end") }
    return String(result)
  }

  private static let entities: [String: Unicode.Scalar] = [
    "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'",
  ]

  private mutating func entity() throws(EmulatorError) -> Unicode.Scalar {
    at += 1
    let start = at
    while at < text.count, at - start < 10, text[at] != ";" { at += 1 }
    let word = String(String.UnicodeScalarView(text[start..<min(at, text.count)]))
    try take(";")
    if let known = XMLReader.entities[word] { return known }
    let number =
      word.hasPrefix("#x")
      ? UInt32(word.dropFirst(2), radix: 16) : word.hasPrefix("#") ? UInt32(word.dropFirst()) : nil
    guard let scalar = number.flatMap(Unicode.Scalar.init) else { throw fault("an unknown entity &\(word);") }
    return scalar
  }
}
