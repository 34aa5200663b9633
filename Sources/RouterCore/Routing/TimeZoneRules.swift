/// A time zone of the IANA database, as the system keeps it (`/usr/share/zoneinfo`, the format TZif of RFC 9636).
///
/// FoundationEssentials has no time zones on Linux but fixed offsets, and Foundation would bring 44 MB of ICU.
struct TimeZoneRules: Hashable, Sendable {
  let name: String
  /// Moments at which the offset changes, ascending, in seconds since 1970.
  private let transitions: [Int]
  /// Offset in force from each of them on, seconds east of UTC.
  private let offsets: [Int]
  /// Offset before the first.
  private let first: Int
  /// For moments after the last.
  private let rule: PosixZone?

  static let utc = TimeZoneRules(name: "UTC", fixed: 0)

  init(name: String, fixed offset: Int) {
    self.name = name
    transitions = []
    offsets = []
    first = offset
    rule = nil
  }

  /// Seconds east of UTC at a moment, in seconds since 1970.
  func offset(at moment: Int) -> Int {
    guard let last = transitions.last else { return rule?.offset(at: moment) ?? first }
    if moment >= last { return rule?.offset(at: moment) ?? offsets[offsets.count - 1] }
    var low = 0
    var high = transitions.count
    while low < high {
      let middle = (low + high) / 2
      if transitions[middle] <= moment { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? first : offsets[low - 1]
  }

  /// The moment at which clocks show a wall time. A time that a clock shows twice is its first showing; one that it
  /// skips is as far after the change as it would be before.
  func moment(wallTime seconds: Int) -> Int {
    let before = offset(at: seconds - 86400)
    let early = seconds - before
    if offset(at: early) == before { return early }
    let late = seconds - offset(at: early)
    return offset(at: late) == offset(at: early) ? late : early
  }

  // MARK: TZif

  /// Reads a file of the database; `nil` when it is none.
  init?(name: String, file: [UInt8]) {
    var reader = BytesReader(file)
    guard let header = Header(&reader) else { return nil }
    self.name = name
    if header.version == 0 {
      guard let body = Body(&reader, header, wide: false) else { return nil }
      (transitions, offsets, first) = (body.transitions, body.offsets, body.first)
      rule = nil
      return
    }
    // Version 2 and later: the same again with 64 bits, then the rule for the years after.
    guard reader.skip(header.size(wide: false)), let second = Header(&reader),
      let body = Body(&reader, second, wide: true)
    else { return nil }
    (transitions, offsets, first) = (body.transitions, body.offsets, body.first)
    let footer = reader.rest
    guard footer.count >= 2, footer.first == 10, let end = footer.dropFirst().firstIndex(of: 10) else {
      return nil
    }
    let text = String(decoding: footer[footer.startIndex + 1..<end], as: UTF8.self)
    rule = text.isEmpty ? nil : PosixZone(text)
  }

  private struct Header {
    var version: UInt8
    var isUTCount, isStandardCount, leapCount, timeCount, typeCount, characterCount: Int

    init?(_ reader: inout BytesReader) {
      guard reader.take(4).map(Array.init) == Array("TZif".utf8), let version = reader.take(1)?.first,
        reader.skip(15), let counts = reader.integers(6)
      else { return nil }
      self.version = version
      (isUTCount, isStandardCount, leapCount) = (counts[0], counts[1], counts[2])
      (timeCount, typeCount, characterCount) = (counts[3], counts[4], counts[5])
      guard counts.allSatisfy({ $0 >= 0 && $0 < 100_000 }), typeCount > 0 else { return nil }
    }

    func size(wide: Bool) -> Int {
      let time = wide ? 8 : 4
      return timeCount * (time + 1) + typeCount * 6 + characterCount + leapCount * (time + 4)
        + isStandardCount
        + isUTCount
    }
  }

  private struct Body {
    var transitions: [Int] = []
    var offsets: [Int] = []
    var first = 0

    init?(_ reader: inout BytesReader, _ header: Header, wide: Bool) {
      for _ in 0..<header.timeCount {
        guard let time = wide ? reader.integer64() : reader.integers(1)?.first else { return nil }
        transitions.append(time)
      }
      guard let kinds = reader.take(header.timeCount).map(Array.init) else { return nil }
      var types: [(offset: Int, isDST: Bool)] = []
      for _ in 0..<header.typeCount {
        guard let offset = reader.integers(1)?.first, let flags = reader.take(2), abs(offset) < 200_000 else {
          return nil
        }
        types.append((offset, flags.first != 0))
      }
      guard reader.skip(header.characterCount + header.leapCount * (wide ? 12 : 8)),
        reader.skip(header.isStandardCount + header.isUTCount), kinds.allSatisfy({ $0 < types.count }),
        zip(transitions, transitions.dropFirst()).allSatisfy({ $0 < $1 })
      else { return nil }
      offsets = kinds.map { types[Int($0)].offset }
      first = types[0].offset  // RFC 9636 section 3.2: type 0 is for times before the first transition
    }
  }
}

/// Reads big-endian numbers, and never beyond the end.
private struct BytesReader {
  private(set) var rest: ArraySlice<UInt8>
  init(_ bytes: [UInt8]) { rest = bytes[...] }

  mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
    guard count >= 0, rest.count >= count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }

  mutating func skip(_ count: Int) -> Bool { take(count) != nil }

  /// Signed, 32 bits each.
  mutating func integers(_ count: Int) -> [Int]? {
    guard let bytes = take(4 * count) else { return nil }
    let all = Array(bytes)
    return (0..<count).map { index in
      Int(Int32(truncatingIfNeeded: all[4 * index..<4 * index + 4].reduce(0) { $0 << 8 | Int($1) }))
    }
  }

  mutating func integer64() -> Int? {
    guard let bytes = take(8) else { return nil }
    return Int(Int64(bitPattern: bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }))
  }
}
