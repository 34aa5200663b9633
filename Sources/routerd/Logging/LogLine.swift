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
  /// Bytes of one field's value; foreign text stands in fields, and nobody fills the log with it.
  static let maximumValue = 2048

  /// - Parameter isColoured: Only text is.
  static func append(_ event: LogEvent, _ form: LogForm, isColoured: Bool = false, to bytes: inout [UInt8]) {
    switch form {
    case .text: appendText(event, isColoured, to: &bytes)
    case .json: appendJSON(event, to: &bytes)
    }
    bytes.append(UInt8(ascii: "\n"))
  }

  /// `12:03:04.123 info    sip      call received  call=c-01k… from="Ann <x>"`. Times are local.
  private static func appendText(_ event: LogEvent, _ isColoured: Bool, to line: inout [UInt8]) {
    appendTime(of: event.date, to: &line)
    line += " ".utf8
    colour(isColoured ? colour(of: event.level) : nil, &line) {
      appendPadded(name(of: event.level), 7, to: &$0)
    }
    line += " ".utf8
    appendPadded(event.label, 8, to: &line)
    line += " ".utf8
    appendEscaped(event.message, to: &line)
    for (key, value) in event.fields {
      line += "  ".utf8
      colour(isColoured ? dim : nil, &line) { line in
        line += key.utf8
        line += "=".utf8
        appendQuoted(value.cut(to: maximumValue), to: &line)
      }
    }
  }

  /// `{"time":"2026-11-21T13:50:03.120Z","level":"info","label":"sip","message":"…","call":"…"}`. Times are UTC.
  /// A field whose name is taken already, by the line itself or by a field before it, stands as `name_2`.
  private static func appendJSON(_ event: LogEvent, to line: inout [UInt8]) {
    var names: Set<String> = ["time", "level", "label", "message"]
    line += "{\"time\":\"".utf8
    appendUTC(event.date, to: &line)
    line += "\",\"level\":\"".utf8
    line += name(of: event.level).utf8
    line += "\",\"label\":".utf8
    JSONWriter.quote(event.label, to: &line)
    line += ",\"message\":".utf8
    JSONWriter.quote(event.message, to: &line)
    for (key, value) in event.fields {
      var key = key
      while !names.insert(key).inserted { key += "_2" }
      line += ",".utf8
      JSONWriter.quote(key, to: &line)
      line += ":".utf8
      JSONWriter.quote(value.cut(to: maximumValue), to: &line)
    }
    line += "}".utf8
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

  private static func appendEscaped(_ text: String, to line: inout [UInt8]) {
    if isPlain(text) { line += text.utf8 } else { line += escaped(text).utf8 }
  }

  /// Whether a text holds printable ASCII only, as nearly all do.
  private static func isPlain(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      for byte in bytes where byte < 0x20 || byte >= 0x7f { return false }
      return true
    }
  }

  /// A field's value: in quotes when it holds what would tear the line apart.
  private static func appendQuoted(_ value: String, to line: inout [UInt8]) {
    var plain = isPlain(value) ? value : escaped(value)
    plain.withUTF8 { bytes in
      var mustQuote = bytes.isEmpty
      for byte in bytes where byte == 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "=") {
        mustQuote = true
      }
      guard mustQuote else { return line += bytes }
      line.append(UInt8(ascii: "\""))
      let mustEscape = bytes.contains { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
      for byte in bytes {
        if mustEscape, byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
          line.append(UInt8(ascii: "\\"))
        }
        line.append(byte)
      }
      line.append(UInt8(ascii: "\""))
    }
  }

  private static func appendPadded(_ text: String, _ width: Int, to line: inout [UInt8]) {
    line += text.utf8
    for _ in text.utf8.count..<max(width, text.utf8.count) { line.append(0x20) }
  }

  // MARK: Colours (ECMA-48 SGR)

  private static let dim = 2
  private static func colour(_ code: Int?, _ line: inout [UInt8], _ body: (inout [UInt8]) -> Void) {
    guard let code else { return body(&line) }
    line += "\u{1b}[\(code)m".utf8
    body(&line)
    line += "\u{1b}[0m".utf8
  }

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

  private static func appendTime(of date: Date, to line: inout [UInt8]) {
    let (seconds, milliseconds) = split(date)
    var time = seconds
    var parts = tm()
    localtime_r(&time, &parts)
    appendClock(parts, milliseconds, to: &line)
  }

  private static func appendUTC(_ date: Date, to line: inout [UInt8]) {
    let (seconds, milliseconds) = split(date)
    var time = seconds
    var parts = tm()
    gmtime_r(&time, &parts)
    appendDigits(Int(parts.tm_year) + 1900, 4, to: &line)
    line += "-".utf8
    appendDigits(Int(parts.tm_mon) + 1, 2, to: &line)
    line += "-".utf8
    appendDigits(Int(parts.tm_mday), 2, to: &line)
    line += "T".utf8
    appendClock(parts, milliseconds, to: &line)
    line += "Z".utf8
  }

  /// `12:03:04.123`.
  private static func appendClock(_ parts: tm, _ milliseconds: Int, to line: inout [UInt8]) {
    appendDigits(Int(parts.tm_hour), 2, to: &line)
    line += ":".utf8
    appendDigits(Int(parts.tm_min), 2, to: &line)
    line += ":".utf8
    appendDigits(Int(parts.tm_sec), 2, to: &line)
    line += ".".utf8
    appendDigits(milliseconds, 3, to: &line)
  }

  private static func split(_ date: Date) -> (Int, Int) {
    let total = Int((date.timeIntervalSince1970 * 1000).rounded(.down))
    let milliseconds = ((total % 1000) + 1000) % 1000
    return ((total - milliseconds) / 1000, milliseconds)
  }

  private static func appendDigits(_ number: Int, _ count: Int, to line: inout [UInt8]) {
    var divisor = 1
    for _ in 1..<count { divisor *= 10 }
    while divisor > 0 {
      line.append(0x30 + UInt8(number / divisor % 10))
      divisor /= 10
    }
  }
}
