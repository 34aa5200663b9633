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
      .text(record.transcript.isEmpty ? "[]" : JSONValue.array(record.transcript.map(json)).text),
      text(record.audio.map { json($0).text }), text(record.decision?.text),
      record.attempts.isEmpty ? .null : .text(JSONValue.array(record.attempts.map(json)).text),
      record.timings.isEmpty ? .null : .text(JSONValue.array(record.timings.map(json)).text),
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

  private static func json(_ entry: TranscriptEntry) -> JSONValue {
    var members: [String: JSONValue] = [
      "speaker": .string(entry.speaker.rawValue), "kind": .string(entry.kind.rawValue),
      "text": .string(entry.text), "at": .integer(entry.at), "wasInterrupted": .bool(entry.wasInterrupted),
    ]
    if let turn = entry.turn { members["turn"] = json(turn) }
    if let confidence = entry.confidence { members["confidence"] = .number(confidence) }
    return .object(members)
  }

  private static func json(_ turn: TurnID) -> JSONValue {
    turn.isInterjection
      ? ["number": .integer(turn.number), "interjection": .integer(turn.interjection)]
      : ["number": .integer(turn.number)]
  }

  private static func json(_ attempt: AgentAttempt) -> JSONValue {
    var members: [String: JSONValue] = [
      "agent": .string(attempt.agent), "provider": .string(attempt.provider), "at": .integer(attempt.at),
    ]
    if let failedAt = attempt.failedAt { members["failedAt"] = .integer(failedAt) }
    if let reason = attempt.reason { members["reason"] = .string(reason) }
    if let message = attempt.message { members["message"] = .string(message) }
    return .object(members)
  }

  private static func json(_ timing: TurnTiming) -> JSONValue {
    var members: [String: JSONValue] = ["turn": json(timing.turn)]
    if let agent = timing.agent { members["agent"] = .string(agent) }
    let points = [
      ("callerStopped", timing.callerStopped), ("turnDetected", timing.turnDetected),
      ("firstToken", timing.firstToken), ("firstAudio", timing.firstAudio),
      ("firstPacket", timing.firstPacket),
    ]
    for (name, time) in points { if let time { members[name] = .integer(time) } }
    return .object(members)
  }

  private static func json(_ audio: AudioStatistics) -> JSONValue {
    var members: [String: JSONValue] = [
      "codec": .string(audio.codec), "packetsReceived": .integer(audio.packetsReceived),
      "packetsSent": .integer(audio.packetsSent), "packetsLost": .integer(audio.packetsLost),
      "packetsLate": .integer(audio.packetsLate), "lossFraction": number(audio.lossFraction),
      "jitter": number(audio.jitter), "mos": number(audio.mos),
    ]
    if let roundTrip = audio.roundTrip { members["roundTrip"] = number(roundTrip) }
    if let loss = audio.remoteLossFraction { members["remoteLossFraction"] = number(loss) }
    return .object(members)
  }

  /// JSON has no infinity.
  private static func number(_ value: Double) -> JSONValue { .number(value.isFinite ? value : 0) }

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
    record.decision = try decode(JSONValue.self, row.text(34))
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
