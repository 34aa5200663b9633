internal import RouterCore

/// What is asked of Twilio by REST (https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource).
struct TwilioREST: Sendable {
  let rest: ProviderREST

  /// Ends a call. One that is over already is no error.
  func hangUp(_ callSid: String, _ account: TwilioAccount) async {
    // Why it failed was logged, and nothing more can be done.
    do throws(ProviderREST.Fault) {
      try await post(callSid, account, .init("Status", "completed"), isEnd: true)
    } catch {}
  }

  /// Gives a call another document to follow. Returns why it could not; `nil` when it was.
  func update(_ callSid: String, _ account: TwilioAccount, _ document: CallDocument) async -> TransferOutcome?
  {
    do throws(ProviderREST.Fault) {
      try await post(callSid, account, .init("Twiml", document.text), isEnd: false)
      return nil
    } catch {
      if TwilioREST.isOver(error) { return .callerHungUp }
      return .refused(status: error.status, reason: error.message)
    }
  }

  /// 21220: the call is not in a state that allows it, e.g. over.
  private static func isOver(_ fault: ProviderREST.Fault) -> Bool {
    fault.code == "21220" || fault.status == 404
  }

  /// - Parameter isEnd: Whether that is the call's end: asking twice does no harm then, and one that is over is what was wanted.
  private func post(
    _ callSid: String, _ account: TwilioAccount, _ field: FormFields.Field, isEnd: Bool
  ) async throws(ProviderREST.Fault) {
    let path =
      "/2010-04-01/Accounts/\(FormFields.encode(account.accountSid))/Calls/\(FormFields.encode(callSid)).json"
    let credentials = Base64.encode("\(account.user):\(account.password)".utf8)
    let request = HTTPRequest(
      "POST", url: account.apiURL + path,
      headers: [
        Header("Authorization", "Basic \(credentials)"),
        Header("Content-Type", "application/x-www-form-urlencoded"),
      ], body: Array(FormFields([field]).encoded.utf8))
    try await rest.send(
      request, about: callSid, isRepeatable: isEnd, isDone: { isEnd && TwilioREST.isOver($0) }
    ) { response in
      let error = JSONValue(parsing: response.body)
      return ProviderREST.Fault(
        status: response.status, code: error?["code"]?.integer.map(String.init),
        message: error?["message"]?.string.map { String($0.prefix(200)) } ?? "status \(response.status)")
    }
  }
}
