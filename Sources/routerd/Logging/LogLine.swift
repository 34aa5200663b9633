internal import FoundationEssentials
internal import Glibc
internal import RouterCore

/// How log lines look.
enum LogForm: String, Sendable, CaseIterable, Decodable {
  /// For people: aligned, coloured on a terminal.
  case text
  /// One JSON object a line, for programs.
  case json
}

/// Writes an event as one line, with a newline at its end.
enum LogLine {
  /// `12:03:04.123 info    sip      call received  call=c-01k… from="Ann <x>"`. Times are local.
  static func text(_ event: LogEvent, coloured: Bool) -> String {
    var line = time(of: event.date)
    let level = pad(name(of: event.level), 7)
    line += " " + (coloured ? paint(level, colour(of: event.level)) : level)
    line += " " + pad(event.label, 8) + " " + escaped(event.message)
    for (key, value) in event.fields {
      let pair = "\(key)=\(quoted(value))"
      line += "  " + (coloured ? paint(pair, dim) : pair)
    }
    return line + "\n"
  }

  /// `{"time":"2026-11-21T13:50:03.120Z","level":"info","label":"sip","message":"…","call":"…"}`. Times are UTC.
  /// A field whose name is taken already, by the line itself or by a field before it, stands as `name_2`.
  static func json(_ event: LogEvent) -> String {
    var names: Set<String> = ["time", "level", "label", "message"]
    var line = "{\"time\":\"\(utc(event.date))\",\"level\":\"\(name(of: event.level))\""
    line += ",\"label\":\(jsonString(event.label)),\"message\":\(jsonString(event.message))"
    for (key, value) in event.fields {
      var key = key
      while !names.insert(key).inserted { key += "_2" }
      line += ",\(jsonString(key)):\(jsonString(value))"
    }
    return line + "}\n"
  }

  static func name(of level: LogLevel) -> String {
    switch level {
    case .debug: "debug"
    case .info: "info"
    case .notice: "notice"
    case .warning: "warning"
    case .error: "error"
    }
  }

  static func level(named name: String) -> LogLevel? { LogLevel.allCases.first { self.name(of: $0) == name } }

  /// Foreign text in a form that can neither begin a line of its own nor steer a terminal: control characters, also
  /// those of Unicode that turn the direction of writing, become `\u{…}`.
  static func escaped(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return text }  // nearly always
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where isControl(scalar): result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value >= 0x20, scalar.value < 0x7f { return false }
    return switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }

  /// A field's value: in quotes when it holds what would tear the line apart.
  static func quoted(_ value: String) -> String {
    let plain = escaped(value)
    let mustQuote =
      plain.isEmpty
      || plain.utf8.contains { $0 == 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "=") }
    guard mustQuote else { return plain }
    let mustEscape = plain.utf8.contains { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
    guard mustEscape else { return "\"" + plain + "\"" }
    return "\"" + plain.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }

  static func jsonString(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  private static func pad(_ text: String, _ width: Int) -> String {
    text.utf8.count >= width ? text : text + String(repeating: " ", count: width - text.utf8.count)
  }

  // MARK: Colours (ECMA-48 SGR)

  private static let dim = 2
  private static func paint(_ text: String, _ code: Int) -> String { "\u{1b}[\(code)m\(text)\u{1b}[0m" }
  private static func colour(of level: LogLevel) -> Int {
    switch level {
    case .debug: dim
    case .info: 32
    case .notice: 36
    case .warning: 33
    case .error: 31
    }
  }

  // MARK: Times

  private static func time(of date: Date) -> String {
    let (seconds, milliseconds) = split(date)
    var time = seconds
    var parts = tm()
    localtime_r(&time, &parts)
    return two(parts.tm_hour) + ":" + two(parts.tm_min) + ":" + two(parts.tm_sec) + "." + three(milliseconds)
  }

  private static func utc(_ date: Date) -> String {
    let (seconds, milliseconds) = split(date)
    var time = seconds
    var parts = tm()
    gmtime_r(&time, &parts)
    let day = "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    let clock = "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    return "\(day)T\(clock).\(three(milliseconds))Z"
  }

  private static func split(_ date: Date) -> (Int, Int) {
    let total = Int((date.timeIntervalSince1970 * 1000).rounded(.down))
    let milliseconds = ((total % 1000) + 1000) % 1000
    return ((total - milliseconds) / 1000, milliseconds)
  }

  private static func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
  private static func three(_ number: Int) -> String {
    number < 10 ? "00\(number)" : number < 100 ? "0\(number)" : "\(number)"
  }
}
