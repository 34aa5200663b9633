public import RouterCore

/// Twilio's side of a call (https://www.twilio.com/docs/voice): announces calls by signed webhooks, follows the reply, opens
/// the media stream, and takes REST requests for live calls.
public final class TwilioEmulator: Emulator {
  public static let name = "twilio"
  public static let summary = "Twilio: rings routerd up by webhook, with a caller who follows a script"
  public static let options =
    [
      EmulatorOption(
        "--webhook", value: "URL", "Where calls are announced, e.g. http://127.0.0.1:8080/voip/twilio"),
      EmulatorOption(
        "--status-callback", value: "URL", "Who is told of the end; the webhook's address and /status"),
      EmulatorOption("--account", value: "SID", "The account; AC and 32 zeros"),
      EmulatorOption("--token", value: "TEXT", "Its auth token; 'token'"),
      EmulatorOption("--from", value: "NUMBER", "Who calls; +15550100001"),
      EmulatorOption("--to", value: "NUMBER", "Who is called; +15550100002"),
      EmulatorOption("--field", value: "NAME=VALUE", repeatable: true, "Another field of the webhook"),
      EmulatorOption(
        "--target", value: "HOW", "What a hand-over meets: answer, busy, no-answer, failed; answer"),
    ] + ScriptedCaller.options
  public static let notes = """
    twilio: give routerd an account in providers: that points here,
      providers: {twilio: {type: twilio, accountSid: AC00…, authToken: token, apiURL: "http://127.0.0.1:PORT"}}
    and let it ring:
      routerd emulate twilio --port PORT --webhook http://127.0.0.1:8080/voip/twilio --say "when are you open"
    """

  /// What a live call's target does when it is called for a hand-over.
  public enum Target: String, Sendable, CaseIterable { case answer, busy, noAnswer = "no-answer", failed }

  let account: String
  let token: String
  let host: EmulatorHost
  let target: Lock<Target>
  private let options: EmulatorOptions
  private let calls = Lock<[String: EmulatedTwilioCall]>([:])

  public init(_ options: EmulatorOptions, _ host: EmulatorHost) throws {
    self.options = options
    self.host = host
    account = options.value("--account") ?? "AC" + String(repeating: "0", count: 32)
    token = options.value("--token") ?? "token"
    let target = try options.choice("--target", Target.allCases.map(\.rawValue))
    self.target = Lock(target.flatMap(Target.init) ?? .answer)
  }

  /// Calls that are up, or ringing.
  public var liveCalls: Int { calls.withLock { $0.count } }

  /// What the next hand-over meets.
  public func setTarget(_ new: Target) { target.withLock { $0 = new } }

  /// Announces a call.
  /// - Parameters:
  ///   - caller: Who speaks and presses keys by a script; without one, the call's own methods do.
  ///   - notice: Is told what the caller notices, on the emulator's loop.
  public func place(
    to webhook: String, fields: [(String, String)] = [], caller: ScriptedCaller? = nil,
    notice: @escaping @Sendable (EmulatedTwilioCall.Notice) -> Void = { _ in }
  ) async -> EmulatedTwilioCall {
    let sid = "CA" + Secret.token().prefix(32)
    var all: [(String, String)] = [
      ("From", options.value("--from") ?? "+15550100001"), ("To", options.value("--to") ?? "+15550100002"),
    ]
    for text in options.all("--field") {
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      all.append((String(parts[0]), parts.count == 2 ? String(parts[1]) : ""))
    }
    let status = options.value("--status-callback") ?? webhook + "/status"
    let call = EmulatedTwilioCall(
      self, sid: sid, webhook: webhook, statusCallback: status, fields: all + fields, caller: caller,
      notice: notice)
    calls.withLock { $0[sid] = call }
    await call.begin()
    return call
  }

  func forget(_ sid: String) { calls.withLock { $0[sid] = nil } }

