internal import RouterCore

/// The control socket's commands as HTTP: which request is which command, and which answer is which status. Pure.
struct AdminAPI: Sendable {
  /// Carries out a command, as for the control socket.
  typealias Handler = @Sendable (ControlRequest) async throws -> JSONValue

  private let token: [UInt8]
  private let handler: Handler

  /// - Parameter token: What clients must know.
  init(token: String, _ handler: @escaping Handler) {
    self.token = Digest.hash(token.utf8)
    self.handler = handler
  }

  /// A command and where it is.
  struct Verb: Sendable {
    var command: String
    var method: String
    /// `{id}` becomes an argument.
    var path: String
    /// Arguments that the query (GET) or the body (POST) may hold; numbers where `true`.
    var arguments: [String: Bool] = [:]
    /// The whole body is this one argument.
    var body: String?
  }

  static let verbs = [
    Verb(command: "status", method: "GET", path: "/v1/status"),
    Verb(command: "calls", method: "GET", path: "/v1/calls", arguments: ["limit": true]),
    Verb(command: "call", method: "GET", path: "/v1/calls/{id}"),
    Verb(command: "why", method: "GET", path: "/v1/calls/{id}/why"),
    Verb(command: "routes", method: "GET", path: "/v1/routes", arguments: ["limit": true]),
    Verb(command: "versions", method: "GET", path: "/v1/versions"),
    Verb(command: "diff", method: "GET", path: "/v1/diff", arguments: ["version": false, "calls": true]),
    Verb(command: "reload", method: "POST", path: "/v1/reload"),
    Verb(command: "rollback", method: "POST", path: "/v1/rollback", arguments: ["version": false]),
    Verb(command: "explain", method: "POST", path: "/v1/explain", body: "call"),
  ]

  /// Everything that a listener serves.
  var routes: [WebRoute] {
    AdminAPI.verbs.map { verb in
      WebRoute(
        verb.path, methods: [verb.method], accepts: ["application/json"],
        maximumBodyBytes: ControlRequest.maximumBytes
      ) { request in .response(await answer(verb, request)) }
    }
  }

  func answer(_ verb: Verb, _ request: HTTPServerRequest) async -> HTTPResponse {
    if let refusal = refusal(request) { return refusal }
    do {
      var command = ControlRequest(command: verb.command, arguments: try AdminAPI.arguments(verb, request))
      command.origin = "the admin API"
      let answer = HTTPResponse.json(200, try await handler(command))
      guard answer.body.count <= ControlLine.maximumBytes else {
        return .failure(500, "the answer is longer than \(ControlLine.maximumBytes) bytes")
      }
      return answer
    } catch let failure as ControlFailure {
      return .failure(AdminAPI.status(failure), failure.message)
    } catch {
      return .failure(500, "\(error)")
    }
  }

  /// Why a request is not listened to; `nil` when it is.
  private func refusal(_ request: HTTPServerRequest) -> HTTPResponse? {
    // Browsers name the page that a request comes from; no page has any business here, whatever it knows.
    if request.header("Origin") != nil { return .failure(403, "web pages are not served") }
    let parts = (request.header("Authorization") ?? "").split(separator: " ", maxSplits: 1)
    if parts.count == 2, parts[0].lowercased() == "bearer",
      // Of digests: neither the token's length nor its beginning shows in the time.
      Digest.isEqual(Digest.hash(parts[1].utf8), token)
    {
      return nil
    }
    var refusal = HTTPResponse.failure(401, "send Authorization: Bearer and the token of the settings")
    refusal.headers.append(Header("WWW-Authenticate", "Bearer realm=\"routerd\""))  // RFC 6750 section 3
    return refusal
  }

  private static func arguments(_ verb: Verb, _ request: HTTPServerRequest) throws(ControlFailure)
    -> JSONValue
  {
    var values = request.parameters.mapValues(JSONValue.string)
    if let whole = verb.body {
      values[whole] = try body(request)
      return .object(values)
    }
    var given: [(String, JSONValue)] = FormFields(parsing: request.query).all.map {
      ($0.name, .string($0.value))
    }
    if verb.method == "POST" {
      guard given.isEmpty else { throw ControlFailure("arguments belong into the body, as JSON", .usage) }
      guard case .object(let members) = try body(request) else {
        throw ControlFailure("the body is no JSON object", .usage)
      }
      given = members.sorted { $0.key < $1.key }
    }
    for (name, value) in given {
      guard let isNumber = verb.arguments[name] else {
        let near =
          Suggestion.nearest(to: name, in: verb.arguments.keys).map { "; did you mean '\($0)'?" } ?? ""
        throw ControlFailure("\(verb.command) takes no '\(name)'\(near)", .usage)
      }
      values[name] = try read(value, isNumber, name)
    }
    return .object(values)
  }

  private static func read(_ value: JSONValue, _ isNumber: Bool, _ name: String) throws(ControlFailure)
    -> JSONValue
  {
    guard isNumber else {
      if value.string == nil { throw ControlFailure("'\(name)' is a text", .usage) }
      return value
    }
    guard let number = value.integer ?? value.string.flatMap({ Int($0) }), number >= 0 else {
      throw ControlFailure("'\(name)' is a whole number", .usage)
    }
    return .integer(number)
  }

  private static func body(_ request: HTTPServerRequest) throws(ControlFailure) -> JSONValue {
    if request.body.isEmpty { return [:] }
    do { return try JSON.decode(JSONValue.self, request.body) } catch {
      throw ControlFailure("the body is no JSON", .usage)
    }
  }

  private static func status(_ failure: ControlFailure) -> Int {
    switch failure.code {
    case ExitCode.usage.rawValue: 400
    case ExitCode.notFound.rawValue: 404
    case ExitCode.failure.rawValue: 422  // the files on disk, or the call that was asked about, are wrong
    case ExitCode.unavailable.rawValue: 503
    default: 500
    }
  }
}
