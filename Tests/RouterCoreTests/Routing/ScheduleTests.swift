import Testing

@testable import RouterCore

@Suite struct ScheduleTests {
  private func zone(_ name: String) throws -> TimeZoneRules {
    let file = try #require(RouteSource.systemTimeZone(name), "no \(name) in the system's database")
    return try #require(TimeZoneRules(name: name, file: file))
  }

  private func moment(_ text: String) throws -> Int {
    let time = try #require(CallTime(text))
    return time.secondsAsUTC - (time.offset ?? 0)
  }

  /// Offsets that `date` gives, on both sides of changes, in the past and after the last listed transition.
  @Test(arguments: [
    ("Europe/London", "2026-03-29T00:59Z", 0), ("Europe/London", "2026-03-29T01:00Z", 3600),
    ("Europe/London", "2026-10-25T00:59Z", 3600), ("Europe/London", "2026-10-25T01:00Z", 0),
    ("Europe/London", "2070-07-01T12:00Z", 3600), ("Europe/London", "2070-01-01T12:00Z", 0),
    ("America/New_York", "2026-03-08T06:59Z", -18000), ("America/New_York", "2026-03-08T07:00Z", -14400),
    ("America/New_York", "2026-11-01T05:59Z", -14400), ("America/New_York", "2026-11-01T06:00Z", -18000),
    ("Australia/Sydney", "2026-01-15T00:00Z", 39600), ("Australia/Sydney", "2026-07-15T00:00Z", 36000),
    ("Australia/Sydney", "2080-01-15T00:00Z", 39600), ("Australia/Lord_Howe", "2026-07-15T00:00Z", 37800),
    ("Australia/Lord_Howe", "2026-01-15T00:00Z", 39600), ("Asia/Kolkata", "2026-07-15T00:00Z", 19800),
    ("Asia/Kathmandu", "2026-07-15T00:00Z", 20700), ("UTC", "2026-07-15T00:00Z", 0),
    ("Africa/Casablanca", "2026-07-15T00:00Z", 3600),
    ("Europe/Dublin", "2060-07-01T00:00Z", 3600), ("Europe/Dublin", "2060-01-01T00:00Z", 0),
    ("America/Sao_Paulo", "2015-01-01T00:00Z", -7200), ("Pacific/Apia", "2011-12-29T12:00Z", -36000),
    ("Europe/London", "2049-03-28T00:59Z", 0), ("Europe/London", "2049-03-28T01:00Z", 3600),
    ("Europe/London", "2050-10-30T00:59Z", 3600), ("Europe/London", "2050-10-30T01:00Z", 0),
    ("Europe/London", "2051-10-29T00:59Z", 3600), ("Europe/London", "2051-10-29T01:00Z", 0),
    ("America/New_York", "2050-11-06T05:59Z", -14400), ("America/New_York", "2050-11-06T06:00Z", -18000),
    ("Australia/Sydney", "2051-04-01T15:59Z", 39600), ("Australia/Sydney", "2051-04-01T16:00Z", 36000),
    ("Europe/London", "1800-01-01T00:00Z", -75),
    ("Pacific/Apia", "2011-12-31T12:00Z", 50400), ("America/Godthab", "2060-07-01T00:00Z", -3600),
  ])
  func offsetsAreThoseOfTheDatabase(name: String, at: String, offset: Int) throws {
    #expect(try zone(name).offset(at: try moment(at)) == offset)
  }

  @Test func wallTimesAreFound() throws {
    let london = try zone("Europe/London")
    #expect(london.moment(wallTime: try moment("2026-07-01T12:00Z")) == (try moment("2026-07-01T11:00Z")))
    #expect(london.moment(wallTime: try moment("2026-01-01T12:00Z")) == (try moment("2026-01-01T12:00Z")))
    // Skipped: half past one on the day of the change is an hour later on the new clock.
    #expect(london.moment(wallTime: try moment("2026-03-29T01:30Z")) == (try moment("2026-03-29T01:30Z")))
    // Shown twice: the first showing.
    #expect(london.moment(wallTime: try moment("2026-10-25T01:30Z")) == (try moment("2026-10-25T00:30Z")))
  }

