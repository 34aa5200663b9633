public import FoundationEssentials

/// How much a log line matters.
public enum LogLevel: Int, Sendable, Comparable, CaseIterable {
  case debug, info, notice, warning, error
  public static func < (a: LogLevel, b: LogLevel) -> Bool { a.rawValue < b.rawValue }
}

/// One event, before it is written in some form.
public struct LogEvent: Sendable {
  public var date: Date
  public var level: LogLevel
  /// Which part speaks: `sip`, `routes`, `call`.
  public var label: String
  public var message: String
  /// Key and value; a line of a call carries `call`.
  public var fields: [(String, String)]

  public init(
    date: Date = Date(), level: LogLevel, label: String, message: String, fields: [(String, String)] = []
  ) {
    self.date = date
    self.level = level
    self.label = label
    self.message = message
    self.fields = fields
  }
}

/// Writes one line for each event. A value: `log.with("call", id)` makes one that carries a field on every line.
public struct Log: Sendable {
  /// Where lines go. Must not block for long: it is called from event loops.
  public typealias Sink = @Sendable (LogEvent) -> Void

  private let sink: Sink
  private let label: String
  private let fields: [(String, String)]
  /// Lines below this are not made at all.
  public let level: LogLevel

  public init(label: String, level: LogLevel = .info, sink: @escaping Sink) {
    self.init(label: label, level: level, fields: [], sink: sink)
  }

  private init(label: String, level: LogLevel, fields: [(String, String)], sink: @escaping Sink) {
    self.label = label
    self.level = level
    self.fields = fields
    self.sink = sink
  }

  /// Writes nothing.
  public static let silent = Log(label: "", level: .error) { _ in }

  /// The same log with one more field on every line.
  public func with(_ name: String, _ value: String) -> Log {
    Log(label: label, level: level, fields: fields + [(name, value)], sink: sink)
  }

  /// The same log under another label.
  public func labelled(_ label: String) -> Log { Log(label: label, level: level, fields: fields, sink: sink) }

  /// Writes a line. Foreign text belongs into `fields`, which sinks escape.
  public func write(_ level: LogLevel, _ message: @autoclosure () -> String, _ more: [(String, String)] = [])
  {
    guard level >= self.level else { return }
    sink(LogEvent(date: Date(), level: level, label: label, message: message(), fields: fields + more))
  }

  public func debug(_ message: @autoclosure () -> String, _ fields: (String, String)...) {
    write(.debug, message(), fields)
  }
  public func info(_ message: @autoclosure () -> String, _ fields: (String, String)...) {
    write(.info, message(), fields)
  }
  public func notice(_ message: @autoclosure () -> String, _ fields: (String, String)...) {
    write(.notice, message(), fields)
  }
  public func warning(_ message: @autoclosure () -> String, _ fields: (String, String)...) {
    write(.warning, message(), fields)
  }
  public func error(_ message: @autoclosure () -> String, _ fields: (String, String)...) {
    write(.error, message(), fields)
  }
}
