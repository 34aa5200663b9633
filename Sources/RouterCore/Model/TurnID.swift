/// Names one turn of the agent within a call: all audio, text and events of the turn carry it, so what arrives late
/// for a turn that was cut off is recognised and dropped.
///
/// The engine's own words ("One moment, please.") are interjections: they stand between two turns of a session, so
/// that a session which numbers its turns knows nothing of them.
public struct TurnID: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let number: Int
  /// 0 for a turn of a session; an interjection of the engine after that turn has 1, 2, ….
  public let interjection: Int

  public init(_ number: Int) { self.init(number, interjection: 0) }

  init(_ number: Int, interjection: Int) {
    self.number = number
    self.interjection = interjection
  }

  public static func < (a: TurnID, b: TurnID) -> Bool {
    a.number == b.number ? a.interjection < b.interjection : a.number < b.number
  }

  /// The session's turn after this one; the last number there is has none and stays.
  public var next: TurnID { TurnID(number == .max ? number : number + 1) }

  /// What the engine says after this turn and before the next one.
  var followingInterjection: TurnID {
    TurnID(number, interjection: interjection == .max ? interjection : interjection + 1)
  }

  public var isInterjection: Bool { interjection > 0 }

  public var description: String { isInterjection ? "turn \(number).\(interjection)" : "turn \(number)" }
}

extension TurnID: Codable {
  private enum CodingKeys: CodingKey { case number, interjection }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      try values.decode(Int.self, forKey: .number),
      interjection: try values.decodeIfPresent(Int.self, forKey: .interjection) ?? 0)
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(number, forKey: .number)
    if isInterjection { try values.encode(interjection, forKey: .interjection) }
  }
}
