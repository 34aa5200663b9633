internal import RouterCore

/// What is asked of Twilio by REST (https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource).
struct TwilioREST: Sendable {
  let rest: ProviderREST

  /// Ends a call. One that is over already is no error.
  func hangUp(_ callSid: String, _ account: TwilioAccount) async {
    // Why it failed was logged, and nothing more can be done.
    do throws(ProviderREST.Fault) {
      try await post(callSid, account, .init("Status", "completed"), isRepeatable: true)
    } catch {}
  }

  /// Gives a call another document to follow. Returns why it could not; `nil` when it was.
  func update(_ callSid: String, _ account: TwilioAccount, _ document: CallDocument) async -> TransferOutcome?
  {
    do throws(ProviderREST.Fault) {
      try await post(callSid, account, .init("Twiml", document.text), isRepeatable: false)
      return nil
    } catch {
      // 21220: the call is not in a state that allows it, e.g. over.
      if error.code == "21220" || error.status == 404 { return .callerHungUp }
      return .refused(status: error.status, reason: error.message)
    }
  }

  private func post(
    _ callSid: String, _ account: TwilioAccount, _ field: FormFields.Field, isRepeatable: Bool
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
    try await rest.send(request, about: callSid, isRepeatable: isRepeatable) { response in
      let error = JSONValue(parsing: response.body)
      return ProviderREST.Fault(
        status: response.status, code: error?["code"]?.integer.map(String.init),
        message: error?["message"]?.string.map { String($0.prefix(200)) } ?? "status \(response.status)")
    }
  }
}
