internal import RouterCore

/// An answer in Telnyx's other language, written
/// (https://developers.telnyx.com/docs/voice/programmable-voice/texml-translator).
struct TeXML: Sendable, Hashable {
  let text: String

  private init(_ body: String) {
    text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response>\(body)</Response>\n"
  }

  /// Answers the call and connects its sound; nothing follows, so the call ends with the socket.
  static func connect(_ socket: MediaSocketInvitation) -> TeXML {
    let url = XMLText.escape(socket.url)
    return TeXML(
      "<Connect><Stream url=\"\(url)\" codec=\"PCMU\" bidirectionalMode=\"rtp\" bidirectionalCodec=\"PCMU\"/></Connect>"
    )
  }

  /// Refuses without an answer.
  static func reject(isBusy: Bool) -> TeXML { TeXML("<Reject reason=\"\(isBusy ? "busy" : "rejected")\"/>") }

  static let hangUp = TeXML("<Hangup/>")

  /// Calls somebody for the caller; `action` is asked what to do when that is over, `progress` is told of the answer.
  static func dial(
    _ target: TransferDestination, timeout: Int, action: String, progress: String, callerId: String?
  ) -> TeXML {
    let url = XMLText.escape(progress)
    let callbacks = "statusCallback=\"\(url)\" statusCallbackEvent=\"answered completed\""
    let inner =
      switch target {
      case .number(let number): "<Number \(callbacks)>\(XMLText.escape(number))</Number>"
      case .sip(let uri): "<Sip \(callbacks)>\(XMLText.escape(uri))</Sip>"
      }
    let caller = callerId.map { " callerId=\"\(XMLText.escape($0))\"" } ?? ""
    return TeXML(
      "<Dial action=\"\(XMLText.escape(action))\" timeout=\"\(timeout)\"\(caller)>\(inner)</Dial>")
  }

  var reply: HTTPServerReply {
    .response(
      HTTPResponse(
        status: 200, headers: [Header("Content-Type", "text/xml; charset=utf-8")], body: Array(text.utf8)))
  }
}

/// What Telnyx says of a call under TeXML: a form.
struct TeXMLWebhook: Sendable {
  let fields: FormFields
  let callSid: String
  let accountSid: String

  /// `nil` without identifiers.
  init?(_ request: HTTPServerRequest) {
    fields = FormFields(parsing: request.body)
    guard let call = fields["CallSid"], (1...512).contains(call.utf8.count) else { return nil }
    callSid = call
    accountSid = fields["AccountSid"] ?? ""
  }

  static func isForm(_ request: HTTPServerRequest) -> Bool {
    request.header("Content-Type")?.lowercased().hasPrefix("application/x-www-form-urlencoded") ?? false
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

  /// What became of the call to somebody whom the caller is handed over to.
  var dialOutcome: TransferOutcome {
    switch fields["DialCallStatus"] {
    case "completed", "answered": .completed
    case "busy": .failed(status: 486, reason: "busy")
    case "no-answer": .failed(status: 480, reason: "no answer")
    case "canceled": .callerHungUp
    case let status: .failed(status: 503, reason: String((status ?? "failed").prefix(100)))
    }
  }

  /// The call as routes see it: every field as a header of its name.
  func call(_ request: HTTPServerRequest, agent: String?) -> InboundCall {
    var call = InboundCall(
      channel: .voip, from: TelnyxParty.read(fields["From"] ?? "", name: fields["CallerName"]),
      to: TelnyxParty.read(fields["To"] ?? ""), provider: TelnyxChannel.name)
    call.headers = TelnyxParty.bounded(fields.all.map { ($0.name, $0.value) })
    if let forwarded = fields["ForwardedFrom"], !forwarded.isEmpty {
      call.diversion = [TelnyxParty.read(forwarded)]
    }
    call.attestation = TelnyxParty.attestation(
      fields["ShakenStirAttestation"], isValid: fields["ShakenStirValidated"])
    call.sourceAddress = request.remote
    call.foreignID = callSid
    call.defaultAgent = agent
    return call
  }
}
