/// A date of the calendar, without a time zone.
struct CivilDate: Hashable, Sendable, Comparable, CustomStringConvertible {
  var year: Int
  var month: Int
  var day: Int

  /// `nil` for days that do not exist.
  init?(year: Int, month: Int, day: Int) {
    guard (1...9999).contains(year), (1...12).contains(month),
      (1...CivilDate.days(in: month, of: year)).contains(day)
    else { return nil }
    (self.year, self.month, self.day) = (year, month, day)
  }

  /// From days since 1970-01-01 (proleptic Gregorian; the algorithm is Howard Hinnant's `civil_from_days`).
  init(daysSince1970 days: Int) {
    let z = days + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shifted + 2) / 5 + 1
    month = shifted < 10 ? shifted + 3 : shifted - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  /// The inverse (`days_from_civil`).
  var daysSince1970: Int {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  /// 0 is Monday.
  static func weekday(daysSince1970 days: Int) -> Int { ((days + 3) % 7 + 7) % 7 }

  static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

  static func days(in month: Int, of year: Int) -> Int {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  static func < (a: CivilDate, b: CivilDate) -> Bool { a.daysSince1970 < b.daysSince1970 }

  var description: String { "\(year)-\(two(month))-\(two(day))" }
}

func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

/// The moment of a test call: `2026-12-25T10:00`, with seconds and an offset if wanted.
struct CallTime: Hashable, Sendable {
  var date: CivilDate
  /// Seconds since midnight.
  var seconds: Int
  /// Seconds east of UTC; `nil` when no offset was written.
  var offset: Int?

  init?(_ text: String) {
    let parts = text.split(separator: text.contains("T") ? "T" : " ", omittingEmptySubsequences: false)
    guard parts.count == 2, let date = DatePattern.exactDate(parts[0]) else { return nil }
    self.date = date
    var time = parts[1]
    if time.hasSuffix("Z") {
      offset = 0
      time.removeLast()
    } else if let sign = time.lastIndex(where: { $0 == "+" || $0 == "-" }) {
      guard let minutes = ClockTime.minutes(time[time.index(after: sign)...]), minutes <= 14 * 60 else {
        return nil
      }
      offset = (time[sign] == "-" ? -60 : 60) * minutes
      time = time[..<sign]
    }
    var extra = 0
    if time.split(separator: ":").count == 3, let colon = time.lastIndex(of: ":") {
      let digits = time[time.index(after: colon)...]
      guard digits.utf8.count == 2, let value = Int(digits), (0...59).contains(value) else { return nil }
      extra = value
      time = time[..<colon]
    }
    guard let minutes = ClockTime.minutes(time), minutes < 1440 else { return nil }
    seconds = minutes * 60 + extra
  }

  static func fault(in text: String) -> TextFault? {
    CallTime(text) != nil
      ? nil
      : TextFault(
        "'\(text)' is no date and time", hint: "write e.g. 2026-12-25T10:00 or 2026-12-25T10:00+01:00")
  }

  /// Seconds since 1970 if this were UTC.
  var secondsAsUTC: Int { date.daysSince1970 * 86400 + seconds }
}

/// `17:30`.
enum ClockTime {
  /// Minutes since midnight, 0…1440; `nil` for anything else than two digits, a colon and two digits.
  static func minutes(_ text: some StringProtocol) -> Int? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, (1...2).contains(parts[0].utf8.count), parts[1].utf8.count == 2,
      parts.allSatisfy({ $0.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } }),
      let hours = Int(parts[0]), let minutes = Int(parts[1]), minutes < 60, hours * 60 + minutes <= 1440
    else { return nil }
    return hours * 60 + minutes
  }

  static func text(_ minutes: Int) -> String { "\(two(minutes / 60)):\(two(minutes % 60))" }
}

/// Days: `2026-12-25`, `*-01-01`, `2026-12-*`, `2026-12-24..2027-01-02`.
enum DatePattern: Hashable, Sendable {
  case parts(year: Int?, month: Int?, day: Int?)
  case range(CivilDate, CivilDate)

  init?(_ text: String) {
    if let dots = text.firstRange(of: "..") {
      guard let from = DatePattern.exactDate(text[..<dots.lowerBound]),
        let to = DatePattern.exactDate(text[dots.upperBound...]), from <= to
      else { return nil }
      self = .range(from, to)
      return
    }
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, let year = DatePattern.part(parts[0], digits: 4),
      let month = DatePattern.part(parts[1], digits: 2), let day = DatePattern.part(parts[2], digits: 2)
    else { return nil }
    // 2024 was a leap year: a 29th of February of any year is a day.
    guard CivilDate(year: year ?? 2024, month: month ?? 1, day: day ?? 1) != nil else { return nil }
    self = .parts(year: year, month: month, day: day)
  }

  /// A number of some digits, or `*` as `.some(nil)`.
  private static func part(_ text: Substring, digits: Int) -> Int?? {
    if text == "*" { return .some(nil) }
    guard text.utf8.count == digits, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
    return Int(text).map { .some($0) }
  }

  static func exactDate(_ text: Substring) -> CivilDate? {
    guard case .parts(let year?, let month?, let day?) = DatePattern(String(text)) else { return nil }
    return CivilDate(year: year, month: month, day: day)
  }

  static func fault(in text: String) -> TextFault? {
    DatePattern(text) != nil
      ? nil
      : TextFault(
        "'\(text)' is no date",
        hint: "write e.g. 2026-12-25, *-01-01 for every year, or 2026-12-24..2027-01-02")
  }

  func contains(_ date: CivilDate) -> Bool {
    switch self {
    case .parts(let year, let month, let day):
      (year ?? date.year) == date.year && (month ?? date.month) == date.month && (day ?? date.day) == date.day
    case .range(let from, let to): from <= date && date <= to
    }
  }
}
