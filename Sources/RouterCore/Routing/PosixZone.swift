/// The rule for the years that a zone's file does not list, in the notation of POSIX (`GMT0BST,M3.5.0/1,M10.5.0`;
/// IEEE 1003.1 section 8.3, with the extensions of RFC 9636 section 3.3.1).
struct PosixZone: Hashable, Sendable {
  /// A day of every year, and the seconds after its midnight.
  struct Change: Hashable, Sendable {
    enum Day: Hashable, Sendable {
      /// Month, week (5 is the last), weekday (0 is Sunday).
      case weekday(month: Int, week: Int, day: Int)
      /// 1…365, no 29th of February.
      case julian(Int)
      /// 0…365, with it.
      case ofYear(Int)
    }
    var day: Day
    var seconds: Int
  }

  /// Seconds east of UTC.
  private let standard: Int
  private let saving: (offset: Int, start: Change, end: Change)?

  static func == (a: PosixZone, b: PosixZone) -> Bool {
    a.standard == b.standard && a.saving?.offset == b.saving?.offset && a.saving?.start == b.saving?.start
      && a.saving?.end == b.saving?.end
  }
  func hash(into hasher: inout Hasher) { hasher.combine(standard) }

  /// `nil` when the text is no such rule.
  init?(_ text: String) {
    var parser = PosixZoneParser(text)
    guard parser.name(), let offset = parser.time() else { return nil }
    standard = -offset  // POSIX counts west of Greenwich
    if parser.isAtEnd {
      saving = nil
      return
    }
    guard parser.name() else { return nil }
    var shifted = standard + 3600
    if !parser.isNext(",") {
      guard let offset = parser.time() else { return nil }
      shifted = -offset
    }
    guard parser.take(","), let start = parser.change(), parser.take(","), let end = parser.change(),
      parser.isAtEnd
    else { return nil }
    saving = (shifted, start, end)
  }

  /// Seconds east of UTC at a moment, in seconds since 1970.
  func offset(at moment: Int) -> Int {
    guard let saving else { return standard }
    let local = moment + standard
    let year = CivilDate(daysSince1970: local >= 0 ? local / 86400 : (local - 86399) / 86400).year
    // The start is written in standard time, the end in saving time.
    let start = saving.start.moment(in: year) - standard
    let end = saving.end.moment(in: year) - saving.offset
    let isSaving = start < end ? moment >= start && moment < end : !(moment >= end && moment < start)
    return isSaving ? saving.offset : standard
  }
}

extension PosixZone.Change {
  /// Seconds since 1970 of the wall clock that is in force before it.
  func moment(in year: Int) -> Int {
    let newYear = CivilDate(year: max(1, min(9999, year)), month: 1, day: 1)?.daysSince1970 ?? 0
    let days: Int
    switch day {
    case .ofYear(let number): days = newYear + number
    case .julian(let number): days = newYear + number - 1 + (CivilDate.isLeap(year) && number >= 60 ? 1 : 0)
    case .weekday(let month, let week, let day):
      let first = CivilDate(year: max(1, min(9999, year)), month: month, day: 1)?.daysSince1970 ?? 0
      // `CivilDate` counts from Monday, POSIX from Sunday.
      let weekdayOfFirst = (CivilDate.weekday(daysSince1970: first) + 1) % 7
      var date = (day - weekdayOfFirst + 7) % 7 + (week - 1) * 7
      while date >= CivilDate.days(in: month, of: year) { date -= 7 }
      days = first + date
    }
    return days * 86400 + seconds
  }
}

private struct PosixZoneParser {
  private var rest: Substring
  init(_ text: String) { rest = text[...] }

  var isAtEnd: Bool { rest.isEmpty }
  func isNext(_ character: Character) -> Bool { rest.first == character }

  mutating func take(_ character: Character) -> Bool {
    guard rest.first == character else { return false }
    rest.removeFirst()
    return true
  }

  /// Three letters or more, or anything in `<…>`.
  mutating func name() -> Bool {
    if take("<") {
      guard let end = rest.firstIndex(of: ">") else { return false }
      rest = rest[rest.index(after: end)...]
      return true
    }
    let letters = rest.prefix { $0.isASCII && $0.isLetter }
    rest = rest.dropFirst(letters.count)
    return letters.count >= 3
  }

  mutating func number() -> Int? {
    let digits = rest.prefix { $0.isASCII && $0.isNumber }
    guard (1...4).contains(digits.count) else { return nil }
    rest = rest.dropFirst(digits.count)
    return Int(digits)
  }

  /// `[+-]hh[:mm[:ss]]` in seconds; hours up to 167.
  mutating func time() -> Int? {
    let sign = take("-") ? -1 : 1
    if sign == 1 { _ = take("+") }
    guard let hours = number(), hours <= 167 else { return nil }
    var seconds = hours * 3600
    if take(":") {
      guard let minutes = number(), minutes < 60 else { return nil }
      seconds += minutes * 60
      if take(":") {
        guard let more = number(), more < 60 else { return nil }
        seconds += more
      }
    }
    return sign * seconds
  }

  /// `M3.5.0/1`, `J60`, `59`.
  mutating func change() -> PosixZone.Change? {
    let day: PosixZone.Change.Day
    if take("M") {
      guard let month = number(), (1...12).contains(month), take("."), let week = number(),
        (1...5).contains(week),
        take("."), let weekday = number(), weekday < 7
      else { return nil }
      day = .weekday(month: month, week: week, day: weekday)
    } else if take("J") {
      guard let number = number(), (1...365).contains(number) else { return nil }
      day = .julian(number)
    } else {
      guard let number = number(), number < 366 else { return nil }
      day = .ofYear(number)
    }
    guard take("/") else { return PosixZone.Change(day: day, seconds: 2 * 3600) }
    guard let seconds = time() else { return nil }
    return PosixZone.Change(day: day, seconds: seconds)
  }
}
