public import RouterCore

/// What an emulator saw, in order, and what broke the rules of the service that it plays.
public final class EmulatorReport: Sendable {
  /// One line of the report.
  public enum Line: Sendable, Hashable {
    /// Something happened.
    case saw(String)
    /// Whoever called did what the real service would refuse.
    case violation(String)
    /// What the other side sent, word for word; only where somebody asked for it.
    case wire(String)
  }

  /// Lines beyond this many are told to `tell` and not kept.
  public static let maximumLines = 10_000

  private let kept = Lock<[Line]>([])
  private let tell: @Sendable (Line) -> Void
  private let tellsWire: Bool

  /// - Parameters:
  ///   - tellsWire: Whether ``Line/wire(_:)`` is wanted.
  ///   - tell: Hears every line at once, on the emulator's loop.
  public init(tellsWire: Bool = false, _ tell: @escaping @Sendable (Line) -> Void = { _ in }) {
    self.tellsWire = tellsWire
    self.tell = tell
  }

  /// Resolved when an emulator has done all that it was told to do of its own accord: `routerd emulate` then ends.
  public let isDone = OneShot<Void>()

  public func saw(_ text: String) { add(.saw(text)) }
  public func violation(_ text: String) { add(.violation(text)) }
  func wire(_ text: @autoclosure () -> String) { if tellsWire { add(.wire(text())) } }

  private func add(_ line: Line) {
    kept.withLock { if $0.count < EmulatorReport.maximumLines { $0.append(line) } }
    tell(line)
  }

  /// Everything so far.
  public var lines: [Line] { kept.withLock { $0 } }
  /// What was seen, in order.
  public var sights: [String] {
    lines.compactMap { if case .saw(let text) = $0 { text } else { nil } }
  }
  /// What the other side sent, in order.
  public var wire: [String] {
    lines.compactMap { if case .wire(let text) = $0 { text } else { nil } }
  }
  /// What broke the rules; a test wants none.
  public var violations: [String] {
    lines.compactMap { if case .violation(let text) = $0 { text } else { nil } }
  }
}
