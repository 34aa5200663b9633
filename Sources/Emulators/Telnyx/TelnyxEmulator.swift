internal import FoundationEssentials
public import RouterCore

/// Telnyx's side of a call under Call Control (https://developers.telnyx.com/docs/voice/programmable-voice): announces calls by
/// signed webhooks, takes commands by REST, opens the media stream.
public final class TelnyxEmulator: Emulator {
  public static let name = "telnyx"
  public static let summary = "Telnyx: rings routerd up by webhook, with a caller who follows a script"
  public static let options =
    [
      EmulatorOption(
        "--webhook", value: "URL", "Where calls are announced, e.g. http://127.0.0.1:8080/voip/telnyx"),
      EmulatorOption("--api-key", value: "TEXT", "What REST wants to see; 'key'"),
      EmulatorOption(
        "--key", value: "BASE64", "The private key that webhooks are signed with, 32 bytes; 32 zeros"),
      EmulatorOption("--connection", value: "ID", "The application; 1234567890"),
      EmulatorOption("--from", value: "NUMBER", "Who calls; +15550100001"),
      EmulatorOption("--to", value: "NUMBER", "Who is called; +15550100002"),
      EmulatorOption("--codec", value: "NAME", "What the caller's sound comes as: PCMU, PCMA, G722; PCMU"),
      EmulatorOption("--quiet-dial", "Stop the media stream while a hand-over's target is called"),
      EmulatorOption("--twice", "Deliver every webhook twice, at the same time"),
      EmulatorOption(
        "--target", value: "HOW", "What a hand-over meets: answer, busy, no-answer, failed; answer"),
    ] + ScriptedCaller.options
  public static let notes = """
    telnyx: give routerd an account in providers: that points here,
      providers: {telnyx: {type: telnyx, apiKey: key, publicKey: O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=,
                           apiURL: "http://127.0.0.1:PORT"}}
    and let it ring:
      routerd emulate telnyx --port PORT --webhook http://127.0.0.1:8080/voip/telnyx --say "when are you open"
    """

  /// What a live call's target does when it is called for a hand-over.
  public enum Target: String, Sendable, CaseIterable { case answer, busy, noAnswer = "no-answer", failed }

  let host: EmulatorHost
  let connection: String
  let codec: String
  let target: Lock<Target>
  private let key: [UInt8]
  private let apiKey: String
  private let isTwice: Bool
  let isQuiet: Bool
  private let options: EmulatorOptions
  private let calls = Lock<(live: [String: EmulatedTelnyxCall], over: RecentSet)>(([:], RecentSet(1000)))

  public init(_ options: EmulatorOptions, _ host: EmulatorHost) throws {
    self.options = options
    self.host = host
    connection = options.value("--connection") ?? "1234567890"
    apiKey = options.value("--api-key") ?? "key"
    isTwice = options.has("--twice")
    isQuiet = options.has("--quiet-dial")
    codec = try options.choice("--codec", ["PCMU", "PCMA", "G722"]) ?? "PCMU"
    let target = try options.choice("--target", Target.allCases.map(\.rawValue))
    self.target = Lock(target.flatMap(Target.init) ?? .answer)
    let given = options.value("--key").map { Base64.decode($0) ?? [] }
    key = given ?? [UInt8](repeating: 0, count: 32)
    guard key.count == 32 else { throw EmulatorError("--key: 32 bytes in base 64 are wanted") }
  }

  /// What the account's `publicKey` is, base 64.
  public var publicKey: String { Base64.encode(Signature.ed25519PublicKey(of: key) ?? []) }
  /// Calls that are up, or ringing.
  public var liveCalls: Int { calls.withLock { $0.live.count } }
  /// What the next hand-over meets.
  public func setTarget(_ new: Target) { target.withLock { $0 = new } }

  /// Announces a call.
  /// - Parameters:
  ///   - caller: Who speaks and presses keys by a script; without one, the call's own methods do.
  ///   - notice: Is told what the caller notices.
  public func place(
    to webhook: String, caller: ScriptedCaller? = nil,
    notice: @escaping @Sendable (EmulatedTelnyxCall.Notice) -> Void = { _ in }
  ) async -> EmulatedTelnyxCall {
    let call = EmulatedTelnyxCall(
      self, id: TelnyxEmulator.makeID(), webhook: webhook, from: options.value("--from") ?? "+15550100001",
      to: options.value("--to") ?? "+15550100002", caller: caller, notice: notice)
    calls.withLock { $0.live[call.id] = call }
    await call.begin()
    return call
  }

