internal import RouterCore

/// What is Telnyx's own in the documents that it follows
/// (https://developers.telnyx.com/docs/voice/programmable-voice/texml-translator).
extension CallDocument {
  /// Answers the call and connects its sound.
  static func connect(_ socket: MediaSocketInvitation) -> CallDocument {
    .connect([
      ("url", socket.url), ("codec", "PCMU"), ("bidirectionalMode", "rtp"), ("bidirectionalCodec", "PCMU"),
    ])
  }
}

extension DocumentCallControl.Provider {
  /// One call under TeXML.
  /// - Parameter origin: Where Telnyx reaches us.
  init(_ account: TelnyxAccount, _ webhook: TeXMLWebhook, origin: String, _ rest: TelnyxREST) {
    let base = "\(origin)/voip/\(TelnyxChannel.name)"
    let sid = FormFields.encode(webhook.callSid)
    self.init(
      connect: { .connect($0) },
      dial: { target, timeout in
        .dial(
          .init(
            target, timeout: timeout, action: "\(base)/dial/\(sid)", progress: "\(base)/target/\(sid)",
            callerId: account.callerId))
      }, domain: account.transferDomain,
      hangUp: {
        // A call that is over already is no error; anything else was logged.
        do throws(TelnyxREST.Fault) {
          try await rest.update(webhook.callSid, of: webhook.accountSid, TelnyxREST.over, account)
        } catch {}
      },
      replace: { document in
        do throws(TelnyxREST.Fault) {
          try await rest.update(
            webhook.callSid, of: webhook.accountSid, ["Texml": .string(document.text)], account)
          return nil
        } catch { return error.outcome }
      })
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

  /// The call as routes see it: every field as a header of its name.
  func call(_ request: HTTPServerRequest, agent: String?) -> InboundCall {
    var call = InboundCall(
      announcedBy: TelnyxChannel.name, id: callSid,
      from: Party(announced: fields["From"] ?? "", name: fields["CallerName"]),
      to: Party(announced: fields["To"] ?? ""), fields: fields.all.map { ($0.name, $0.value) }, request,
      agent: agent)
    if let forwarded = fields["ForwardedFrom"], !forwarded.isEmpty {
      call.diversion = [Party(announced: forwarded)]
    }
    call.attestation = TelnyxParty.attestation(
      fields["ShakenStirAttestation"], isValid: fields["ShakenStirValidated"])
    return call
  }
}
