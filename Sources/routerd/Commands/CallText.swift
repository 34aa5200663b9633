internal import FoundationEssentials
internal import RouterCore

/// Live calls and records for people.
enum CallText {
  /// `1 route`, `2 routes`.
  static func count(_ number: Int, _ word: String) -> String { "\(number) \(word)\(number == 1 ? "" : "s")" }

  /// The answer to `calls`.
  static func list(_ answer: JSONValue) throws -> String {
    let live = try JSON.decode([LiveCall].self, JSON.encode(answer["live"] ?? []).utf8)
    let records = try JSON.decode([CallRecord].self, JSON.encode(answer["records"] ?? []).utf8)
    var lines = live.isEmpty ? ["no live calls"] : table(live.map(row))
    if !records.isEmpty { lines += [""] + table(records.map(row)) }
    return lines.map(LogLine.escaped).joined(separator: "\n")
  }

  /// The answer to `call`.
  static func call(_ answer: JSONValue) throws -> String {
    if let live = answer["live"] {
      let call = try JSON.decode(LiveCall.self, JSON.encode(live).utf8)
      let lines = table([row(call)]) + call.transcriptTail.map(line)
      return lines.map(LogLine.escaped).joined(separator: "\n")
    }
    let record = try JSON.decode(CallRecord.self, JSON.encode(answer["record"] ?? .null).utf8)
    return details(record).map(LogLine.escaped).joined(separator: "\n")
  }

  private static func row(_ call: LiveCall) -> [String] {
    [
      call.id.text, call.state.rawValue, "\(call.from.shown) → \(call.to.shown)",
      call.route.map { "route \($0)" } ?? "",
      call.agent.map { "agent \($0)" } ?? "", StatusText.duration(Int(Date().timeIntervalSince(call.since))),
    ]
  }

  private static func row(_ record: CallRecord) -> [String] {
    [
      record.id.text, clock(record.receivedAt), "\(record.from.shown) → \(record.to.shown)",
      record.route.map { "route \($0)" } ?? "", record.agent.map { "agent \($0)" } ?? "",
      StatusText.duration(Int(record.endedAt.timeIntervalSince(record.receivedAt))),
      "\(record.end.reason.rawValue) (\(record.end.sipStatus))",
    ]
  }

  private static func details(_ record: CallRecord) -> [String] {
    var rows: [(String, String)] = [
      ("call", record.id.text), ("from", record.from.uri + (record.fromNumber.map { ", \($0)" } ?? "")),
      ("to", record.to.uri + (record.toNumber.map { ", \($0)" } ?? "")),
      ("received", record.receivedAt.formatted(.iso8601)),
      ("decision", record.decision?["summary"]?.string ?? record.decisionID ?? "none"),
      ("agent", record.agent ?? "none"),
      (
        "end",
        "\(record.end.reason.rawValue), SIP \(record.end.sipStatus), Q.850 \(record.end.q850)"
          + (record.end.text.isEmpty ? "" : ": \(record.end.text)")
      ),
    ]
    if let limit = record.decision?["limitReached"]?.string { rows.append(("limit", limit)) }
    if let answered = record.answeredAt {
      rows.append(("talked", "\(record.endedAt.timeIntervalSince(answered).rounded(toPlaces: 1)) s"))
    }
    if let audio = record.audio {
      rows.append(
        (
          "audio",
          "\(audio.codec), \(audio.packetsReceived) packets in, \(audio.packetsSent) out, "
            + "\((audio.lossFraction * 100).rounded(toPlaces: 1)) % lost, jitter \(audio.jitter.rounded(toPlaces: 1)) ms, "
            + "MOS \(audio.mos.rounded(toPlaces: 1))"
        ))
    }
    return table(rows.map { [$0.0, $0.1] }) + (record.transcript.isEmpty ? [] : [""])
      + record.transcript.map(line) + CallSteps.attempts(record.attempts) + CallSteps.timings(record.timings)
  }

  private static func line(_ entry: TranscriptEntry) -> String {
    let value = (try? JSON.value(entry)) ?? .null  // plain strings and numbers: it always works
    return "\(PhonePrinter.time(entry.at))  \(EventText.transcript(value))"
  }

  private static func clock(_ date: Date) -> String {
    date.formatted(.iso8601.year().month().day().dateSeparator(.dash).time(includingFractionalSeconds: false))
  }

  /// Rows with aligned columns.
  static func table(_ rows: [[String]]) -> [String] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        line += cell
        if column + 1 < row.count { line += String(repeating: " ", count: widths[column] - cell.count + 2) }
      }
      return line
    }
  }
}

extension Party {
  /// What a list shows: the number or name, as the network said it.
  var shown: String { isAnonymous ? "anonymous" : user.isEmpty ? uri : user }
}