  @Test(arguments: [
    "EST5EDT,M3.2.0,M11.1.0", "<+03>-3", "IST-1GMT0,M10.5.0,M3.5.0/1", "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
    "AAA3BBB,J60/2,300",
  ])
  func rulesAreRead(text: String) { #expect(PosixZone(text) != nil) }

  @Test(arguments: [
    "", "A", "EST", "EST5EDT,", "EST5EDT,M13.1.0,M11.1.0", "EST5EDT,M3.2.0", "EST5EDT,M3.2.0,M11.1.0x",
    "<+03-3",
  ])
  func otherTextIsNoRule(text: String) { #expect(PosixZone(text) == nil) }

  @Test func brokenFilesAreNoZones() throws {
    let file = try #require(RouteSource.systemTimeZone("Europe/London"))
    for length in stride(from: 0, to: file.count - 40, by: 7) {
      #expect(TimeZoneRules(name: "x", file: Array(file.prefix(length))) == nil)
    }
    #expect(RouteSource.systemTimeZone("../../etc/passwd") == nil)
    #expect(RouteSource.systemTimeZone("/etc/passwd") == nil)
  }

  private func schedule(_ open: [String], closed: [String] = [], _ zone: String = "Europe/London") throws
    -> Schedule
  {
    Schedule(
      name: "s", zone: try self.zone(zone), open: try open.map { try OpeningHours($0) },
      closed: try closed.map { try #require(DatePattern($0)) },
      location: SourceLocation(file: "", line: 1, column: 1))
  }

  @Test(arguments: [
    (["mon-fri 09:00-17:30"], [], "2026-07-01T08:00Z", true),
    (["mon-fri 09:00-17:30"], [], "2026-07-01T07:59Z", false),
    (["mon-fri 09:00-17:30"], [], "2026-07-01T16:29Z", true),
    (["mon-fri 09:00-17:30"], [], "2026-07-01T16:30Z", false),
    (["mon-fri 09:00-17:30"], [], "2026-01-07T09:00Z", true),
    (["mon-fri 09:00-17:30"], [], "2026-07-04T12:00Z", false),
    (["mon-fri 09:00-17:30", "sat 10:00-13:00"], [], "2026-07-04T10:00Z", true),
    (["mon-fri"], ["2026-12-25"], "2026-12-25T12:00Z", false),
    (["mon-fri"], ["*-12-25"], "2031-12-25T12:00Z", false),
    (["daily"], ["2026-12-24..2027-01-02"], "2026-12-30T12:00Z", false),
    (["daily"], ["2026-12-*"], "2027-01-01T12:00Z", true),
    (["fri 22:00-02:00"], [], "2026-01-10T01:59Z", true),
    (["fri 22:00-02:00"], [], "2026-01-10T02:00Z", false),
    (["fri 22:00-02:00"], [], "2026-01-09T01:00Z", false),
    (["fri 22:00-02:00"], ["2026-01-10"], "2026-01-10T01:00Z", true),
    (["fri 22:00-02:00"], ["2026-01-09"], "2026-01-10T01:00Z", false),
    (["sat-mon 10:00-12:00"], [], "2026-07-05T09:30Z", true),
    (["sat-mon 10:00-12:00"], [], "2026-07-07T09:30Z", false),
    (["mon,wed 09:00-12:00, 13:00-17:00"], [], "2026-01-07T12:30Z", false),
    (["Monday,Wednesday 09:00-12:00, 13:00-17:00"], [], "2026-01-07T13:30Z", true),
    (["daily 00:00-24:00"], [], "2026-01-07T23:59Z", true),
  ])
  func hoursAreWallTime(open: [String], closed: [String], at: String, expected: Bool) throws {
    #expect(try schedule(open, closed: closed).isOpen(at: try moment(at)) == expected)
  }

  @Test(arguments: [
    ("mon-fri 9-17", "'9-17' are no hours"), ("mno 09:00-10:00", "'mno' is no day of the week"),
    ("", "are empty"),
    ("mon 09:00-09:00", "begins and ends at the same time"), ("mon 09:00-25:00", "are no hours"),
    ("mon-tue-wed", "are no days"),
    ("mon 24:00-01:00", "begins and ends"),
  ])
  func wrongHoursAreNamed(text: String, expected: String) {
    #expect(
      OpeningHours.fault(in: text)?.message.contains(expected) == true,
      "\(OpeningHours.fault(in: text)?.message ?? "none")")
  }

  @Test(arguments: [
    "2026-13-01", "2026-02-30", "*-2-1", "25.12.2026", "2026-12", "", "2027-01-02..2026-12-24", "*-02-30",
  ])
  func wrongDatesAreRefused(text: String) { #expect(DatePattern(text) == nil) }

  @Test func aLeapDayIsADay() {
    #expect(DatePattern("*-02-29") != nil)
    #expect(DatePattern("2027-02-29") == nil)
  }

  @Test(arguments: [
    ("2026-12-25T10:00", true), ("2026-12-25 10:00", true), ("2026-12-25T10:00:30", true),
    ("2026-12-25T10:00Z", true),
    ("2026-12-25T10:00+01:00", true), ("2026-12-25T10:00:59-05:30", true), ("2026-12-25", false),
    ("10:00", false),
    ("2026-12-25T24:30", false), ("2026-12-25T10:00:99", false), ("2026-12-25T10:00+99:00", false),
    ("T", false), ("", false),
  ])
  func callTimesAreRead(text: String, isGood: Bool) { #expect((CallTime(text) != nil) == isGood) }

  @Test func datesGoBothWays() {
    for day in stride(from: -200_000, through: 2_000_000, by: 997) {
      #expect(CivilDate(daysSince1970: day).daysSince1970 == day)
    }
    #expect(CivilDate.weekday(daysSince1970: 0) == 3)
    #expect(CivilDate.weekday(daysSince1970: -1) == 2)
  }
}
