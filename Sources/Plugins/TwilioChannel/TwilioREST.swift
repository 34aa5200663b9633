internal import RouterCore

/// What is asked of Twilio by REST (https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource).
struct TwilioREST: Sendable {
  let http: any HTTPSending
  let log: Log
  let metrics: Metrics

  /// Answers longer than this are no answers.
  private static let maximumBytes = 64 << 10
  private static let deadline = Duration.seconds(8)

  /// Ends a call; asked twice when Twilio is busy. A call that is over already is no error.
  func hangUp(_ callSid: String, _ account: TwilioAccount) async {
    for attempt in 0..<2 {
      let result = await post(callSid, account, [.init("Status", "completed")])
      if case .success = result { return }
      guard case .failure(let fault) = result, fault.isWorthAnotherTry, attempt == 0 else { return }
    }
  }

  /// Gives a call another document to follow. Returns why it could not; `nil` when it was.
  func update(_ callSid: String, _ account: TwilioAccount, twiml: TwiML) async -> TransferOutcome? {
    switch await post(callSid, account, [.init("Twiml", twiml.text)]) {
    case .success: nil
    // 21220: the call is not in a state that allows it, e.g. over.
    case .failure(let fault) where fault.code == 21220 || fault.status == 404: .callerHungUp
    case .failure(let fault): .refused(status: fault.status, reason: fault.message)
    }
  }

  private struct Fault: Error {
    var status: Int
    var code: Int?
    var message: String
    var isWorthAnotherTry: Bool { status == 429 || status >= 500 }
  }

  private func post(
    _ callSid: String, _ account: TwilioAccount, _ fields: [FormFields.Field]
  ) async -> Result<Void, Fault> {
    let path =
      "/2010-04-01/Accounts/\(FormFields.encode(account.accountSid))/Calls/\(FormFields.encode(callSid)).json"
    let credentials = Base64.encode("\(account.user):\(account.password)".utf8)
    let request = HTTPRequest(
      "POST", url: account.apiURL + path,
      headers: [
        Header("Authorization", "Basic \(credentials)"),
        Header("Content-Type", "application/x-www-form-urlencoded"),
      ], body: Array(FormFields(fields).encoded.utf8), deadline: TwilioREST.deadline,
      maximumBodyBytes: TwilioREST.maximumBytes)
    let result = await send(request)
    let outcome = if case .success = result { "ok" } else { "failed" }
    metrics.add("routerd_voip_commands_total", 1, ["provider": TwilioChannel.name, "result": outcome])
    if case .failure(let fault) = result {
      log.warning(
        "the provider did not do what it was asked", ("status", "\(fault.status)"), ("why", fault.message),
        ("call", callSid))
    }
    return result
  }

  private func send(_ request: HTTPRequest) async -> Result<Void, Fault> {
    do throws(HTTPError) {
      let response = try await http.send(request)
      if (200..<300).contains(response.status) { return .success(()) }
      var fault = Fault(status: response.status, message: "status \(response.status)")
      response.body.withUnsafeBytes { text in
        _ = JSONScanner.members(of: text) { name, value in
          if name.equals("code") { fault.code = value.integer }
          if name.equals("message") { fault.message = String(value.string?.prefix(200) ?? "") }
        }
      }
      return .failure(fault)
    } catch {
      return .failure(Fault(status: 503, message: error.message))
    }
  }
}
