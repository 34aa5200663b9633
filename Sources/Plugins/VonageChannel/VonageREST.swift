internal import FoundationEssentials
internal import RouterCore

/// What is asked of Vonage by REST (https://developer.vonage.com/en/api/voice): `PUT /v1/calls/UUID`.
struct VonageREST: Sendable {
  typealias Fault = ProviderREST.Fault
  let rest: ProviderREST
  private let tokens = VonageTokens()

  init(rest: ProviderREST) { self.rest = rest }

  /// Whether there is a key that a token can be signed with.
  func hasKey(_ account: VonageAccount) -> Bool { token(account) != nil }

  private func token(_ account: VonageAccount) -> String? {
    tokens.token(account, now: Int(Date().timeIntervalSince1970))
  }

  /// Ends a call. One that is over already is no error.
  func hangUp(_ call: VonageCallID, _ account: VonageAccount) async {
    // Why it failed was logged, and nothing more can be done.
    do throws(Fault) { try await put("", ["action": "hangup"], call, account, isEnd: true) } catch {}
  }

  /// Gives a call other actions.
  func transfer(_ call: VonageCallID, _ account: VonageAccount, to ncco: NCCO) async throws(Fault) {
    try await put(
      "", ["action": "transfer", "destination": ["type": "ncco", "ncco": ncco.json]], call, account)
  }

  /// Presses keys towards the caller.
  func press(_ digits: String, _ call: VonageCallID, _ account: VonageAccount) async throws(Fault) {
    try await put("/dtmf", ["digits": .string(digits)], call, account)
  }

  private func put(
    _ path: String, _ body: JSONValue, _ call: VonageCallID, _ account: VonageAccount,
    isEnd: Bool = false
  ) async throws(Fault) {
    guard let token = token(account) else {
      throw Fault(
        status: 0, message: "'privateKey' and 'applicationId' of provider \(account.name) are needed for it")
    }
    let request = HTTPRequest(
      "PUT", url: "\(call.apiURL(account))/v1/calls/\(FormFields.encode(call.uuid))\(path)",
      headers: [Header("Authorization", "Bearer \(token)"), Header("Content-Type", "application/json")],
      body: Array(body.text.utf8))
    try await rest.send(
      request, about: call.uuid, isRepeatable: isEnd, isDone: { isEnd && $0.isGone }
    ) { Fault(vonage: $0) }
  }
}

extension ProviderREST.Fault {
  /// The call is over, as far as Vonage knows.
  var isGone: Bool { status == 404 || status == 400 }

  /// Reads `{"title", "detail"}`.
  init(vonage response: HTTPResponse) {
    let problem = JSONValue(parsing: response.body)
    let words = ["title", "error_title", "detail"].compactMap { problem?[$0]?.string?.prefix(100) }
    let message = ["status \(response.status)"] + words.map(String.init)
    self.init(status: response.status, message: message.joined(separator: ", "))
  }
}

/// A call as Vonage's REST knows it.
struct VonageCallID: Sendable, Hashable {
  var uuid: String
  /// Which of Vonage's regions has it, as its webhook said.
  var region: String?

  /// The account's own choice, then the call's region if that is one of Vonage's, then the usual one.
  func apiURL(_ account: VonageAccount) -> String {
    if let url = account.apiURL { return url }
    guard let region, region.hasPrefix("https://") else { return VonageCallID.usualURL }
    let host = region.dropFirst(8).lowercased().prefix { $0 != "/" }
    let isTheirs = [".vonage.com", ".nexmo.com"].contains { host.hasSuffix($0) }
    return isTheirs && host.allSatisfy({ $0.isLetter || $0.isNumber || ".-".contains($0) })
      ? "https://\(host)" : VonageCallID.usualURL
  }

  private static let usualURL = "https://api.nexmo.com"
}
