internal import FoundationEssentials
internal import RouterCore

/// The bodies that are sent: `agent.message` for each turn of a call, `agent.call_ended` once.
enum WebhookEvents {
  /// What the caller said, and what was said before.
  static func message(
    _ words: String, confidence: Double?, digits: String?, in request: TextRequest, contextLimit: Int,
    at now: Date
  ) -> JSONValue {
    var data = party(request.call, agent: request.agent)
    data["status"] = "in-progress"
    data["transcript"] = .string(words)
    if let confidence, confidence.isFinite { data["confidence"] = .number(min(1, max(0, confidence))) }
    if let digits { data["digits"] = .string(digits) }
    let begin = request.call?.receivedAt ?? now
    let history = request.transcript.compactMap { line($0, begin: begin) }.suffix(contextLimit)
    return event("agent.message", at: now, agent: request.agent, .object(data)).merging([
      "conversationState": nil, "recentHistory": .array(Array(history)),
    ])
  }

  /// How the call ended, with all that was said.
  static func callEnded(_ record: CallRecord, agent: AgentConfiguration, at now: Date) -> JSONValue {
    let begin = record.answeredAt ?? record.receivedAt
    var data: [String: JSONValue] = [
      "callId": .string(record.id.text), "numberId": nil, "direction": "inbound", "contact": nil,
      "from": .string(record.fromNumber ?? record.from.user),
      "to": .string(record.toNumber ?? record.to.user),
    ]
    data["status"] = failed.contains(record.end.reason) ? "failed" : "completed"
    data["startedAt"] = time(begin)
    data["endedAt"] = time(record.endedAt)
    data["durationSeconds"] = .integer(max(0, Int(record.endedAt.timeIntervalSince(begin).rounded())))
    data["disconnectionReason"] = .string(reason(record.end.reason))
    data["transcript"] = .array(
      record.transcript.compactMap { entry in
        guard entry.kind == .speech, entry.speaker != .system, !entry.text.isEmpty else { return nil }
        return ["role": entry.speaker == .agent ? "agent" : "user", "content": .string(entry.text)]
      })
    for name in ["summary", "userSentiment", "callSuccessful"] { data[name] = .null }
    return event("agent.call_ended", at: now, agent: agent, .object(data))
  }

  private static func event(
    _ name: String, at now: Date, agent: AgentConfiguration, _ data: JSONValue
  ) -> JSONValue {
    [
      "event": .string(name), "channel": "voice", "timestamp": time(now), "agentId": .string(agent.name),
      "data": data,
    ]
  }

  private static func party(_ call: InboundCall?, agent: AgentConfiguration) -> [String: JSONValue] {
    [
      "callId": .string(call?.id.text ?? ""), "numberId": nil, "from": .string(call?.from.user ?? ""),
      "to": .string(call?.to.user ?? ""), "direction": .string(call?.channel == .webrtc ? "web" : "inbound"),
    ]
  }

  private static func line(_ entry: TranscriptEntry, begin: Date) -> JSONValue? {
    guard entry.speaker != .system, entry.kind == .speech || entry.kind == .digits, !entry.text.isEmpty else {
      return nil
    }
    return [
      "content": .string(entry.text), "direction": entry.speaker == .agent ? "outbound" : "inbound",
      "channel": "voice", "at": time(begin.addingTimeInterval(Double(entry.at) / 1000)),
    ]
  }

  private static func time(_ date: Date) -> JSONValue { .string(date.formatted(.iso8601)) }

  private static let failed: Set<CallEnd.Reason> = [
    .agentUnavailable, .noCommonCodec, .notAcknowledged, .mediaLost, .sessionExpired, .failed, .malformed,
    .unauthorized,
  ]

  private static func reason(_ reason: CallEnd.Reason) -> String {
    switch reason {
    case .callerHungUp, .cancelled: "user_hangup"
    case .agentHungUp: "agent_hangup"
    case .transferred: "call_transfer"
    case .maximumDuration: "max_duration_reached"
    default: reason.rawValue
    }
  }
}

extension JSONValue {
  fileprivate func merging(_ members: [String: JSONValue]) -> JSONValue {
    .object((object ?? [:]).merging(members) { _, new in new })
  }
}
