internal import FoundationEssentials
internal import RouterCore

/// A call that never was, as the command line describes it.
enum WhatIfCall {
  static let channels = ["sip", "voip", "websocket", "webrtc"]

  /// The options as ``RouteSnapshot/whatIf(_:now:)`` takes them. Throws ``UsageError``.
  static func read(_ arguments: Arguments) throws(UsageError) -> JSONValue {
    func fail(_ message: String) -> UsageError { UsageError(message, command: arguments.command.name) }
    guard arguments.value("--to") != nil else { throw fail("--to is missing: the called number") }
    var call: [String: JSONValue] = [:]
    let options = [
      "--to": "to", "--from": "from", "--provider": "provider", "--trunk": "trunk",
      "--connection": "connection",
      "--source": "sourceAddress", "--language": "language", "--default-agent": "defaultAgent",
    ]
    for (option, key) in options { call[key] = arguments.value(option).map(JSONValue.string) }
    for key in ["to", "from"] { call[key] = call[key]?.string.map { .string(user(of: $0)) } }
    call["channel"] = try arguments.choice("--channel", channels).map(JSONValue.string)
    call["attestation"] = try arguments.choice("--attestation", ["A", "B", "C"]).map(JSONValue.string)
    let diversion = arguments.all("--diversion")
    if !diversion.isEmpty { call["diversion"] = .array(diversion.map { .string(user(of: $0)) }) }
    var headers: [String: [JSONValue]] = [:]
    for header in arguments.all("--header") {
      guard let colon = header.firstIndex(of: ":") else {
        throw fail("'\(header)' is no header; write 'Name: value'")
      }
      let value = header[header.index(after: colon)...].drop { $0 == " " }
      headers[String(header[..<colon]), default: []].append(.string(String(value)))
    }
    if !headers.isEmpty { call["header"] = .object(headers.mapValues(JSONValue.array)) }
    if let text = arguments.value("--at") {
      guard let date = time(text) else {
        throw fail("'\(text)' is no time; write 2026-12-25T10:00:00Z or 2026-12-25T10:00+01:00")
      }
      call["at"] = .string(date.formatted(.iso8601))
    }
    return .object(call)
  }

  /// Who a `sip:` or `tel:` URI is for; other text stands for itself.
  private static func user(of text: String) -> String {
    guard text.contains(":"), let uri = SIPURI(text) else { return text }
    return (uri.scheme == "tel" ? uri.rawUser : uri.user) ?? text
  }

  /// ISO 8601 with a zone; seconds may be missing.
  static func time(_ text: String) -> Date? {
    var text = text
    if let t = text.firstIndex(of: "T") {
      let clock = text[text.index(after: t)...].prefix { $0.isNumber || $0 == ":" }
      if clock.count == 5 { text.insert(contentsOf: ":00", at: clock.endIndex) }
    }
    // Not a time: the caller says so. One that no calendar has (30 February) would be read as another.
    guard let date = try? Date(text, strategy: .iso8601),
      let zone = text.firstIndex(where: { "Z+".contains($0) })
        ?? text.lastIndex(of: "-"), isOfTheCalendar(text[..<zone])
    else { return nil }
    return date
  }

  /// Whether a date and time without its zone is one that there is.
  private static func isOfTheCalendar(_ local: Substring) -> Bool {
    // What cannot be read is no time at all.
    guard let date = try? Date(local + "Z", strategy: .iso8601) else { return false }
    return date.formatted(.iso8601) == local + "Z"
  }
}
