public import FoundationEssentials
public import RouterCore

/// What every ``CallStore`` must do.
public enum CallStoreConformance {
  /// Tries a store out.
  /// - Parameter open: Opens the store: an empty one at first, and the same again, with what it holds, when it is
  ///   called a second time.
  /// - Returns: What it does wrong; empty for a good one.
  public static func violations(_ open: () async throws -> any CallStore) async -> [Violation] {
    var findings = Findings()
    await findings.attempt("a store opens") { findings in
      let store = try await open()
      await findings.attempt("a record comes back as it was") { try await keeps(store, &$0) }
      await findings.attempt("a record is replaced by its identifier") { try await replaces(store, &$0) }
      await findings.attempt("questions are answered newest first") { try await answers(store, &$0) }
      await findings.attempt("any text is only text") { try await quotes(store, &$0) }
      await findings.attempt("a person is erased") { try await erases(store, &$0) }
      await findings.attempt("many may save at once") { try await isConcurrent(store, &$0) }
      let all = try await store.records(CallQuery(limit: 1000)).map(\.id)
      let again = try await open()
      let kept = try await again.records(CallQuery(limit: 1000)).map(\.id)
      findings.expect(all == kept, "records outlive the store", "\(all.count) records became \(kept.count)")
    }
    return findings.violations
  }

  /// A record for tests, with every field set.
  public static func fullRecord(
    _ id: String = "c-full", at date: Date = Date(timeIntervalSince1970: 1_700_000_000.125)
  )
    -> CallRecord
  {
    var call = InboundCall(
      id: CallID(id), channel: .sip,
      from: Party(user: "+447700900123", host: "carrier.example", displayName: "Ada \"Λ\" O'Neill"),
      to: Party(user: "", host: "pbx.example", isAnonymous: true), provider: "twilio", trunk: "carrier",
      connection: "front-desk", receivedAt: date, foreignID: "abc@carrier.example")
    call.sourceAddress = SocketAddress(ip: "2001:db8::1", port: 65535)
    var audio = AudioStatistics()
    audio.codec = "opus"
    audio.packetsReceived = 1500
    audio.packetsLost = 3
    audio.lossFraction = 0.002
    audio.jitter = 1.5
    audio.roundTrip = 41.25
    audio.remoteLossFraction = 0.25
    audio.mos = 4.25
    var record = CallRecord(
      call: call, answeredAt: date.addingTimeInterval(1.5), endedAt: date.addingTimeInterval(60),
      end: CallEnd(.limitReached, text: "all lines are taken", sipStatus: 503, q850: 42, retryAfter: 30),
      transcript: [
        TranscriptEntry(
          .agent, .speech, "Good \"morning\".\n", at: 12, turn: TurnID(1), wasInterrupted: true),
        TranscriptEntry(.caller, .speech, "🚲?", at: 900, confidence: 0.5),
        TranscriptEntry(.caller, .digits, "1", at: 1000),
        TranscriptEntry(.agent, .toolCall, "hang_up {}", at: 1100),
        TranscriptEntry(.system, .toolResult, "{}", at: 1200),
        TranscriptEntry(.system, .transfer, "", at: 1300),
        TranscriptEntry(.system, .note, "note", at: 1400),
      ], audio: audio)
    record.fromNumber = "+447700900123"
    record.toNumber = "+442079460001"
    record.decisionID = "d-1"
    record.route = "front-door"
    record.snapshotVersion = "v1"
    record.agent = "reception"
    record.externalClientID = "ada_1"
    record.attempts = [
      AgentAttempt(
        agent: "first", provider: "cloud", at: 3, failedAt: 1200, reason: "closed",
        message: "the \"socket\" died"),
      AgentAttempt(agent: "reception", provider: "offline", at: 1200),
    ]
    record.timings = [
      TurnTiming(
        turn: TurnID(1), agent: "reception", callerStopped: 1, turnDetected: 500, firstToken: 600,
        firstAudio: 700, firstPacket: 710), TurnTiming(turn: TurnID(2)),
    ]
    record.decision = ["summary": "route front-door", "trace": ["candidates": [1, nil, true, 2.5]]]
    return record
  }

