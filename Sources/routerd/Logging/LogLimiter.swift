internal import FoundationEssentials
internal import RouterCore

/// Keeps a flood of one kind of line from burying the others: each label and message may write so many lines in a
/// span of time; what is above that is counted, and the count is told once.
struct LogLimiter {
  /// Lines of one kind in one span.
  let lines: Int
  /// Seconds.
  let span: Double
  /// Kinds that are counted apart; a kind above this many shares one count with all further ones.
  static let maximumKinds = 1024

  private struct Kind: Hashable {
    var label: String
    var message: String

    // By bytes: the usual comparison would bring both into a normal form of Unicode first.
    static func == (a: Kind, b: Kind) -> Bool { isSame(a.message, b.message) && isSame(a.label, b.label) }

    private static func isSame(_ a: String, _ b: String) -> Bool {
      guard a.utf8.count == b.utf8.count else { return false }
      var (a, b) = (a, b)
      return a.withUTF8 { a in b.withUTF8 { b in a.elementsEqual(b) } }
    }

    func hash(into hasher: inout Hasher) {
      var message = message
      message.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
  }
  private struct Window {
    var start: Double
    var written = 0
    var suppressed = 0
    var level: LogLevel

    /// Whether one more may be written.
    mutating func count(_ event: LogEvent, limit: Int) -> Bool {
      let isAdmitted = written < limit
      if isAdmitted { written += 1 } else { suppressed += 1 }
      level = max(level, event.level)
      return isAdmitted
    }
  }
  private var windows: [Kind: Window] = [:]
  /// When the first window ends, and when the last one began: between the two there is nothing to expire.
  private var quiet = (from: -Double.infinity, until: Double.infinity)
  private static let others = Kind(label: "log", message: "many kinds of lines")

  init(lines: Int = 1000, span: Double = 10) {
    self.lines = lines
    self.span = span
  }

  /// Whether a line may be written, and the reports of suppressed lines that are due.
  mutating func admit(_ event: LogEvent) -> (isAdmitted: Bool, reports: [LogEvent]) {
    let now = event.date.timeIntervalSinceReferenceDate
    let reports = expire(now)
    var kind = Kind(label: event.label, message: event.message)
    if let known = windows.index(forKey: kind) {
      return (windows.values[known].count(event, limit: lines), reports)
    }
    if windows.count >= LogLimiter.maximumKinds { kind = LogLimiter.others }
    let isAdmitted = windows[kind, default: Window(start: now, level: event.level)].count(event, limit: lines)
    quiet = (max(quiet.from, now), min(quiet.until, now + span))
    return (isAdmitted, reports)
  }

  /// Reports of everything that was suppressed and not told yet; for the end of the program and for quiet times.
  mutating func expire(_ now: Double) -> [LogEvent] {
    // A clock that was set back would keep a window open: then it ends now.
    if now >= quiet.from, now < quiet.until { return [] }
    let over = windows.filter { now - $0.value.start >= span || now < $0.value.start }
    var reports: [LogEvent] = []
    for (kind, window) in over {
      windows[kind] = nil
      guard window.suppressed > 0 else { continue }
      reports.append(
        LogEvent(
          date: Date(timeIntervalSinceReferenceDate: now), level: window.level, label: kind.label,
          message: "suppressed \(window.suppressed) lines like: \(kind.message)"))
    }
    let starts = windows.values.map(\.start)
    quiet = (starts.max() ?? -.infinity, (starts.min() ?? .infinity) + span)
    return reports.sorted { $0.message < $1.message }
  }
}
