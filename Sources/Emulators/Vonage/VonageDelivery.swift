internal import RouterCore

/// How webhooks are delivered: again when that may help, and at last to the fallback address
/// (https://developer.vonage.com/en/voice/voice-api/webhook-reference#fallback-url).
extension VonageEmulator {
  /// What a second request may make good; others are errors at once.
  private static let passing: Set<Int> = [429, 503, 504]

  /// Sends a webhook, and once more when it was not answered or the server was busy. Gives the last answer, and what was wrong with it.
  func send(_ request: HTTPRequest) async -> (response: HTTPResponse?, fault: String?) {
    let url = request.url.prefix { $0 != "?" }
    var fault = ""
    for attempt in 1...2 {
      do throws(HTTPError) {
        let response = try await host.http.send(request)
        host.report.wire(response, to: request)
        if (200..<300).contains(response.status) { return (response, nil) }
        fault = "\(url) answered \(response.status)"
        guard VonageEmulator.passing.contains(response.status) else { return (response, fault) }
      } catch {
        // The emulator itself may be at its end.
        if [.cancelled, .closed].contains(error.kind) { return (nil, nil) }
        fault = "\(url): \(error)"
      }
      if attempt == 1 { host.report.saw("asking again: \(fault)") }
    }
    return (nil, fault)
  }

  /// Asks the answer URL what to do with a call, and the fallback address when that fails; `nil` when there is no NCCO.
  func ask(_ webhook: String, _ fields: [(String, String)]) async -> [JSONValue]? {
    var problem: String?
    for url in [webhook, options.value("--fallback-url")].compactMap({ $0 }) {
      if let problem { host.report.saw("asking the fallback: \(problem)") }
      let (response, fault) = await send(question(url, fields, after: problem, webhook))
      if response == nil, fault == nil { return nil }
      switch ncco(response, fault) {
      case .success(let actions): return actions
      case .failure(let error): problem = error.description
      }
    }
    host.report.violation(problem ?? "nobody was asked")
    return nil
  }

  /// What an answer tells to do.
  private func ncco(_ response: HTTPResponse?, _ fault: String?) -> Result<[JSONValue], EmulatorError> {
    guard let response, fault == nil else { return .failure(EmulatorError(fault ?? "no answer")) }
    guard response.status == 200 else { return .failure(EmulatorError("an answer of \(response.status)")) }
    let type = response.header("Content-Type")?.prefix { $0 != ";" } ?? ""
    if type != "application/json" { return .failure(EmulatorError("an NCCO comes as \(type)")) }
    return ncco(response.body)
  }

  /// Reads actions strictly.
  func ncco(_ body: [UInt8]) -> Result<[JSONValue], EmulatorError> {
    guard let ncco = JSONValue(parsing: body), let actions = ncco.array else {
      return .failure(EmulatorError("an NCCO that is no JSON array"))
    }
    if let fault = NCCORules.actions.fault(ncco) {
      return .failure(EmulatorError("an NCCO with \(fault.path): \(fault.message)"))
    }
    return .success(actions)
  }

  /// The question what to do. The fallback address is told what happened to the first one: always by POST, since Vonage does not say
  /// how a query would carry an object.
  private func question(
    _ url: String, _ fields: [(String, String)], after problem: String?, _ first: String
  ) -> HTTPRequest {
    guard let problem else { return question(url, fields) }
    var body = Dictionary(fields.map { ($0.0, JSONValue.string($0.1)) }) { $1 }
    body["reason"] = .string(problem)
    body["original_request"] = ["url": .string(first), "type": "answer"]
    return webhook(JSONValue.object(body).text, to: url)
  }
}
