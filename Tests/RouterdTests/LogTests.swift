import Foundation
import RouterCore
import Testing

@testable import routerd

@Suite struct LogTests {
  private func event(
    _ message: String, _ fields: [(String, String)] = [], level: LogLevel = .info, at seconds: Double = 0
  ) -> LogEvent {
    LogEvent(
      date: Date(timeIntervalSinceReferenceDate: seconds), level: level, label: "sip", message: message,
      fields: fields)
  }

  private func line(_ event: LogEvent, _ form: LogForm, isColoured: Bool = false) -> String {
    var bytes: [UInt8] = []
    LogLine.append(event, form, isColoured: isColoured, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func aLineForPeople() {
    let line = line(event("call received", [("call", "c-1"), ("from", "Ann B")]), .text)
    #expect(line.dropFirst(13) == "info    sip      call received  call=c-1  from=\"Ann B\"\n")
    #expect(line.prefix(13).last == " ")
    #expect(self.line(event("x", level: .error), .text, isColoured: true).contains("\u{1b}[31m"))
  }

  @Test(arguments: [
    ("plain", "plain"), ("two words", "\"two words\""), ("", "\"\""), ("a=b", "\"a=b\""),
    ("a\nb", "a\\nb"), ("\u{1b}[2Jx", "\\u{1b}[2Jx"), ("\u{7f}\u{9b}", "\\u{7f}\\u{9b}"),
    ("\u{202e}evil", "\\u{202e}evil"), ("say \"hi\"", "\"say \\\"hi\\\"\""), ("naïve", "naïve"),
  ])
  func foreignTextIsTamed(_ text: String, _ expected: String) {
    let line = line(event("x", [("key", text)]), .text)
    #expect(line.dropFirst(13) == "info    sip      x  key=\(expected)\n")
  }

  /// Whoever sends a long text fills no log with it, and what is left of it is text.
  @Test(arguments: LogForm.allCases) func longTextIsCut(_ form: LogForm) {
    let text = String(repeating: "é", count: 60_000)
    let line = line(event("x", [("from", text), ("to", "b")]), form)
    #expect((2000...5000).contains(line.utf8.count))
    #expect(line.contains("éé…"))
    #expect(!line.contains("\u{fffd}"))
    #expect(line.contains("to"))
  }

  @Test func aLineForPrograms() throws {
    let line = line(
      event("a \"b\"\u{1}\n", [("call", "c-1"), ("level", "x"), ("call", "c-2")], at: 0.0425), .json)
    #expect(line.filter { $0 == "\n" }.count == 1)
    let object = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
    #expect(
      object == [
        "time": "2001-01-01T00:00:00.042Z", "level": "info", "label": "sip", "message": "a \"b\"\u{1}\n",
        "call": "c-1", "level_2": "x", "call_2": "c-2",
      ])
  }

  @Test func aFloodIsCountedNotWritten() {
    var limiter = LogLimiter(lines: 3, span: 10)
    let written = (0..<1000).filter { _ in limiter.admit(event("flood", at: 1)).isAdmitted }.count
    #expect(written == 3)
    #expect(limiter.admit(event("other", at: 2)).isAdmitted)
    let (isAdmitted, reports) = limiter.admit(event("flood", at: 11.5))
    #expect(isAdmitted)
    #expect(reports.map(\.message) == ["suppressed 997 lines like: flood"])
    #expect(limiter.expire(100).isEmpty)
  }

  @Test func aFloodOfKindsIsBounded() {
    var limiter = LogLimiter(lines: 5, span: 10)
    let written = (0..<5000).filter { limiter.admit(event("kind \($0)", at: 1)).isAdmitted }.count
    #expect(written == LogLimiter.maximumKinds + 5)
    #expect(limiter.expire(20).map(\.message) == ["suppressed 3971 lines like: many kinds of lines"])
  }

  @Test func theWriterWritesAll() throws {
    let pipe = Pipe()
    let writer = LogWriter(.json, to: pipe.fileHandleForWriting.fileDescriptor)
    let log = writer.log(level: .info).with("call", "c-1")
    log.debug("not this")
    for number in 0..<100 { log.info("line \(number)") }
    writer.flush()
    try pipe.fileHandleForWriting.close()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let lines = text.split(separator: "\n")
    #expect(lines.count == 100)
    #expect(lines.allSatisfy { $0.contains("\"call\":\"c-1\"") })
    #expect(lines.last?.contains("line 99") == true)
  }
}
