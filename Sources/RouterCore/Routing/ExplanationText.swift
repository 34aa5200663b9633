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
    if !settings.isEmpty {
      lines.append("  settings:")
      lines += ResolvedSetting.lines(settings).map { "    " + $0 }
    }
    return lines
  }

  /// For programs and call records.
  public var json: JSONValue {
    var object: [String: JSONValue] = [
      "version": .string(version), "summary": .string(summary), "to": to.json, "from": from.json,
      "channel": .string(channel), "moment": .string(moment), "candidates": .array(candidates.map(\.json)),
      "targets": .array(targets.map { .string($0) }),
    ]
    object["route"] = route.map { .string($0) }
    object["location"] = location.map { .string($0) }
    if call != [:] { object["call"] = call }
    if moreCandidates > 0 { object["moreCandidates"] = .integer(moreCandidates) }
    if !limits.isEmpty { object["limits"] = .array(limits.map { .string($0) }) }
    if let closest { object["closest"] = closest.json }
    if !settings.isEmpty { object["settings"] = .array(settings.map(\.json)) }
    return .object(object)
  }
}

extension Explanation.Number {
  var words: String {
    let end = number.map { $0 == raw ? $0 : "\(raw) → \($0)" } ?? (raw.isEmpty ? "nothing" : raw)
    return steps.isEmpty ? end : "\(end)  (\(steps.joined(separator: ", ")))"
  }

  var json: JSONValue {
    var object: [String: JSONValue] = ["raw": .string(raw)]
    object["number"] = number.map { .string($0) }
    if !steps.isEmpty { object["steps"] = .array(steps.map { .string($0) }) }
    return .object(object)
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

  var json: JSONValue {
    var object: [String: JSONValue] = [
      "route": .string(route), "location": .string(location), "passed": .array(passed.map { .string($0) }),
      "matched": .bool(failure == nil),
    ]
    if priority != 0 { object["priority"] = .integer(priority) }
    if !to.isEmpty { object["to"] = .string(to) }
    if let failure {
      object["failed"] = [
        "key": .string(failure.key), "expected": .string(failure.expected), "actual": .string(failure.actual),
      ]
    }
    return .object(object)
  }
}

extension ResolvedSetting {
  public var json: JSONValue { ["path": .string(path), "value": value, "origin": .string(origin)] }

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
