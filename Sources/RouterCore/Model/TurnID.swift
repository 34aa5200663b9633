/// Names one turn of the agent within a call: all audio, text and events of the turn carry it, so what arrives late
/// for a turn that was cut off is recognised and dropped.
public struct TurnID: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
  public let number: Int
  public init(_ number: Int) { self.number = number }
  public static func < (a: TurnID, b: TurnID) -> Bool { a.number < b.number }
  /// The turn after this one.
  public var next: TurnID { TurnID(number + 1) }
  public var description: String { "turn \(number)" }
}
