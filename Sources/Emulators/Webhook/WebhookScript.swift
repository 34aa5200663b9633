/// What a scripted webhook answers to one turn.
enum WebhookStep: Hashable, Sendable {
  /// One JSON object.
  case say(String)
  /// Several, all but the last interim.
  case stream([String])
  case hangup(String)
  case transfer(String)
  case digits(String)
  /// These very bytes, with `\n`, `\r` and `\t` for what they stand for, as NDJSON.
  case raw(String)
  /// 200 and nothing.
  case empty
  case status(Int)
  /// No answer for so many milliseconds, then words.
  case slow(Int)
  /// Interim words, and no final ones.
  case cut(String)
  /// Interim words, and the connection breaks.
  case snap(String)
  /// Interim words, and no end of the answer.
  case stall(String)
  /// Interim words without an end.
  case endless
  /// One line of so many megabytes.
  case megabytes(Int)

  static let help = """
    A STEP answers one turn: say:WORDS, stream:WORDS | WORDS, hangup:WORDS, transfer:WORDS, digits:KEYS, raw:BYTES, empty,
    status:CODE, slow:MILLISECONDS, cut:WORDS (no final line), snap:WORDS (breaks the connection), stall:WORDS (no end), endless
    or megabytes:NUMBER. Without steps it repeats what was said.
    """

  /// Reads a step; `nil` for one that does not exist.
  init?(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let rest = parts.count > 1 ? parts[1] : ""
    switch parts[0] {
    case "say": self = .say(rest)
    case "stream": self = .stream(rest.split(separator: " | ").map(String.init))
    case "hangup": self = .hangup(rest)
    case "transfer": self = .transfer(rest)
    case "digits": self = .digits(rest)
    case "raw":
      self = .raw(
        rest.replacing(#"\n"#, with: "\n").replacing(#"\r"#, with: "\r").replacing(#"\t"#, with: "\t"))
    case "empty": self = .empty
    case "status":
      guard let code = Int(rest), (200...599).contains(code) else { return nil }
      self = .status(code)
    case "slow":
      guard let milliseconds = Int(rest), (0...600_000).contains(milliseconds) else { return nil }
      self = .slow(milliseconds)
    case "cut": self = .cut(rest)
    case "snap": self = .snap(rest)
    case "stall": self = .stall(rest)
    case "endless": self = .endless
    case "megabytes":
      guard let size = Int(rest), (1...100).contains(size) else { return nil }
      self = .megabytes(size)
    default: return nil
    }
  }
}
