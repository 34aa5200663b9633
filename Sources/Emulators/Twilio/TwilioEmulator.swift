public import RouterCore

/// Twilio's side of a call (https://www.twilio.com/docs/voice): announces calls by signed webhooks, follows the reply, opens
/// the media stream, and takes REST requests for live calls.
public final class TwilioEmulator: XMLProvider {
  public static let name = "twilio"
  public static let summary = "Twilio: rings routerd up by webhook, with a caller who follows a script"
  public static let options =
    [
      EmulatorOption(
        "--status-callback", value: "URL", "Who is told of the end; the webhook's address and /status"),
      EmulatorOption("--account", value: "SID", "The account; AC and 32 zeros"),
      EmulatorOption("--token", value: "TEXT", "Its auth token; 'token'"),
      EmulatorOption("--field", value: "NAME=VALUE", repeatable: true, "Another field of the webhook"),
    ] + phoneOptions(webhook: "http://127.0.0.1:8080/voip/twilio")
  public static let notes = """
    twilio: give routerd an account in providers: that points here,
      providers: {twilio: {type: twilio, accountSid: AC00…, authToken: token, apiURL: "http://127.0.0.1:PORT"}}
    and let it ring:
      routerd emulate twilio --port PORT --webhook http://127.0.0.1:8080/voip/twilio --say "when are you open"
    """
  public static let sampleRate = 8000

  public let host: EmulatorHost
  public let options: EmulatorOptions
  public let board: Switchboard
  private let account: String
  private let token: String

  public init(_ options: EmulatorOptions, _ host: EmulatorHost) throws {
    self.options = options
    self.host = host
    board = try Switchboard(options)
    account = options.value("--account") ?? "AC" + String(repeating: "0", count: 32)
    token = options.value("--token") ?? "token"
  }

  public func place(
    to webhook: String, caller: ScriptedCaller?, notice: @escaping @Sendable (CallNotice) -> Void
  ) async -> any EmulatedCall {
    await place(to: webhook, fields: [], caller: caller, notice: notice)
  }

  /// Announces a call with other fields than usual.
  public func place(
    to webhook: String, fields: [(String, String)], caller: ScriptedCaller? = nil,
    notice: @escaping @Sendable (CallNotice) -> Void = { _ in }
  ) async -> any EmulatedCall {
    let sid = "CA" + Secret.token().prefix(32)
    let call = EmulatedXMLCall(
      self, id: sid, webhook: webhook,
      statusCallback: options.value("--status-callback") ?? TwilioEmulator.newsURL(webhook, "status"),
      fields: form(sid, fields), EmulatedLine.Caller(script: caller, notice: notice))
    board.add(call)
    await call.begin()
    return call
  }

  private func form(_ sid: String, _ fields: [(String, String)]) -> [FormFields.Field] {
    var more: [(String, String)] = []
    for text in options.all("--field") {
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      more.append((String(parts[0]), parts.count == 2 ? String(parts[1]) : ""))
    }
    more += fields
    let from = more.last { $0.0 == "From" }?.1 ?? from
    let to = more.last { $0.0 == "To" }?.1 ?? to
    let all: [(String, String)] = [
      ("AccountSid", account), ("ApiVersion", "2010-04-01"), ("CallSid", sid), ("Called", to),
      ("Caller", from), ("Direction", "inbound"), ("From", from), ("FromCity", ""), ("FromCountry", "US"),
      ("To", to), ("ToCity", ""),
    ]
    return (all + more.filter { $0.0 != "From" && $0.0 != "To" }).map { FormFields.Field($0.0, $0.1) }
  }

  // MARK: What is Twilio's own in its calls

  func request(_ url: String, _ form: [FormFields.Field]) -> HTTPRequest {
    HTTPRequest(
      "POST", url: url,
      headers: [
        signature(url, form),
        Header("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8"),
        Header("User-Agent", "TwilioProxy/1.1"),
      ], body: Array(FormFields(form).encoded.utf8), deadline: .seconds(15))
  }

  func socketHeaders(_ url: String) -> [Header] { [signature(url, [])] }

  func problems(of stream: XMLElement) -> [String] {
    let url = stream.attributes["url"] ?? ""
    return url.contains("?") ? ["31920 a stream's URL has no query"] : []
  }

  func wire(of call: String, _ stream: XMLElement) -> any StreamWire {
    TwilioWire(account: account, callSid: call, parameters: stream.children)
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
    let (call, isOver) = board.find(sid)
    guard let call = call as? EmulatedXMLCall else {
      // Ending what is over is no error.
      if isOver, FormFields(parsing: request.body)["Status"] == "completed" {
        return .json(200, ["sid": .string(sid), "status": "completed"])
      }
      return fault(404, 20404, "The requested resource \(request.path) was not found")
    }
    return await update(call, FormFields(parsing: request.body))
  }

  private func update(_ call: EmulatedXMLCall, _ form: FormFields) async -> HTTPServerReply {
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
    return .json(200, ["sid": .string(call.id), "status": "in-progress"])
  }

  private func fault(_ status: Int, _ code: Int, _ message: String) -> HTTPServerReply {
    .json(
      status,
      [
        "code": .integer(code), "message": .string(message), "status": .integer(status),
        "more_info": .string("https://www.twilio.com/docs/errors/\(code)"),
      ])
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
