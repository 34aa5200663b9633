internal import RouterCore

/// What an emulator tells of the wire, for a terminal: sound and marks come many times a second and say nothing to the eye.
final class WirePrinter: Sendable {
  private struct State {
    /// What was shown since something else happened.
    var kinds: Set<Substring> = []
    var more = 0
  }

  private static let longest = 200
  /// Messages of a stream that begin alike are of one kind.
  private static let alike = 24

  private let state = Lock(State())

  /// The lines to print for one message; none for one more of a kind.
  func lines(_ message: String) -> [String] {
    let kind = WirePrinter.kind(of: message)
    let isShown = state.withLock { state in
      guard let kind, !state.kinds.insert(kind).inserted else { return true }
      state.more += 1
      return false
    }
    return isShown ? message.split(separator: "\n").map { "  > " + WirePrinter.shortened($0) } : []
  }

  /// What is left to print before something else is.
  func flush() -> [String] {
    state.withLock { state in
      defer { state = State() }
      return state.more == 0 ? [] : ["  > … and \(state.more) more like these"]
    }
  }

  /// Of a message of a stream; every reply and every request is one of its own.
  private static func kind(of message: String) -> Substring? {
    if message.contains(" bytes: ") { return message.prefix { $0 != ":" } }
    return message.first == "{" ? message.prefix(alike) : nil
  }

  private static func shortened(_ line: Substring) -> String {
    line.count <= longest ? String(line) : "\(line.prefix(longest))…"
  }
}