  /// A `call_control_id`: a colon stands in it.
  static func makeID() -> String { "v3:" + Secret.token() + "_-" }

  func forget(_ id: String) {
    calls.withLock { calls in
      calls.live[id] = nil
      calls.over.insert(id)
    }
  }

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

  // MARK: Webhooks

  /// A webhook as Telnyx would send it. The signature is made here anew: a mistake of the plugin's is not made twice.
  public func webhook(_ body: String, to url: String, timestamp: Int? = nil) -> HTTPRequest {
    let time = String(timestamp ?? Int(Date().timeIntervalSince1970))
    let signature = Signature.ed25519(Array("\(time)|\(body)".utf8), privateKey: key) ?? []
    return HTTPRequest(
      "POST", url: url,
      headers: [
        Header("telnyx-timestamp", time), Header("telnyx-signature-ed25519", Base64.encode(signature)),
        Header("Content-Type", "application/json"), Header("User-Agent", "telnyx-webhooks"),
      ], body: Array(body.utf8), deadline: .seconds(10))
  }

  /// An event's body.
  public func event(_ type: String, _ payload: [String: JSONValue]) -> String {
    let event: JSONValue = [
      "record_type": "event", "event_type": .string(type), "id": .string(Secret.token()),
      "occurred_at": "2026-01-15T14:00:00.000000Z", "payload": .object(payload),
    ]
    return JSONValue.object(["data": event, "meta": ["attempt": 1]]).text
  }

  func tell(_ type: String, _ payload: [String: JSONValue], to url: String) async {
    let request = webhook(event(type, payload), to: url)
    await withDiscardingTaskGroup { group in
      for _ in 0..<(isTwice ? 2 : 1) { group.addTask { await self.deliver(request, type) } }
    }
  }

  private func deliver(_ request: HTTPRequest, _ type: String) async {
    do throws(HTTPError) {
      let response = try await host.http.send(request)
      if !(200..<300).contains(response.status) {
        host.report.violation("\(type): \(request.url) answered \(response.status)")
      }
    } catch {
      if ![.cancelled, .closed].contains(error.kind) { host.report.violation("\(type): \(error)") }
    }
  }

  // MARK: REST

  /// `POST /v2/calls/{call_control_id}/actions/{command}`, and nothing else.
  public func answer(_ request: HTTPServerRequest) async -> HTTPServerReply {
    guard request.header("Authorization") == "Bearer \(apiKey)" else {
      host.report.violation("REST without the account's key")
      return fault(401, "10009", "Authentication failed")
    }
    let path = request.path.split(separator: "/", omittingEmptySubsequences: false)
    guard path.count == 6, path[1] == "v2", path[2] == "calls", path[4] == "actions",
      let id = FormFields(parsing: "id=\(path[3])")["id"]
    else {
      host.report.violation("\(request.method) \(request.path): there is no such resource")
      return fault(404, "10005", "Resource not found")
    }
    if path[3].contains(":") { host.report.violation("a call_control_id is not encoded in \(request.path)") }
    guard request.method == "POST", let body = JSONValue(parsing: request.body)?.object,
      request.header("Content-Type")?.hasPrefix("application/json") == true
    else {
      host.report.violation("\(request.method) \(request.path): a JSON object is wanted")
      return fault(422, "10015", "Bad Request")
    }
    let (call, isOver) = calls.withLock { ($0.live[id], $0.over.contains(id)) }
    guard let call else {
      return isOver
        ? fault(422, "90018", "Call has already ended") : fault(422, "90015", "Invalid Call Control ID")
    }
    if let problem = await call.perform(String(path[5]), body) {
      host.report.violation("\(path[5]): \(problem)")
      return fault(422, "10027", problem)
    }
    return reply(200, ["data": ["result": "ok"]])
  }

  private func fault(_ status: Int, _ code: String, _ title: String) -> HTTPServerReply {
    reply(status, ["errors": [["code": .string(code), "title": .string(title), "detail": .string(title)]]])
  }

  private func reply(_ status: Int, _ body: JSONValue) -> HTTPServerReply {
    .response(
      HTTPResponse(
        status: status, headers: [Header("Content-Type", "application/json")], body: Array(body.text.utf8)))
  }
}
