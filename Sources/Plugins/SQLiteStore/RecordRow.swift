internal import FoundationEssentials
internal import RouterCore

/// A call record as a row of the table `calls`. What has structure is JSON, in the form that `Codable` reads.
enum RecordRow {
  static let columns = [
    "id", "received_at", "answered_at", "ended_at", "channel", "provider", "trunk", "connection",
    "foreign_id",
    "source_ip", "source_port", "from_uri", "from_user", "from_host", "from_name", "from_anonymous",
    "from_number", "to_uri", "to_user", "to_host", "to_name", "to_anonymous", "to_number", "decision_id",
    "route", "snapshot_version", "agent", "end_reason", "end_status", "end_q850", "end_text",
    "end_retry_after",
    "transcript", "audio", "decision", "attempts", "timings", "external_client",
  ]

  static let insert =
    "INSERT OR REPLACE INTO calls (\(columns.joined(separator: ", "))) VALUES ("
    + columns.map { _ in "?" }.joined(separator: ", ") + ")"

  static let select = "SELECT \(columns.joined(separator: ", ")) FROM calls"

  static func values(_ record: CallRecord) -> [SQLiteValue] {
    [
      .text(record.id.text), .real(record.receivedAt.timeIntervalSince1970),
      record.answeredAt.map { .real($0.timeIntervalSince1970) } ?? .null,
      .real(record.endedAt.timeIntervalSince1970), .text(record.channel.rawValue), text(record.provider),
      text(record.trunk), text(record.connection), text(record.foreignID), text(record.sourceAddress?.ip),
      integer(record.sourceAddress.map { Int($0.port) }),
    ] + party(record.from, record.fromNumber) + party(record.to, record.toNumber) + [
      text(record.decisionID), text(record.route), text(record.snapshotVersion), text(record.agent),
      .text(record.end.reason.rawValue), .integer(record.end.sipStatus), .integer(record.end.q850),
      .text(record.end.text), integer(record.end.retryAfter),
      record.transcript.isEmpty ? .text("[]") : list(record.transcript, write),
      record.audio.map { audio in json { $0.object { write(audio, &$0) } } } ?? .null,
      record.decision.map { .utf8($0.bytes) } ?? .null,
      record.attempts.isEmpty ? .null : list(record.attempts, write),
      record.timings.isEmpty ? .null : list(record.timings, write),
      text(record.externalClientID),
    ]
  }

  private static func text(_ value: String?) -> SQLiteValue { value.map(SQLiteValue.text) ?? .null }
  private static func integer(_ value: Int?) -> SQLiteValue { value.map(SQLiteValue.integer) ?? .null }

  private static func party(_ party: Party, _ number: String?) -> [SQLiteValue] {
    [
      .text(party.uri), .text(party.user), .text(party.host), text(party.displayName),
      .integer(party.isAnonymous ? 1 : 0), text(number),
    ]
  }

  // By hand, because `JSONEncoder` takes ten times as long, and every call passes here. A test holds both together.

  private static func json(_ write: (inout JSONWriter) -> Void) -> SQLiteValue {
    var writer = JSONWriter()
    write(&writer)
    return .utf8(writer.bytes)
  }

  private static func list<Element>(
    _ elements: [Element], _ write: (Element, inout JSONWriter) -> Void
  ) -> SQLiteValue {
    json { $0.array { writer in for element in elements { writer.object { write(element, &$0) } } } }
  }

  private static func write(_ entry: TranscriptEntry, _ writer: inout JSONWriter) {
    writer.member("speaker", entry.speaker.rawValue)
    writer.member("kind", entry.kind.rawValue)
    writer.member("text", entry.text)
    writer.member("at", entry.at)
    writer.member("wasInterrupted", entry.wasInterrupted)
    if let turn = entry.turn { write(turn, &writer) }
    if let confidence = entry.confidence { writer.member("confidence", confidence) }
  }

  private static func write(_ turn: TurnID, _ writer: inout JSONWriter) {
    writer.name("turn")
    writer.object {
      $0.member("number", turn.number)
      if turn.isInterjection { $0.member("interjection", turn.interjection) }
    }
  }

