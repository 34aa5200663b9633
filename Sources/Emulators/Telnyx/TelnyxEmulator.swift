internal import FoundationEssentials
public import RouterCore

/// Telnyx's side of a call under Call Control (https://developers.telnyx.com/docs/voice/programmable-voice) or TeXML:
/// announces calls by signed webhooks, takes commands by REST, opens the media stream.
public final class TelnyxEmulator: XMLProvider {
  public static let name = "telnyx"
  public static let summary = "Telnyx: rings routerd up by webhook, with a caller who follows a script"
  public static let options =
    [
      EmulatorOption("--api-key", value: "TEXT", "What REST wants to see; 'key'"),
      EmulatorOption(
        "--key", value: "BASE64", "The private key that webhooks are signed with, 32 bytes; 32 zeros"),
      EmulatorOption("--connection", value: "ID", "The application; 1234567890"),
      EmulatorOption("--codec", value: "NAME", "What the caller's sound comes as: PCMU, PCMA, G722; PCMU"),
      EmulatorOption("--texml", "Ask for TeXML instead of telling by Call Control"),
      EmulatorOption("--quiet-dial", "Stop the media stream while a hand-over's target is called"),
      EmulatorOption("--twice", "Deliver every webhook twice, at the same time"),
    ] + phoneOptions(webhook: "http://127.0.0.1:8080/voip/telnyx")
  public static let notes = """
    telnyx: give routerd an account in providers: that points here,
      providers: {telnyx: {type: telnyx, apiKey: key, publicKey: O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=,
                           apiURL: "http://127.0.0.1:PORT"}}
    and let it ring:
      routerd emulate telnyx --port PORT --webhook http://127.0.0.1:8080/voip/telnyx --say "when are you open"
    """
  public static let sampleRate = 8000

  public let host: EmulatorHost
  public let options: EmulatorOptions
  public let board: Switchboard
  let connection: String
  let codec: String
  let isQuiet: Bool
  private let key: [UInt8]
  private let apiKey: String
  private let isTwice: Bool

  public init(_ options: EmulatorOptions, _ host: EmulatorHost) throws {
    self.options = options
    self.host = host
    board = try Switchboard(options)
    connection = options.value("--connection") ?? "1234567890"
    apiKey = options.value("--api-key") ?? "key"
    isTwice = options.has("--twice")
    isQuiet = options.has("--quiet-dial")
    codec = try options.choice("--codec", ["PCMU", "PCMA", "G722"]) ?? "PCMU"
    let given = options.value("--key").map { Base64.decode($0) ?? [] }
    key = given ?? [UInt8](repeating: 0, count: 32)
    guard key.count == 32 else { throw EmulatorError("--key: 32 bytes in base 64 are wanted") }
  }

  /// What the account's `publicKey` is, base 64.
  public var publicKey: String { Base64.encode(Signature.ed25519PublicKey(of: key) ?? []) }

  public func place(
    to webhook: String, caller: ScriptedCaller?, notice: @escaping @Sendable (CallNotice) -> Void
  ) async -> any EmulatedCall {
    let id = TelnyxEmulator.makeID()
    let who = EmulatedLine.Caller(script: caller, notice: notice)
    if options.has("--texml") {
      let fields = [
        ("CallSid", id), ("AccountSid", "acc"), ("ConnectionId", connection), ("From", from), ("To", to),
      ]
      let call = EmulatedXMLCall(
        self, id: id, webhook: webhook, statusCallback: webhook,
        fields: fields.map { FormFields.Field($0.0, $0.1) }, who)
      board.add(call)
      await call.begin()
      return call
    }
    let call = EmulatedTelnyxCall(self, id: id, webhook: webhook, from: from, to: to, who)
    board.add(call)
    await call.begin()
    return call
  }

  /// A `call_control_id`: a colon stands in it.
  static func makeID() -> String { "v3:" + Secret.token() + "_-" }

  // MARK: What is Telnyx's own in calls under TeXML

