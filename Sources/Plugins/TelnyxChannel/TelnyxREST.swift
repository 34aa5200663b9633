internal import RouterCore

/// What is asked of Telnyx by REST (https://developers.telnyx.com/api/call-control): commands for one call.
struct TelnyxREST: Sendable {
  let http: any HTTPSending
  let log: Log
  let metrics: Metrics

  /// Answers longer than this are no answers.
  private static let maximumBytes = 64 << 10
  private static let deadline = Duration.seconds(6)
  /// Before the one try that follows a command that was not taken; Telnyx may ask for more.
  private static let pause = 0.25
  private static let longestPause = 2.0

  /// Why something was not done.
  struct Fault: Error, Hashable {
    enum Kind: Hashable {
      /// 90018: the call has ended. 90015, 404: nobody knows it.
      case callOver, unknownCall
      case unauthorized, tooManyRequests
      /// Telnyx is out of order, or out of reach.
      case unavailable
      /// It does not like what we ask.
      case refused
    }

    var kind: Kind
    var status: Int
    /// Telnyx's own number of the error, e.g. `90018`.
    var code: String?
    var message: String
    fileprivate var retryAfter: Double?

    /// There is no such call any more, as far as Telnyx knows.
    var isGone: Bool { kind == .callOver || kind == .unknownCall }
    fileprivate var isWorthAnotherTry: Bool { kind == .tooManyRequests || kind == .unavailable }

    init(status: Int, code: String? = nil, message: String) {
      self.status = status
      self.code = code
      self.message = message
      kind =
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

    /// Reads `{"errors": [{"code", "title", "detail"}]}`.
    init(_ response: HTTPResponse) {
      let first = JSONValue(parsing: response.body)?["errors"]?.array?.first
      // A string, and a number in older answers.
      let code = first?["code"].flatMap { $0.string ?? $0.integer.map(String.init) }
      let words = [code, first?["title"]?.string, first?["detail"]?.string].compactMap { $0 }
      let text = ["status \(response.status)"] + words.map { String($0.prefix(150)) }
      self.init(status: response.status, code: code, message: text.joined(separator: ", "))
      retryAfter = response.header("Retry-After").flatMap { Double($0) }
    }
  }

  /// A command for a call under Call Control; tried twice when Telnyx is busy. `id` makes the second harmless.
  func command(
    _ name: String, _ body: [String: JSONValue], id: String, call: String, _ account: TelnyxAccount
  ) async throws(Fault) {
    let body = JSONValue.object(body.merging(["command_id": .string(id)]) { own, _ in own })
    try await post("/calls/\(FormFields.encode(call))/actions/\(name)", body, call, account)
  }

  /// Changes a call under TeXML.
  func update(
    _ call: String, of owner: String, _ body: JSONValue, _ account: TelnyxAccount
  ) async throws(Fault) {
    let path = "/texml/Accounts/\(FormFields.encode(owner))/Calls/\(FormFields.encode(call))"
    try await post(path, body, call, account)
  }

  private func post(
    _ path: String, _ body: JSONValue, _ call: String, _ account: TelnyxAccount
  ) async throws(Fault) {
    let request = HTTPRequest(
      "POST", url: account.apiURL + path,
      headers: [
        Header("Authorization", "Bearer \(account.apiKey)"), Header("Content-Type", "application/json"),
        Header("Accept", "application/json"),
      ], body: Array(body.text.utf8), deadline: TelnyxREST.deadline,
      maximumBodyBytes: TelnyxREST.maximumBytes)
    var isAgain = false
    while true {
      do throws(Fault) {
        try await send(request)
        return metrics.add(
          "routerd_voip_commands_total", 1, ["provider": TelnyxChannel.name, "result": "ok"])
      } catch {
        metrics.add("routerd_voip_commands_total", 1, ["provider": TelnyxChannel.name, "result": "failed"])
        log.warning(
          "the provider did not do what it was asked", ("status", "\(error.status)"), ("why", error.message),
          ("call", call))
        guard error.isWorthAnotherTry, !isAgain else { throw error }
        isAgain = true
        let wanted = error.retryAfter ?? TelnyxREST.pause
        let pause = min(max(wanted.isFinite ? wanted : 0, 0), TelnyxREST.longestPause)
        // Cancelled: nobody wants it any more.
        guard (try? await Task.sleep(for: .milliseconds(Int(pause * 1000)))) != nil else { throw error }
      }
    }
  }

  private func send(_ request: HTTPRequest) async throws(Fault) {
    let response: HTTPResponse
    do throws(HTTPError) { response = try await http.send(request) } catch {
      throw Fault(status: 503, message: error.message)
    }
    guard (200..<300).contains(response.status) else { throw Fault(response) }
  }
}
