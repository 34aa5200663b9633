internal import RouterCore

/// What is asked of Telnyx by REST (https://developers.telnyx.com/api/call-control): commands for one call.
struct TelnyxREST: Sendable {
  typealias Fault = ProviderREST.Fault
  let rest: ProviderREST

  /// A command for a call under Call Control; tried twice when Telnyx is busy. `id` makes the second harmless.
  func command(
    _ name: String, _ body: [String: JSONValue], id: String, call: String, _ account: TelnyxAccount
  ) async throws(Fault) {
    let body = JSONValue.object(body.merging(["command_id": .string(id)]) { own, _ in own })
    try await post(
      "/calls/\(FormFields.encode(call))/actions/\(name)", body, call, account,
      isEnd: name == "hangup" || name == "reject")
  }

  /// Changes a call under TeXML.
  func update(
    _ call: String, of owner: String, _ body: JSONValue, _ account: TelnyxAccount
  ) async throws(Fault) {
    let path = "/texml/Accounts/\(FormFields.encode(owner))/Calls/\(FormFields.encode(call))"
    try await post(path, body, call, account, isEnd: body == TelnyxREST.over)
  }

  /// The update that ends a call under TeXML.
  static let over: JSONValue = ["Status": "completed"]

  /// - Parameter isEnd: Whether that is the call's end: one that is over is what was wanted.
  private func post(
    _ path: String, _ body: JSONValue, _ call: String, _ account: TelnyxAccount, isEnd: Bool
  ) async throws(Fault) {
    let request = HTTPRequest(
      "POST", url: account.apiURL + path,
      headers: [
        Header("Authorization", "Bearer \(account.apiKey)"), Header("Content-Type", "application/json"),
        Header("Accept", "application/json"),
      ], body: Array(body.text.utf8))
    try await rest.send(request, about: call, isRepeatable: true, isDone: { isEnd && $0.isGone }) {
      Fault(telnyx: $0)
    }
  }
}

/// Why Telnyx did not do something.
extension ProviderREST.Fault {
  enum Kind: Hashable {
    /// 90018: the call has ended. 90015, 404: nobody knows it.
    case callOver, unknownCall
    case unauthorized, tooManyRequests
    /// Telnyx is out of order, or out of reach.
    case unavailable
    /// It does not like what we ask.
    case refused
  }

  var kind: Kind {
    switch (status, code) {
    case (_, "90018"): .callOver
    case (_, "90015"): .unknownCall
    case (401, _), (403, _): .unauthorized
    case (404, _): .unknownCall
    case (429, _): .tooManyRequests
    case (500..., _): .unavailable
    default: .refused
    }
  }

  /// There is no such call any more, as far as Telnyx knows.
  var isGone: Bool { kind == .callOver || kind == .unknownCall }

  /// What it means for a hand-over.
  var outcome: TransferOutcome { isGone ? .callerHungUp : .refused(status: status, reason: message) }

  /// Reads `{"errors": [{"code", "title", "detail"}]}`.
  init(telnyx response: HTTPResponse) {
    let first = JSONValue(parsing: response.body)?["errors"]?.array?.first
    // A string, and a number in older answers.
    let code = first?["code"].flatMap { $0.string ?? $0.integer.map(String.init) }
    let words = [code, first?["title"]?.string, first?["detail"]?.string].compactMap { $0 }
    let text = ["status \(response.status)"] + words.map { String($0.prefix(150)) }
    self.init(status: response.status, code: code, message: text.joined(separator: ", "))
  }
}
