internal import FoundationEssentials
internal import RouterCore

/// One object of a webhook's answer, read liberally: every field may be missing.
struct WebhookChunk: Hashable {
  var text = ""
  var hangsUp = false
  var transfers = false
  var digits = ""
  /// More follows; without it the turn is over.
  var isInterim = false

  /// `nil` for what is no JSON object: it is ignored.
  init?(_ bytes: [UInt8]) {
    // Whatever is no JSON is no answer, and no error either.
    guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)), case .object = value
    else { return nil }
    text = WebhookChunk.clean(value["text"]?.string ?? "")
    let action = value["action"]?.string?.lowercased()
    hangsUp = value["hangup"]?.bool == true || action == "hangup"
    transfers = action == "transfer"
    let keys = value["digits"] ?? value["press_digit"] ?? value["dtmf"]
    let pressed = keys?.string ?? keys?.integer.map(String.init) ?? ""
    digits = pressed.filter { "0123456789*#".contains($0) }
    isInterim = value["interim"]?.bool == true
  }

  /// Without what a language model may have left in its words: markup, and calls of tools with what is in them.
  static func clean(_ text: String) -> String {
    guard text.contains("<") else { return text }
    var clean = ""
    var rest = text[...]
    while let open = rest.firstIndex(of: "<") {
      clean += rest[..<open]
      rest = rest[open...]
      let name = rest.dropFirst().prefix { $0.isLetter || $0 == "_" || $0 == "/" }
      guard !name.isEmpty, let close = rest.firstIndex(of: ">") else {
        // A sign of comparison.
        clean.append("<")
        rest = rest.dropFirst()
        continue
      }
      rest = rest[rest.index(after: close)...]
      // What a call of a tool encloses is not meant for ears either.
      if name.hasPrefix("tool") || name.hasPrefix("function") || name.hasPrefix("invoke"),
        let end = rest.firstRange(of: "</\(name)>")
      {
        rest = rest[end.upperBound...]
      }
    }
    return clean + rest
  }
}

/// Puts the objects of an answer together from the pieces that the network brings: lines of JSON, or one JSON text
/// over several lines, whatever the answer's type says. Pure.
struct WebhookReader {
  /// Longer answers are cut off.
  static let maximumBytes = 1 << 20

  private var splitter = LineSplitter(maximumLineBytes: WebhookReader.maximumBytes)
  private var whole: [UInt8] = []
  private var last: [UInt8] = []
  /// The first line is the beginning of a text that is spread over lines.
  private var isSpread = false
  private var hasChunks = false
  /// Lines that were no objects.
  private(set) var ignored = 0

  /// Takes a piece; returns the objects that it completed.
  mutating func add(_ bytes: [UInt8]) -> [WebhookChunk] {
    whole += bytes.prefix(max(0, WebhookReader.maximumBytes - whole.count))
    do throws(LineSplitter.LineTooLong) {
      return try splitter.add(bytes).compactMap { read($0) }
    } catch {
      ignored += 1
      return []
    }
  }

  /// The answer is complete; returns what its end completed.
  mutating func end() -> [WebhookChunk] {
    if let line = splitter.rest(), let chunk = read(line) { return [chunk] }
    guard !hasChunks else { return [] }
    if let chunk = WebhookChunk(whole) { return [chunk] }
    return WebhookChunk(last).map { [$0] } ?? []
  }

  private mutating func read(_ line: [UInt8]) -> WebhookChunk? {
    guard line.contains(where: { $0 != 0x20 && $0 != 0x09 }) else { return nil }
    last = line
    if isSpread { return nil }
    if let chunk = WebhookChunk(line) {
      hasChunks = true
      return chunk
    }
    let first = line.first { $0 != 0x20 && $0 != 0x09 }
    let isOpen = first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
    // A line that is JSON by itself, but no object, is ignored.
    let isWhole = (try? JSONDecoder().decode(JSONValue.self, from: Data(line))) != nil
    if isOpen, !isWhole, !hasChunks { isSpread = true } else { ignored += 1 }
    return nil
  }
}
