internal import RouterCore

/// What is Twilio's own in the documents that it follows (https://www.twilio.com/docs/voice/twiml).
extension CallDocument {
  /// Answers the call and connects its sound. `url` has no query, which Twilio would refuse.
  static func connect(_ url: String, statusCallback: String) -> CallDocument {
    .connect([("url", url), ("statusCallback", statusCallback)])
  }
}

extension DocumentCallControl.Provider {
  /// One call at Twilio.
  /// - Parameter origin: Where Twilio reaches us.
  init(_ account: TwilioAccount, callSid: String, origin: String, _ rest: TwilioREST) {
    let base = origin + "/voip/" + TwilioChannel.name
    self.init(
      connect: { .connect($0.url, statusCallback: base + "/stream") },
      dial: { target, timeout in
        .dial(
          .init(
            target, timeout: timeout, action: "\(base)/dial/\(callSid)",
            progress: "\(base)/target/\(callSid)",
            callerId: account.callerId, attributes: " answerOnBridge=\"true\""))
      }, domain: account.transferDomain, hangUp: { await rest.hangUp(callSid, account) },
      replace: { await rest.update(callSid, account, $0) })
  }
}
