internal import RouterCore

/// What an emulator tells of the wire, for a terminal: sound comes fifty times a second and says nothing to the eye.
final class WirePrinter: Sendable {
  private static let longest = 200
  /// Messages that begin alike are of one kind.
  private static let alike = 24

  private let last = Lock<(kind: Substring, more: Int)>(("", 0))

  /// The lines to print for one message; none for one more of the same kind.
  func lines(_ message: String) -> [String] {
    let isBinary = message.contains(" bytes: ")
    let kind = isBinary ? message.prefix { $0 != ":" } : message.prefix(WirePrinter.alike)
    return last.withLock { last in
      if kind == last.kind, isBinary || message.first == "{" {
        last.more += 1
        return []
      }
      defer { last = (kind, 0) }
      return rest(last.more) + message.split(separator: "\n").map { "  > " + WirePrinter.shortened($0) }
    }
  }

  /// What is left to print before something else is.
  func flush() -> [String] {
    last.withLock { last in
      defer { last = ("", 0) }
      return rest(last.more)
    }
  }

  private func rest(_ more: Int) -> [String] { more == 0 ? [] : ["  > … and \(more) more like it"] }

  private static func shortened(_ line: Substring) -> String {
    line.count <= longest ? String(line) : "\(line.prefix(longest))…"
  }
}