  func request(_ url: String, _ form: [FormFields.Field]) -> HTTPRequest {
    var request = webhook(FormFields(form).encoded, to: url)
    request.headers = request.headers.map {
      $0.name == "Content-Type" ? Header($0.name, "application/x-www-form-urlencoded") : $0
    }
    return request
  }

  func socketHeaders(_ url: String) -> [Header] { [] }

  func problems(of stream: XMLElement) -> [String] {
    (stream.attributes["bidirectionalMode"] == "rtp" ? [] : ["our sound would have to be MP3"])
      + (stream.attributes["bidirectionalCodec"] ?? "PCMU" == "PCMU" ? [] : ["the emulator hears PCMU"])
  }

  func wire(of call: String, _ stream: XMLElement) -> any StreamWire {
    // The stream has an identifier of the call's leg, which is not what TeXML calls it.
    TelnyxWire(codec: codec, callID: "leg of " + call)
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
      host.report.wire(response, to: request)
      if !(200..<300).contains(response.status) {
        host.report.violation("\(type): \(request.url) answered \(response.status)")
      }
    } catch {
      if ![.cancelled, .closed].contains(error.kind) { host.report.violation("\(type): \(error)") }
    }
  }

  // MARK: REST

  /// `POST /v2/calls/{call_control_id}/actions/{command}` and `/v2/texml/Accounts/{account}/Calls/{CallSid}`, nothing else.
  public func answer(_ request: HTTPServerRequest) async -> HTTPServerReply {
    guard request.header("Authorization") == "Bearer \(apiKey)" else {
      host.report.violation("REST without the account's key")
      return fault(401, "10009", "Authentication failed")
    }
    let path = request.path.split(separator: "/", omittingEmptySubsequences: false)
    let isCommand = path.count == 6 && path[1...2] == ["v2", "calls"] && path[4] == "actions"
    let isUpdate =
      path.count == 7 && path[1...3] == ["v2", "texml", "Accounts"] && path[5] == "Calls"
    guard isCommand || isUpdate, let id = FormFields(parsing: "id=\(path[isCommand ? 3 : 6])")["id"] else {
      host.report.violation("\(request.method) \(request.path): there is no such resource")
      return fault(404, "10005", "Resource not found")
    }
    if request.path.contains(":") {
      host.report.violation("a call_control_id is not encoded in \(request.path)")
    }
    guard request.method == "POST", let body = JSONValue(parsing: request.body)?.object,
      request.header("Content-Type")?.hasPrefix("application/json") == true
    else {
      host.report.violation("\(request.method) \(request.path): a JSON object is wanted")
      return fault(422, "10015", "Bad Request")
    }
    let (call, isOver) = board.find(id)
    guard let call else {
      return isOver
        ? fault(422, "90018", "Call has already ended") : fault(422, "90015", "Invalid Call Control ID")
    }
    if let problem = await isCommand ? command(String(path[5]), body, call) : update(body, call) {
      host.report.violation("\(isCommand ? String(path[5]) : "update"): \(problem)")
      return fault(422, "10027", problem)
    }
    return .json(200, ["data": ["result": "ok"]])
  }

  private func command(
    _ name: String, _ body: [String: JSONValue], _ call: any EmulatedCall
  ) async -> String? {
    guard let call = call as? EmulatedTelnyxCall else { return "that call is under TeXML" }
    return await call.perform(name, body)
  }

  private func update(_ body: [String: JSONValue], _ call: any EmulatedCall) async -> String? {
    guard let call = call as? EmulatedXMLCall else { return "that call is under Call Control" }
    if body == ["Status": "completed"] {
      host.report.saw("REST: hang up")
      await call.endByREST()
    } else if body.count == 1, let document = body["Texml"]?.string {
      host.report.saw("REST: new document")
      if await !call.replace(document) { return "the call is not up" }
    } else {
      return "\(body.keys.sorted().joined(separator: ", ")) is no update of a call"
    }
    return nil
  }

  private func fault(_ status: Int, _ code: String, _ title: String) -> HTTPServerReply {
    .json(
      status, ["errors": [["code": .string(code), "title": .string(title), "detail": .string(title)]]])
  }
}
