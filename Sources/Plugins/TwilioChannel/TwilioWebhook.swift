internal import RouterCore

/// What Twilio says of a call (https://www.twilio.com/docs/voice/twiml#request-parameters), from its fields.
struct TwilioWebhook: Sendable {
  /// What is a secret, or of no use to a route.
  private static let hidden: Set<String> = ["CallToken", "StirPassportToken", "AddOns"]

  let fields: FormFields
  let callSid: String
  let accountSid: String

  /// From the query of a GET, the form or the JSON object of a POST. `nil` without identifiers.
  init?(_ request: HTTPServerRequest) {
    guard let fields = TwilioWebhook.fields(request) else { return nil }
    self.fields = fields
    guard let call = fields["CallSid"], let account = fields["AccountSid"],
      (1...64).contains(call.utf8.count),
      call.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) })
    else { return nil }
    callSid = call
    accountSid = account
  }

  private static func fields(_ request: HTTPServerRequest) -> FormFields? {
    if request.body.isEmpty { return FormFields(parsing: request.query) }
    if TwilioSignature.isForm(request) { return FormFields(parsing: request.body) }
    var fields: [FormFields.Field] = []
    let isObject = request.body.withUnsafeBytes { text in
      JSONScanner.members(of: text) { name, value in
        if let name = name.string, let value = value.string { fields.append(.init(name, value)) }
      }
    }
    return isObject ? FormFields(fields) : nil
  }

  /// The call as routes see it.
  func call(_ request: HTTPServerRequest, agent: String?) -> InboundCall {
    // SIP headers under their own names.
    let seen = fields.all.filter { !TwilioWebhook.hidden.contains($0.name) }
      .map {
        (name: $0.name.hasPrefix("SipHeader_") ? String($0.name.dropFirst(10)) : $0.name, value: $0.value)
      }
    var call = InboundCall(
      announcedBy: TwilioChannel.name, id: callSid,
      from: Party(announced: fields["From"] ?? "", name: fields["CallerName"]),
      to: Party(announced: fields["To"] ?? ""), fields: seen, request, agent: agent)
    if let forwarded = fields["ForwardedFrom"], !forwarded.isEmpty {
      call.diversion = [Party(announced: forwarded)]
    }
    call.attestation = TwilioWebhook.attestation(fields["StirVerstat"])
    return call
  }

  /// `TN-Validation-Passed-A…`: more words may follow, and only what passed counts.
  static func attestation(_ verdict: String?) -> Attestation? {
    let passed = "TN-Validation-Passed-"
    guard let verdict, verdict.hasPrefix(passed) else { return nil }
    return verdict.dropFirst(passed.count).first.flatMap { Attestation(rawValue: String($0)) }
  }
}