  public func act(at address: SocketAddress) async throws {
    guard let webhook = options.value("--webhook") else { return }
    let caller = try await ScriptedCaller(options, sampleRate: 8000, host)
    let isOver = OneShot<Void>()
    let call = await place(to: webhook, caller: caller) { notice in
      switch notice {
      case .refused, .ended: isOver.resolve(())
      case .answered: break
      }
    }
    await isOver.value(cancelled: ())
    if Task.isCancelled { await call.hangUp() }
    host.report.isDone.resolve(())
  }

  // MARK: REST

  /// `POST /2010-04-01/Accounts/{AccountSid}/Calls/{CallSid}.json`, and nothing else.
  public func answer(_ request: HTTPServerRequest) async -> HTTPServerReply {
    let path = request.path.split(separator: "/").map(String.init)
    guard path.count == 5, path[0] == "2010-04-01", path[1] == "Accounts", path[3] == "Calls",
      path[4].hasSuffix(".json")
    else {
      host.report.violation("\(request.method) \(request.path): there is no such resource")
      return fault(404, 20404, "The requested resource \(request.path) was not found")
    }
    guard request.header("Authorization") == "Basic " + Base64.encode("\(account):\(token)".utf8),
      path[2] == account
    else {
      host.report.violation("REST without the account's credentials")
      return fault(401, 20003, "Authenticate")
    }
    guard request.method == "POST",
      request.header("Content-Type")?.hasPrefix("application/x-www-form-urlencoded") == true
    else {
      host.report.violation("\(request.method) \(request.path): a form is wanted")
      return fault(400, 20001, "Bad request")
    }
    let sid = String(path[4].dropLast(5))
    guard let call = calls.withLock({ $0[sid] }) else {
      return fault(404, 20404, "The requested resource \(request.path) was not found")
    }
    return await update(call, FormFields(parsing: request.body))
  }

  private func update(_ call: EmulatedTwilioCall, _ form: FormFields) async -> HTTPServerReply {
    let names = Set(form.all.map(\.name))
    if form["Status"] == "completed", names == ["Status"] {
      host.report.saw("REST: hang up")
      await call.endByREST()
    } else if let twiml = form["Twiml"], names == ["Twiml"], twiml.count <= 4000 {
      host.report.saw("REST: new document")
      guard await call.replace(twiml) else {
        return fault(400, 21220, "Call is not in-progress. Cannot redirect.")
      }
    } else {
      host.report.violation("REST: \(names.sorted().joined(separator: ", ")) is no update of a call")
      return fault(400, 20001, "Bad request")
    }
    return .response(
      HTTPResponse(
        status: 200, headers: [Header("Content-Type", "application/json")],
        body: Array(#"{"sid":"\#(call.sid)","status":"in-progress"}"#.utf8)))
  }

  private func fault(_ status: Int, _ code: Int, _ message: String) -> HTTPServerReply {
    let body: JSONValue = [
      "code": .integer(code), "message": .string(message), "status": .integer(status),
      "more_info": .string("https://www.twilio.com/docs/errors/\(code)"),
    ]
    return .response(
      HTTPResponse(
        status: status, headers: [Header("Content-Type", "application/json")], body: Array(body.text.utf8)))
  }

  // MARK: Signatures

  /// `X-Twilio-Signature` (https://www.twilio.com/docs/usage/security#validating-requests), written anew here: a mistake that
  /// the plugin makes must not be made twice.
  func signature(_ url: String, _ fields: [FormFields.Field]) -> Header {
    var names: [[UInt8]: Set<[UInt8]>] = [:]
    for field in fields { names[Array(field.name.utf8), default: []].insert(Array(field.value.utf8)) }
    var content = Array(url.utf8)
    for name in names.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      for value in (names[name] ?? []).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
        content += name + value
      }
    }
    return Header("X-Twilio-Signature", Base64.encode(Digest.authenticate(content, key: token.utf8, .sha1)))
  }
}
