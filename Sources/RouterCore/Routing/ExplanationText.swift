extension Explanation {
  /// For a terminal: the decision first, then how it came about.
  public var lines: [String] {
    var lines = [summary, "  table \(version)"]
    lines.append("  to    \(to.words)")
    lines.append("  from  \(from.words)")
    lines.append("  by    \(channel), \(moment)")
    if candidates.isEmpty { lines.append("  no route takes this number") }
    for (number, candidate) in candidates.enumerated() { lines.append("  \(number + 1). \(candidate.words)") }
    if moreCandidates > 0 { lines.append("  … and \(moreCandidates) more") }
    if let closest, candidates.isEmpty { lines.append("  closest: \(closest.words)") }
    for (number, target) in targets.enumerated() {
      lines.append("  \(number == 0 ? "goes to" : "then") \(target)")
    }
    for limit in limits { lines.append("  limit \(limit)") }
    if let hook { lines.append("  asks first  \(hook)") }
    if !settings.isEmpty {
      lines.append("  settings:")
      lines += ResolvedSetting.lines(settings).map { "    " + $0 }
    }
    return lines
  }

  /// For programs.
  public var json: JSONValue {
    var writer = JSONWriter(capacity: 1024)
    write(to: &writer)
    return WrittenJSON(writer).value
  }

  /// For call records: the same, without making a tree.
  func write(to writer: inout JSONWriter) { writer.object(writeMembers) }

  private func writeMembers(_ writer: inout JSONWriter) {
    writer.member("version", version)
    writer.member("summary", summary)
    writer.name("to")
    writer.object(to.write)
    writer.name("from")
    writer.object(from.write)
    writer.member("channel", channel)
    writer.member("moment", moment)
    writer.name("candidates")
    writer.array { for candidate in candidates { $0.object(candidate.write) } }
    writer.member("targets", targets)
    if let route { writer.member("route", route) }
    if let location { writer.member("location", location) }
    if call != [:] { writer.member("call", call) }
    if moreCandidates > 0 { writer.member("moreCandidates", moreCandidates) }
    if !limits.isEmpty { writer.member("limits", limits) }
    if let hook { writer.member("hook", hook) }
    if let closest {
      writer.name("closest")
      writer.object(closest.write)
    }
    if !settings.isEmpty {
      writer.name("settings")
      writer.array { for setting in settings { $0.object(setting.write) } }
    }
  }
}

extension Explanation.Number {
  var words: String {
    let end = number.map { $0 == raw ? $0 : "\(raw) → \($0)" } ?? (raw.isEmpty ? "nothing" : raw)
    return steps.isEmpty ? end : "\(end)  (\(steps.joined(separator: ", ")))"
  }

  fileprivate func write(_ writer: inout JSONWriter) {
    writer.member("raw", raw)
    if let number { writer.member("number", number) }
    if !steps.isEmpty { writer.member("steps", steps) }
  }
}

extension Explanation.Candidate {
  var words: String {
    let place = route == location ? route : "\(route) (\(location))"
    let weight = priority == 0 ? "" : ", priority \(priority)"
    let what = to.isEmpty ? "any number" : "to \(to)"
    guard let failure else { return "\(place): \(what)\(weight): takes the call" }
    return "\(place): \(what)\(weight): \(failure.key) wants \(failure.expected), not \(failure.actual)"
  }

  fileprivate func write(_ writer: inout JSONWriter) {
    writer.member("route", route)
    writer.member("location", location)
    writer.member("passed", passed)
    writer.member("matched", failure == nil)
    if priority != 0 { writer.member("priority", priority) }
    if !to.isEmpty { writer.member("to", to) }
    guard let failure else { return }
    writer.name("failed")
    writer.object {
      $0.member("key", failure.key)
      $0.member("expected", failure.expected)
      $0.member("actual", failure.actual)
    }
  }
}

extension ResolvedSetting {
  public var json: JSONValue { ["path": .string(path), "value": value, "origin": .string(origin)] }

  fileprivate func write(_ writer: inout JSONWriter) {
    writer.member("path", path)
    writer.member("value", value)
    writer.member("origin", origin)
  }

  /// In columns: path, value, place.
  public static func lines(_ settings: [ResolvedSetting]) -> [String] {
    let rows = settings.map { ($0.path, JSONText.compact($0.value, limit: 60), $0.origin) }
    let paths = rows.map(\.0.count).max() ?? 0
    let values = rows.map(\.1.count).max() ?? 0
    func pad(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(0, width - text.count))
    }
    return rows.map { "\(pad($0.0, paths))  \(pad($0.1, values))  \($0.2)" }
  }
}

/// JSON in one line, for people.
enum JSONText {
  static func compact(_ value: JSONValue, limit: Int) -> String {
    let text = write(value, depth: 0)
    return text.count > limit ? text.prefix(limit - 1) + "…" : text
  }

  private static func write(_ value: JSONValue, depth: Int) -> String {
    if depth > 8 { return "…" }
    switch value {
    case .null: return "null"
    case .bool(let value): return "\(value)"
    case .integer(let value): return "\(value)"
    case .number(let value): return "\(value)"
    case .string(let value): return "\"\(value.split(whereSeparator: \.isNewline).joined(separator: " "))\""
    case .array(let elements):
      return "[" + elements.map { write($0, depth: depth + 1) }.joined(separator: ", ") + "]"
    case .object(let members):
      let parts = members.sorted { $0.key < $1.key }.map { "\($0.key): \(write($0.value, depth: depth + 1))" }
      return "{" + parts.joined(separator: ", ") + "}"
    }
  }
}