  /// A record as text, for comparing; times to the millisecond, which is all that a store must keep.
  public static func text(_ record: CallRecord) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    encoder.dateEncodingStrategy = .custom { date, encoder in
      var container = encoder.singleValueContainer()
      try container.encode(Int((date.timeIntervalSince1970 * 1000).rounded()))
    }
    return String(decoding: try encoder.encode(record), as: UTF8.self)
  }

  private static func keeps(_ store: any CallStore, _ findings: inout Findings) async throws {
    var plain = InboundCall.example()
    plain.id = CallID("c-plain")
    plain.sourceAddress = nil
    plain.foreignID = nil
    let records = [fullRecord(), CallRecord(call: plain, endedAt: plain.receivedAt, end: CallEnd(.noRoute))]
    for record in records {
      try await store.save(record)
      let back = try await store.record(record.id).map(text)
      findings.expect(
        try back == text(record), "a record comes back as it was",
        "saved \((try? text(record)) ?? ""), got \(back ?? "nothing")")  // for the message only
    }
    findings.expect(
      try await store.record(CallID("c-unknown")) == nil, "an unknown identifier has no record", "one came")
  }

  private static func replaces(_ store: any CallStore, _ findings: inout Findings) async throws {
    var record = fullRecord("c-twice", at: Date(timeIntervalSince1970: 1_600_000_000))
    try await store.save(record)
    record.agent = "another"
    try await store.save(record)
    let all = try await store.records(CallQuery(limit: 1000)).filter { $0.id == record.id }
    findings.expect(
      all.map(\.agent) == ["another"], "a record is replaced by its identifier",
      "there are \(all.map { $0.agent ?? "" })")
  }

  private static func answers(_ store: any CallStore, _ findings: inout Findings) async throws {
    let start = Date(timeIntervalSince1970: 1_800_000_000)
    for number in [3, 1, 4, 0, 2] {
      var record = fullRecord("c-\(number)", at: start.addingTimeInterval(Double(number)))
      record.agent = number % 2 == 0 ? "even" : "odd"
      record.route = number < 3 ? "low" : "high"
      try await store.save(record)
    }
    func ids(_ query: CallQuery) async throws -> [String] { try await store.records(query).map(\.id.text) }
    let newest = try await ids(CallQuery(limit: 3))
    findings.expect(newest == ["c-4", "c-3", "c-2"], "questions are answered newest first", "\(newest)")
    let before = try await ids(CallQuery(limit: 2, before: start.addingTimeInterval(3)))
    findings.expect(before == ["c-2", "c-1"], "before leaves the later ones out", "\(before)")
    let even = try await ids(CallQuery(agent: "even"))
    findings.expect(even == ["c-4", "c-2", "c-0"], "an agent's calls are found", "\(even)")
    let low = try await ids(CallQuery(route: "low"))
    findings.expect(low == ["c-2", "c-1", "c-0"], "a route's calls are found", "\(low)")
    let both = try await ids(
      CallQuery(limit: 1, before: start.addingTimeInterval(2), agent: "even", route: "low"))
    findings.expect(both == ["c-0"], "conditions are joined by and", "\(both)")
    for limit in [0, -1] {
      let none = try await ids(CallQuery(limit: limit))
      findings.expect(none.isEmpty, "a limit of nothing gives nothing", "\(limit) gave \(none)")
    }
    // A reader who pages gets every record once.
    let last = try await store.records(CallQuery(limit: 2)).last
    let next = try await ids(CallQuery(limit: 2, before: last?.receivedAt))
    findings.expect(next == ["c-2", "c-1"], "the next page begins where the last one ended", "\(next)")
  }

  private static func quotes(_ store: any CallStore, _ findings: inout Findings) async throws {
    for (number, text) in ["'; DROP TABLE calls; --", "\"\\", "a\u{0}b", "Ünïcödé 🚲", "%_*"].enumerated() {
      var record = fullRecord("c-text-\(number)", at: Date(timeIntervalSince1970: 1_500_000_000))
      record.agent = text
      record.end.text = text
      record.transcript = [TranscriptEntry(.caller, .speech, text, at: 0)]
      try await store.save(record)
      let found = try await store.records(CallQuery(agent: text))
      findings.expect(
        found.map(\.id) == [record.id] && found.first?.transcript.first?.text == text
          && found.first?.end.text == text, "any text is only text",
        "\(text) gave \(found.map { "\($0.id) \($0.agent ?? "")" })")
    }
  }

  private static func erases(_ store: any CallStore, _ findings: inout Findings) async throws {
    let start = Date(timeIntervalSince1970: 1_300_000_000)
    let (byNumber, byName, other) = ("c-number", "c-name", "c-other")
    for (id, number, client) in [
      (byNumber, "+15550001", nil), (byName, "+15550002", "eve"), (other, "+15550003", nil),
    ] {
      var record = fullRecord(id, at: start)
      record.from = Party(user: number, host: "carrier.example")
      record.fromNumber = number
      record.externalClientID = client
      record.decision = ["summary": .string("from \(number)")]
      try await store.save(record)
    }
    for (person, id) in [("+15550001", byNumber), ("eve", byName)] {
      let count = try await store.eraseCaller(person)
      findings.expect(count == 1, "a person is erased", "\(count) records of \(person)")
      guard let record = try await store.record(CallID(id)) else {
        throw NothingHappened(waitedFor: "the record \(id) without its caller", instead: [])
      }
      let left = try text(record)
      findings.expect(
        !left.contains("1555000") && !left.contains("eve\"") && record.transcript.isEmpty
          && record.decision == nil
          && record.end == fullRecord().end && record.agent == "reception",
        "what says who it was is gone, and the rest is there", left)
    }
    let kept = try await store.record(CallID(other))
    findings.expect(kept?.fromNumber == "+15550003", "others are not erased", "\(kept?.fromNumber ?? "")")
    let again = try await store.eraseCaller("eve")
    findings.expect(again == 0, "nobody is erased twice", "\(again)")
  }

  private static func isConcurrent(_ store: any CallStore, _ findings: inout Findings) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<200 {
        group.addTask {
          let date = Date(timeIntervalSince1970: 1_400_000_000 + Double(number))
          try await store.save(fullRecord("c-many-\(number)", at: date))
          guard try await store.record(CallID("c-many-\(number)")) != nil else {
            throw NothingHappened(waitedFor: "c-many-\(number) after its save", instead: [])
          }
        }
      }
      try await group.waitForAll()
    }
    let found = try await store.records(CallQuery(limit: 1000)).filter { $0.id.text.hasPrefix("c-many-") }
    findings.expect(found.count == 200, "many may save at once", "\(found.count) of 200 are there")
  }
}
