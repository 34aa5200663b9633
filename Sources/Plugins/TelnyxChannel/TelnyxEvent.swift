internal import RouterCore

/// What Telnyx says of a call (https://developers.telnyx.com/docs/voice/programmable-voice/voice-api-webhooks), in one form
/// for all versions: the envelope of API v2, the flat bodies of v1, and names with underscores instead of dots.
struct TelnyxEvent: Sendable {
  /// With dots, e.g. `call.initiated`.
  let type: String
  /// The event's own; a delivery that is repeated has the same.
  let id: String?
  let payload: [String: JSONValue]
  /// `call_control_id`; empty for events of no call.
  let callID: String

  /// Longer identifiers are none.
  private static let maximumIDBytes = 512

  /// `nil` for what is no event.
  init?(_ body: [UInt8]) {
    guard let whole = JSONValue(parsing: body) else { return nil }
    let root = whole["data"]?.object == nil ? whole : whole["data"] ?? whole
    guard let name = root["event_type"]?.string, let members = root["payload"]?.object ?? root.object else {
      return nil
    }
    type = String(name.map { $0 == "_" ? "." : $0 })
    id = root["id"]?.string
    payload = members
    callID = members["call_control_id"]?.string ?? ""
    guard callID.utf8.count <= TelnyxEvent.maximumIDBytes, (id?.utf8.count ?? 0) <= TelnyxEvent.maximumIDBytes
    else { return nil }
  }

  /// A member of the payload as text: some are numbers in one version and strings in another.
  subscript(name: String) -> String? {
    switch payload[name] {
    case .string(let text): text
    case .integer(let number): String(number)
    case .bool(let flag): String(flag)
    default: nil
    }
  }

  /// Whether it announces a call to us. Legs that we had called ourselves come to the same address.
  var isAnnouncement: Bool {
    type == "call.initiated" && !callID.isEmpty && !["outgoing", "outbound"].contains(self["direction"])
  }

  /// The key that was pressed; `nil` for what is none.
  var digit: Character? {
    guard let text = self["digit"]?.uppercased(), text.count == 1, let key = text.first,
      "0123456789*#ABCD".contains(key)
    else { return nil }
    return key
  }

  /// How the call ended, in our words. The list of causes is open.
  var end: CallEnd {
    let cause = self["hangup_cause"] ?? "unspecified"
    let text = "Telnyx: \(cause.prefix(100))"
    return switch cause {
    case "originator_cancel": CallEnd(.cancelled, text: text)
    case "timeout", "no_answer": CallEnd(.noAnswer, text: text)
    case "time_limit": CallEnd(.maximumDuration, text: text)
    default: CallEnd(.callerHungUp, text: text)
    }
  }

  // MARK: A leg that was called for a caller who is handed over

  /// What ``target`` reads again from `client_state`, which has to be base 64.
  static func state(caller: String, attempt: Int) -> String {
    Base64.encode("routerd \(attempt) \(caller)".utf8)
  }

  /// For whom this leg was called, and by which of his hand-overs; `nil` for a leg of another kind.
  var target: (caller: String, attempt: Int)? {
    guard let state = self["client_state"], let bytes = Base64.decode(state) else { return nil }
    let words = String(decoding: bytes, as: UTF8.self).split(separator: " ", maxSplits: 2)
    guard words.count == 3, words[0] == "routerd", let attempt = Int(words[1]) else { return nil }
    return (String(words[2]), attempt)
  }

  /// What became of it; `nil` while that is open.
  var targetOutcome: TransferOutcome? {
    switch type {
    case "call.answered", "call.bridged": return .completed
    case "call.hangup": break
    default: return nil
    }
    let cause = String((self["hangup_cause"] ?? "unspecified").prefix(100))
    switch cause {
    case "user_busy": return .failed(status: 486, reason: "busy")
    case "call_rejected": return .failed(status: 603, reason: "rejected")
    case "timeout", "no_answer": return .failed(status: 480, reason: "no answer")
    case "not_found", "unallocated_number": return .failed(status: 404, reason: "not found")
    case "originator_cancel": return .callerHungUp
    // It talked, and the news of the answer is still under way: order is not guaranteed.
    case "normal_clearing", "time_limit": return .completed
    default:
      let status = self["sip_hangup_cause"].flatMap { Int($0) } ?? 0
      return .failed(status: (400..<700).contains(status) ? status : 503, reason: cause)
    }
  }

  /// What became of a REFER: the status that the caller's network reported (RFC 3515).
  var referOutcome: TransferOutcome {
    if type == "call.refer.completed" { return .completed }
    let status = self["sip_notify_response"].flatMap { Int($0) } ?? 0
    return .failed(
      status: (300..<700).contains(status) ? status : 503, reason: status == 486 ? "busy" : "refer failed")
  }
}
