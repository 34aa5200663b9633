internal import FoundationEssentials
public import RouterCore

/// Vonage's side of a call (https://developer.vonage.com/en/voice/voice-api): asks the answer URL by a signed webhook, follows
/// the NCCO, opens the media socket, and takes REST requests for live calls.
public final class VonageEmulator: ProviderEmulator {
  public static let name = "vonage"
  public static let summary = "Vonage: rings routerd up by webhook, with a caller who follows a script"
  public static let options =
    [
      EmulatorOption("--event-url", value: "URL", "Who is told of events; the webhook's address and /events"),
      EmulatorOption("--fallback-url", value: "URL", "Who is asked when the webhook's address fails"),
      EmulatorOption("--method", value: "METHOD", "How the answer URL is asked: GET or POST; GET"),
      EmulatorOption("--signature-secret", value: "TEXT", "What webhooks are signed with; 'secret'"),
      EmulatorOption("--account-key", value: "KEY", "The account's key; 'a1b2c3d4'"),
      EmulatorOption("--application", value: "ID", "The application; zeros"),
      EmulatorOption(
        "--public-key", value: "FILE", "The application's public key (PEM); without it REST is refused"),
      EmulatorOption("--sound-first", "Send sound before websocket:connected"),
    ] + phoneOptions(webhook: "http://127.0.0.1:8080/voip/vonage")
  public static let notes = """
    vonage: make the application's keys, and give routerd an account in providers: that points here,
      openssl genpkey -algorithm RSA -out vonage.pem && openssl pkey -in vonage.pem -pubout -out vonage.pub
      providers: {vonage: {type: vonage, signatureSecret: secret, privateKey: "${file:vonage.pem}",
                           applicationId: 00000000-0000-0000-0000-000000000000, apiURL: "http://127.0.0.1:PORT"}}
    and let it ring:
      routerd emulate vonage --port PORT --public-key vonage.pub --webhook http://127.0.0.1:8080/voip/vonage \\
        --say "when are you open"
    """
  /// Enough for the media socket's usual rate.
  public static let sampleRate = 16000

  public let host: EmulatorHost
  public let options: EmulatorOptions
  public let board: Switchboard
  let isSoundFirst: Bool
  private let method: String
  private let secret: String
  private let accountKey: String
  private let application: String
  private let publicKey: String?

  public init(_ options: EmulatorOptions, _ host: EmulatorHost) throws {
    self.options = options
    self.host = host
    board = try Switchboard(options)
    isSoundFirst = options.has("--sound-first")
    method = try options.choice("--method", ["GET", "POST"]) ?? "GET"
    secret = options.value("--signature-secret") ?? "secret"
    accountKey = options.value("--account-key") ?? "a1b2c3d4"
    application = options.value("--application") ?? "00000000-0000-0000-0000-000000000000"
    publicKey = try options.value("--public-key").map { path in
      do { return try String(contentsOfFile: path, encoding: .utf8) } catch {
        throw EmulatorError("--public-key: \(path) cannot be read")
      }
    }
  }

  static func makeID() -> String { UUID().uuidString.lowercased() }
  /// Vonage writes numbers without their `+`.
  static func digits(_ number: String) -> String {
    number.hasPrefix("+") ? String(number.dropFirst()) : number
  }

  func eventURL(_ webhook: String) -> String {
    options.value("--event-url") ?? VonageEmulator.newsURL(webhook, "events")
  }

  public func place(
    to webhook: String, caller: ScriptedCaller?, notice: @escaping @Sendable (CallNotice) -> Void
  ) async -> any EmulatedCall {
    let call = EmulatedVonageCall(
      self, id: VonageEmulator.makeID(), webhook: webhook,
      EmulatedLine.Caller(script: caller, notice: notice))
    board.add(call)
    await call.begin()
    return call
  }

  // MARK: Webhooks

  /// The question what to do with a call, as GET or POST.
  public func question(_ url: String, _ fields: [(String, String)], issued: Int? = nil) -> HTTPRequest {
    let quoted = fields.map { "\(JSONValue.string($0.0).text):\(JSONValue.string($0.1).text)" }
    let json = "{" + quoted.joined(separator: ",") + "}"
    if method == "POST" { return webhook(json, to: url, issued: issued) }
    // The hash of a GET is over its fields as a JSON object, in their order.
    let query = FormFields(fields.map { FormFields.Field($0.0, $0.1) }).encoded
    var request = HTTPRequest("GET", url: "\(url)\(url.contains("?") ? "&" : "?")\(query)")
    request.headers = [authorization(hashing: json, issued: issued)]
    request.deadline = .seconds(5)
    return request
  }

  /// A webhook with a body, as Vonage would send it.
  public func webhook(_ body: String, to url: String, issued: Int? = nil) -> HTTPRequest {
    HTTPRequest(
      "POST", url: url,
      headers: [
        authorization(hashing: body, issued: issued), Header("Content-Type", "application/json"),
      ], body: Array(body.utf8), deadline: .seconds(5))
  }

