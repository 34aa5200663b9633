internal import RouterCore

/// What Twilio says of a call (https://www.twilio.com/docs/voice/twiml#request-parameters), from its fields.
struct TwilioWebhook: Sendable {
  /// Fields that go along with the call for routes to look at, at most; and bytes of them.
  private static let maximumHeaders = 64
  private static let maximumHeaderBytes = 16 << 10
  /// What is a secret, or of no use to a route.
  private static let hidden: Set<String> = ["CallToken", "StirPassportToken", "AddOns"]

  /// What Twilio sends as the number of somebody who has none to show.
  private static let anonymous: Set<String> = [
    "", "anonymous", "restricted", "unavailable", "unknown", "blocked", "private", "+266696687",
    "+7378742833",
    "+2562533", "+8656696", "+86282452253",
  ]

  let fields: FormFields
  let callSid: String
  let accountSid: String

  /// From the query of a GET or the form of a POST. `nil` without identifiers.
  init?(_ request: HTTPServerRequest) {
    fields = request.body.isEmpty ? FormFields(parsing: request.query) : FormFields(parsing: request.body)
    guard let call = fields["CallSid"], let account = fields["AccountSid"],
      (1...64).contains(call.utf8.count),
      call.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) })
    else { return nil }
    callSid = call
    accountSid = account
  }

  /// The call is over: what its status says of it; `nil` while it is not.
  var end: CallEnd? {
    switch fields["CallStatus"] {
    case "completed": CallEnd(.callerHungUp, text: "completed")
    case "canceled", "no-answer": CallEnd(.cancelled, text: "the caller gave up")
    case "busy": CallEnd(.cancelled, text: "busy", sipStatus: 486)
    case "failed": CallEnd(.failed, text: "the provider says that the call failed")
    default: nil
    }
  }

  /// The call as routes see it.
  func call(_ request: HTTPServerRequest, agent: String?) -> InboundCall {
    var call = InboundCall(
      channel: .voip, from: TwilioWebhook.party(fields["From"] ?? "", name: fields["CallerName"]),
      to: TwilioWebhook.party(fields["To"] ?? ""), provider: TwilioChannel.name)
    if let forwarded = fields["ForwardedFrom"], !forwarded.isEmpty {
      call.diversion = [TwilioWebhook.party(forwarded)]
    }
    call.headers = headers
    call.sourceAddress = request.remote
    call.attestation = TwilioWebhook.attestation(fields["StirVerstat"])
    call.foreignID = callSid
    call.defaultAgent = agent
    return call
  }

  /// Every field as a header of its name; SIP headers under their own.
  private var headers: [Header] {
    var bytes = 0
    var headers: [Header] = []
    for field in fields.all where !TwilioWebhook.hidden.contains(field.name) {
      let name = field.name.hasPrefix("SipHeader_") ? String(field.name.dropFirst(10)) : field.name
      bytes += name.utf8.count + field.value.utf8.count
      guard headers.count < TwilioWebhook.maximumHeaders, bytes <= TwilioWebhook.maximumHeaderBytes else {
        break
      }
      headers.append(Header(name, field.value))
    }
    return headers
  }

  /// A number, `client:name`, or `sip:user@host`.
  static func party(_ text: String, name: String? = nil) -> Party {
    let name = name.flatMap { $0.isEmpty ? nil : $0 }
    let isAnonymous = anonymous.contains(text.lowercased())
    for scheme in ["sip:", "sips:", "client:"] where text.lowercased().hasPrefix(scheme) {
      let rest = text.dropFirst(scheme.count).prefix { $0 != ";" && $0 != "?" }
      let parts = rest.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
      return Party(
        user: String(parts[0]), host: parts.count == 2 ? String(parts[1]) : "", uri: text, displayName: name,
        isAnonymous: anonymous.contains(parts[0].lowercased()))
    }
    return Party(user: text, uri: text, displayName: name, isAnonymous: isAnonymous)
  }

  /// `TN-Validation-Passed-A…`: more words may follow, and only what passed counts.
  static func attestation(_ verdict: String?) -> Attestation? {
    let passed = "TN-Validation-Passed-"
    guard let verdict, verdict.hasPrefix(passed) else { return nil }
    return verdict.dropFirst(passed.count).first.flatMap { Attestation(rawValue: String($0)) }
  }
}
