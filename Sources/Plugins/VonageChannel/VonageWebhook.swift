internal import FoundationEssentials
internal import RouterCore

/// What Vonage says of a call (https://developer.vonage.com/en/voice/voice-api/webhook-reference): a query or a JSON object.
struct VonageWebhook: Sendable {
  let fields: [(name: String, value: String)]
  let uuid: String
  /// Whether the address that was asked first has failed, and this is the fallback.
  let isFallback: Bool

  /// From the query of a GET or the body of a POST. `nil` without an identifier.
  init?(_ request: HTTPServerRequest) {
    var isFallback = false
    if request.body.isEmpty {
      fields = FormFields(parsing: request.query).all.map { ($0.name, $0.value) }
      isFallback = fields.contains { $0.name.hasPrefix("original_request") }
    } else {
      var fields: [(String, String)] = []
      let isObject = request.body.withUnsafeBytes { text in
        JSONScanner.members(of: text) { name, value in
          if name.equals("original_request") { isFallback = true }
          if let name = name.string, let value = value.string { fields.append((name, value)) }
        }
      }
      guard isObject else { return nil }
      self.fields = fields
    }
    self.isFallback = isFallback
    // Events of answering machines call it otherwise.
    let named = fields.first { $0.name == "uuid" } ?? fields.first { $0.name == "call_uuid" }
    uuid = named?.value ?? ""
    guard uuid.utf8.count <= 64, uuid.utf8.allSatisfy({ (0x2D...0x7A).contains($0) }) else { return nil }
  }

  subscript(name: String) -> String? { fields.first { $0.name == name }?.value }

  /// Whether it announces a call, instead of telling what became of one. The fallback address is told the same, and the reason.
  var isAnnouncement: Bool {
    self["status"] == nil && (self["reason"] == nil || isFallback) && !uuid.isEmpty && self["to"] != nil
  }

  /// A leg's end, in our words; `nil` while it is not over.
  var end: CallEnd? {
    switch self["status"] {
    case "completed": CallEnd(.callerHungUp, text: "completed")
    case "cancelled", "unanswered", "timeout": CallEnd(.cancelled, text: "the caller gave up")
    case "busy": CallEnd(.cancelled, text: "busy", sipStatus: 486)
    case "rejected": CallEnd(.cancelled, text: "rejected", sipStatus: 603)
    case "failed": CallEnd(.failed, text: "the provider says that the call failed: \(detail)")
    default: nil
    }
  }

  private var detail: String { String((self["detail"] ?? self["reason"] ?? "no reason given").prefix(200)) }

  /// What became of the call to somebody whom the caller is handed over to; `nil` while that is open.
  var transferOutcome: TransferOutcome? {
    switch self["status"] {
    case "answered": .completed
    case "busy": .failed(status: 486, reason: "busy")
    case "timeout", "unanswered": .failed(status: 480, reason: "no answer")
    case "rejected": .failed(status: 603, reason: "rejected")
    case "failed": .failed(status: 503, reason: detail)
    case "cancelled": .failed(status: 487, reason: "cancelled")
    default: nil
    }
  }

  /// The call as routes see it: every field as a header of its name, SIP headers under their own.
  func call(_ request: HTTPServerRequest, agent: String?) -> InboundCall {
    InboundCall(
      announcedBy: VonageChannel.name, id: uuid,
      from: VonageWebhook.party(self["from"] ?? self["from_user"] ?? ""),
      to: VonageWebhook.party(self["to"] ?? ""),
      fields: fields.map { field in
        (field.name.hasPrefix("SipHeader_") ? String(field.name.dropFirst(10)) : field.name, field.value)
      }, request, agent: agent)
  }

  /// A number, which Vonage writes without its `+`, or a user.
  static func party(_ text: String) -> Party {
    let isNumber =
      (7...15).contains(text.count) && text.allSatisfy { $0.isASCII && $0.isNumber } && text.first != "0"
    return Party(announced: isNumber ? "+" + text : text)
  }
}
