/// Cuts a stream of bytes into lines: NDJSON, server-sent events. Pure; a character may be cut by the network.
public struct LineSplitter: Sendable {
  /// A line is longer than the limit: nothing after it is to be trusted.
  public struct LineTooLong: Error, Hashable, Sendable {}

  /// What ends a line.
  public enum Ending: Sendable {
    /// LF, with or without CR before it.
    case lineFeed
    /// LF, CR, or both (server-sent events).
    case any
  }

  private let ending: Ending
  private let maximum: Int
  private var line: [UInt8] = []
  /// The last line ended in CR: an LF that follows belongs to that end.
  private var skipsLineFeed = false

  /// - Parameter maximumLineBytes: Without the line's end.
  public init(_ ending: Ending = .lineFeed, maximumLineBytes: Int = 1 << 20) {
    self.ending = ending
    maximum = maximumLineBytes
  }

  /// Takes bytes; returns the lines that they completed, without their ends, empty ones too.
  public mutating func add(_ bytes: [UInt8]) throws(LineTooLong) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    for byte in bytes {
      if byte == UInt8(ascii: "\n") {
        if skipsLineFeed {
          skipsLineFeed = false
          continue
        }
        if ending == .lineFeed, line.last == UInt8(ascii: "\r") { line.removeLast() }
        lines.append(take())
      } else if byte == UInt8(ascii: "\r"), ending == .any {
        skipsLineFeed = true
        lines.append(take())
      } else {
        skipsLineFeed = false
        guard line.count < maximum else { throw LineTooLong() }
        line.append(byte)
      }
    }
    return lines
  }

  /// A last line without an end; `nil` when there is none.
  public mutating func rest() -> [UInt8]? {
    if ending == .lineFeed, line.last == UInt8(ascii: "\r") { line.removeLast() }
    return line.isEmpty ? nil : take()
  }

  private mutating func take() -> [UInt8] {
    defer { line.removeAll(keepingCapacity: true) }
    return line
  }
}