  private static func write(_ attempt: AgentAttempt, _ writer: inout JSONWriter) {
    writer.member("agent", attempt.agent)
    writer.member("provider", attempt.provider)
    writer.member("at", attempt.at)
    if let failedAt = attempt.failedAt { writer.member("failedAt", failedAt) }
    if let reason = attempt.reason { writer.member("reason", reason) }
    if let message = attempt.message { writer.member("message", message) }
  }

  private static func write(_ timing: TurnTiming, _ writer: inout JSONWriter) {
    write(timing.turn, &writer)
    if let agent = timing.agent { writer.member("agent", agent) }
    if let time = timing.callerStopped { writer.member("callerStopped", time) }
    if let time = timing.turnDetected { writer.member("turnDetected", time) }
    if let time = timing.firstToken { writer.member("firstToken", time) }
    if let time = timing.firstAudio { writer.member("firstAudio", time) }
    if let time = timing.firstPacket { writer.member("firstPacket", time) }
  }

  private static func write(_ audio: AudioStatistics, _ writer: inout JSONWriter) {
    writer.member("codec", audio.codec)
    writer.member("packetsReceived", audio.packetsReceived)
    writer.member("packetsSent", audio.packetsSent)
    writer.member("packetsLost", audio.packetsLost)
    writer.member("packetsLate", audio.packetsLate)
    writer.member("lossFraction", finite(audio.lossFraction))
    writer.member("jitter", finite(audio.jitter))
    writer.member("mos", finite(audio.mos))
    if let roundTrip = audio.roundTrip { writer.member("roundTrip", finite(roundTrip)) }
    if let loss = audio.remoteLossFraction { writer.member("remoteLossFraction", finite(loss)) }
  }

  /// JSON has no infinity.
  private static func finite(_ value: Double) -> Double { value.isFinite ? value : 0 }

  static func record(_ row: Database.Row) throws -> CallRecord {
    guard let id = row.text(0), let received = row.real(1), let ended = row.real(3),
      let channel = row.text(4),
      let reason = row.text(27).flatMap(CallEnd.Reason.init)
    else { throw UnreadableRecord(id: row.text(0) ?? "?") }
    var call = InboundCall(
      id: CallID(id), channel: ChannelKind(rawValue: channel), from: party(row, 11), to: party(row, 17),
      provider: row.text(5), trunk: row.text(6), connection: row.text(7),
      receivedAt: Date(timeIntervalSince1970: received), foreignID: row.text(8))
    call.sourceAddress = row.text(9).map {
      SocketAddress(ip: $0, port: UInt16(clamping: row.integer(10)))
    }
    var end = CallEnd(reason, text: row.text(30) ?? "", sipStatus: row.integer(28), q850: row.integer(29))
    end.retryAfter = row.real(31).map { Int($0) }
    var record = CallRecord(
      call: call, answeredAt: row.real(2).map(Date.init(timeIntervalSince1970:)),
      endedAt: Date(timeIntervalSince1970: ended), end: end,
      transcript: try decode([TranscriptEntry].self, row.text(32)) ?? [],
      audio: try decode(AudioStatistics.self, row.text(33)))
    record.fromNumber = row.text(16)
    record.toNumber = row.text(22)
    record.decisionID = row.text(23)
    record.route = row.text(24)
    record.snapshotVersion = row.text(25)
    record.agent = row.text(26)
    record.decision = row.text(34).map(WrittenJSON.init(text:))
    record.attempts = try decode([AgentAttempt].self, row.text(35)) ?? []
    record.timings = try decode([TurnTiming].self, row.text(36)) ?? []
    record.externalClientID = row.text(37)
    return record
  }

  private static func party(_ row: Database.Row, _ column: Int32) -> Party {
    Party(
      user: row.text(column + 1) ?? "", host: row.text(column + 2) ?? "", uri: row.text(column),
      displayName: row.text(column + 3), isAnonymous: row.integer(column + 4) != 0)
  }

  private static func decode<Value: Decodable>(_ type: Value.Type, _ text: String?) throws -> Value? {
    guard let text, text != "[]" else { return nil }
    return try JSONDecoder().decode(type, from: Data(text.utf8))
  }
}

/// A row that somebody else has written or damaged.
struct UnreadableRecord: Error, CustomStringConvertible {
  let id: String
  var description: String { "the record of call \(id) cannot be read" }
}