  private func authorization(hashing content: String, issued: Int?) -> Header {
    Header("Authorization", "Bearer " + token(["payload_hash": .string(hash(content))], issued: issued))
  }

  private func hash(_ content: String) -> String { Digest.hexadecimal(Digest.hash(content.utf8)) }

  /// Vonage's own token.
  private func token(_ claims: [String: JSONValue], issued: Int? = nil) -> String {
    let own: [String: JSONValue] = [
      "iat": .integer(issued ?? Int(Date().timeIntervalSince1970)), "jti": .string(VonageEmulator.makeID()),
      "iss": "Vonage", "api_key": .string(accountKey), "application_id": .string(application),
    ]
    let all = JSONValue.object(own.merging(claims) { $1 })
    return JSONWebToken.signed(all, by: .hs256(Array(secret.utf8))) ?? ""
  }

  /// What opens a media socket.
  func authorization(_ wanted: JSONValue?) -> [Header] {
    switch wanted?["type"]?.string {
    case "vonage": [Header("Authorization", "Bearer " + token([:]))]
    case "custom": [Header("Authorization", wanted?["value"]?.string ?? "")]
    default: []
    }
  }

  /// An event; the answer is looked at by whoever needs it.
  func tell(_ event: [String: JSONValue], to url: String) async -> HTTPResponse? {
    let (response, fault) = await send(webhook(JSONValue.object(event).text, to: url))
    if let fault { host.report.violation("\(fault), to \(event["status"]?.string ?? "an event")") }
    return response
  }

  // MARK: REST

  /// `PUT /v1/calls/{uuid}` and `/v1/calls/{uuid}/dtmf`, and nothing else.
  public func answer(_ request: HTTPServerRequest) async -> HTTPServerReply {
    if let problem = refusal(of: request.header("Authorization") ?? "") {
      host.report.violation("REST: \(problem)")
      return fault(401, "Unauthorized", problem)
    }
    let path = request.path.split(separator: "/").map(String.init)
    guard request.method == "PUT", (3...4).contains(path.count), path[..<2] == ["v1", "calls"],
      path.count == 3 || path[3] == "dtmf"
    else {
      host.report.violation("\(request.method) \(request.path): there is no such resource")
      return fault(404, "Not Found", "there is no such resource")
    }
    guard let body = JSONValue(parsing: request.body)?.object,
      request.header("Content-Type")?.hasPrefix("application/json") == true
    else {
      host.report.violation("\(request.path): a JSON object is wanted")
      return fault(400, "Bad Request", "a JSON object is wanted")
    }
    guard let call = board.find(path[2]).call as? EmulatedVonageCall else {
      return fault(404, "Not Found", "Call was not found or is over")
    }
    if let problem = path.count == 4 ? press(body) : await update(call, body) {
      host.report.violation("REST: \(problem)")
      return fault(400, "Bad Request", problem)
    }
    return path.count == 4
      ? .json(200, ["message": "DTMF sent", "uuid": .string(path[2])])
      : .response(HTTPResponse(status: 204))
  }

  private func update(_ call: EmulatedVonageCall, _ body: [String: JSONValue]) async -> String? {
    switch body["action"]?.string {
    case "hangup":
      host.report.saw("REST: hangup")
      await call.endByREST()
      return nil
    case "transfer":
      host.report.saw("REST: transfer")
      guard let ncco = body["destination"]?["ncco"], body["destination"]?["type"] == "ncco" else {
        return "a transfer without an NCCO"
      }
      return await call.transfer(to: ncco)
    case let other: return "an unknown action \(other ?? "(none)")"
    }
  }

  private func press(_ body: [String: JSONValue]) -> String? {
    guard let digits = body["digits"]?.string, !digits.isEmpty,
      digits.allSatisfy({ "0123456789*#p".contains($0) })
    else { return "no digits" }
    host.report.saw("keys: \(digits)")
    return nil
  }

  /// Why a token of the application (RS256) is not believed.
  private func refusal(of header: String) -> String? {
    guard let publicKey else { return "a token cannot be verified without --public-key" }
    guard header.hasPrefix("Bearer ") else { return "no token" }
    let claims: JSONValue
    do throws(JSONWebToken.Fault) {
      claims = try JSONWebToken.verified(String(header.dropFirst(7)), by: .rs256(publicKey))
    } catch { return "the token is not believed: \(error)" }
    let now = Date().timeIntervalSince1970
    let (issued, end) = (claims["iat"]?.number ?? .infinity, claims["exp"]?.number ?? 0)
    if claims["application_id"]?.string != application { return "a token of another application" }
    if issued > now + 1 { return "a token of the future" }
    if end <= now || end - issued > 86_400 { return "a token that is over, or lives longer than a day" }
    return claims["jti"]?.string?.isEmpty == false ? nil : "a token without jti"
  }

  private func fault(_ status: Int, _ title: String, _ detail: String) -> HTTPServerReply {
    .json(
      status,
      [
        "type": "https://developer.vonage.com/en/api-errors", "title": .string(title),
        "detail": .string(detail),
      ])
  }
}
