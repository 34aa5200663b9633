/// Hours of a week: `mon-fri 09:00-17:30`, `sat,sun 10:00-12:00,14:00-16:00`, `daily 22:00-02:00`, `mon`.
struct OpeningHours: Hashable, Sendable {
  /// 0 is Monday.
  var days: Set<Int>
  /// Minutes since midnight; an end that is not after its start belongs to the next day.
  var periods: [Period]

  struct Period: Hashable, Sendable {
    var start: Int
    var end: Int
    var isOvernight: Bool { end <= start }
  }

  private static let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
  private static let longNames = [
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
  ]

  init(_ text: String) throws(TextFault) {
    let words = text.lowercased().split(separator: " ").map(String.init)
    guard let first = words.first else { throw TextFault("opening hours are empty", hint: OpeningHours.hint) }
    days = try OpeningHours.days(first)
    let hours = words.dropFirst().joined()
    periods = []
    if hours.isEmpty {
      periods = [Period(start: 0, end: 1440)]
    } else {
      for part in hours.split(separator: ",", omittingEmptySubsequences: false) {
        periods.append(try OpeningHours.period(part))
      }
    }
  }

  private static let hint = "write e.g. mon-fri 09:00-17:30"

  private static func days(_ text: String) throws(TextFault) -> Set<Int> {
    if text == "daily" { return Set(0...6) }
    var days: Set<Int> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
      guard ends.count <= 2 else { throw TextFault("'\(part)' are no days", hint: hint) }
      let first = try day(ends[0])
      let last = try day(ends[ends.count - 1])
      // `sat-mon` goes over the end of the week.
      var day = first
      days.insert(day)
      while day != last {
        day = (day + 1) % 7
        days.insert(day)
      }
    }
    return days
  }

  private static func day(_ name: String) throws(TextFault) -> Int {
    if let index = names.firstIndex(of: name) ?? longNames.firstIndex(of: name) { return index }
    if let first = name.utf8.first, first >= 0x30, first <= 0x39 {
      throw TextFault(
        "days are wanted in front, not '\(name)'",
        hint: "write daily 09:00-17:30, or daily for the whole time")
    }
    let near = Suggestion.nearest(to: name, in: names + longNames)
    throw TextFault(
      "'\(name)' is no day of the week",
      hint: near.map { "did you mean '\($0)'?" } ?? "days are mon, tue, wed, thu, fri, sat, sun and daily")
  }

  private static func period(_ text: Substring) throws(TextFault) -> Period {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count == 2, let start = ClockTime.minutes(ends[0]), let end = ClockTime.minutes(ends[1]) else {
      throw TextFault("'\(text)' are no hours", hint: "write them as 09:00-17:30, from 00:00 to 24:00")
    }
    guard start != end, start < 1440 else {
      throw TextFault(
        "'\(text)' begins and ends at the same time", hint: "for the whole day, leave the hours out")
    }
    return Period(start: start, end: end)
  }

  static func fault(in text: String) -> TextFault? {
    do {
      _ = try OpeningHours(text)
      return nil
    } catch {
      return error
    }
  }
}

/// When something is open, in the wall time of its zone.
struct Schedule: Sendable {
  var name: String
  var zone: TimeZoneRules
  var open: [OpeningHours]
  var closed: [DatePattern]
  var location: SourceLocation

  /// Whether it is open at a moment, in seconds since 1970.
  func isOpen(at moment: Int) -> Bool {
    let local = moment + zone.offset(at: moment)
    let day = local >= 0 ? local / 86400 : (local - 86399) / 86400
    let minute = (local - day * 86400) / 60
    return isOpen(day: day, minute: minute)
  }

  /// Hours past midnight belong to the day on which they begin: a Friday that is open until 02:00 is open on Saturday at
  /// 01:00, even when that Saturday is a holiday.
  private func isOpen(day: Int, minute: Int) -> Bool {
    if hasPeriod(day: day, where: { minute >= $0.start && ($0.isOvernight || minute < $0.end) }) {
      return true
    }
    return hasPeriod(day: day - 1, where: { $0.isOvernight && minute < $0.end })
  }

  private func hasPeriod(day: Int, where fits: (OpeningHours.Period) -> Bool) -> Bool {
    let weekday = CivilDate.weekday(daysSince1970: day)
    guard open.contains(where: { $0.days.contains(weekday) && $0.periods.contains(where: fits) }) else {
      return false
    }
    return !isHoliday(day)
  }

  private func isHoliday(_ day: Int) -> Bool {
    guard !closed.isEmpty else { return false }
    let date = CivilDate(daysSince1970: day)
    return closed.contains { $0.contains(date) }
  }

  /// Whether it opens on any of the `days` after a moment.
  func opens(within days: Int, after moment: Int) -> Bool {
    let first = moment / 86400
    return (first..<first + days).contains { day in hasPeriod(day: day) { _ in true } }
  }

  /// The wall time of a moment, for a trace: `Fri 2026-12-25 10:00 Europe/London`.
  func wallTime(at moment: Int) -> String {
    let local = moment + zone.offset(at: moment)
    let day = local >= 0 ? local / 86400 : (local - 86399) / 86400
    let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    let minute = (local - day * 86400) / 60
    let weekday = names[CivilDate.weekday(daysSince1970: day)]
    return "\(weekday) \(CivilDate(daysSince1970: day)) \(ClockTime.text(minute)) \(zone.name)"
  }
}
