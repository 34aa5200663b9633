import Foundation
import RouterCore
import RouterTesting
import Testing

@testable import routerd

/// The control socket's commands over HTTP: which request is which command, and who may ask.
@Suite struct AdminAPITests {
  private static let token = "an-admin-token-of-tests"

  private struct Asked: Equatable {
    var command: String
    var arguments: JSONValue
  }

  /// What a request is answered with, and what the handler was asked.
  private func ask(
    _ command: String, query: String = "", body: String = "", parameters: [String: String] = [:],
    headers: [Header] = [Header("Authorization", "Bearer \(AdminAPITests.token)")],
    answer: @escaping @Sendable () throws -> JSONValue = { ["done": true] }
  ) async throws -> (HTTPResponse, Asked?) {
    let asked = Lock<Asked?>(nil)
    let api = AdminAPI(token: Self.token) { request in
      asked.withLock { $0 = Asked(command: request.command, arguments: request.arguments) }
      return try answer()
    }
    let verb = try #require(AdminAPI.verbs.first { $0.command == command })
    let request = HTTPServerRequest(
      method: verb.method, target: verb.path + (query.isEmpty ? "" : "?" + query), headers: headers,
      body: Array(body.utf8), parameters: parameters)
    return (await api.answer(verb, request), asked.withLock { $0 })
  }

  @Test(arguments: [
    ("status", "", "", [:], "{}"), ("calls", "limit=5", "", [:], "{\"limit\": 5}"),
    ("call", "", "", ["id": "c-1"], "{\"id\": \"c-1\"}"), ("why", "", "", ["id": "c-1"], "{\"id\": \"c-1\"}"),
    ("diff", "version=3f2a&calls=100", "", [:], "{\"calls\": 100, \"version\": \"3f2a\"}"),
    ("reload", "", "", [:], "{}"), ("reload", "", "{}", [:], "{}"),
    ("rollback", "", "{\"version\": \"123\"}", [:], "{\"version\": \"123\"}"),
    ("explain", "", "{\"to\": \"600\"}", [:], "{\"call\": {\"to\": \"600\"}}"),
  ])
  func aRequestBecomesACommand(
    command: String, query: String, body: String, parameters: [String: String], arguments: String
  ) async throws {
    let (response, asked) = try await ask(command, query: query, body: body, parameters: parameters)
    #expect(response.status == 200)
    #expect(response.body == Array("{\"done\": true}\n".utf8))
    #expect(asked?.command == command)
    #expect(asked?.arguments.text == arguments)
  }

  @Test(arguments: [
    ("calls", "limt=5", "", "calls takes no 'limt'; did you mean 'limit'?"),
    ("calls", "limit=many", "", "'limit' is a whole number"),
    ("calls", "limit=-1", "", "'limit' is a whole number"),
    ("status", "x=1", "", "status takes no 'x'"),
    ("rollback", "version=1", "", "arguments belong into the body, as JSON"),
    ("rollback", "", "{\"version\": 5}", "'version' is a text"),
    ("rollback", "", "[1]", "the body is no JSON object"),
    ("reload", "", "{", "the body is no JSON"), ("explain", "", "to=600", "the body is no JSON"),
  ])
  func whatMakesNoSenseIsRefused(command: String, query: String, body: String, message: String) async throws {
    let (response, asked) = try await ask(command, query: query, body: body)
    #expect(response.status == 400)
    #expect(String(decoding: response.body, as: UTF8.self) == "{\"error\": {\"message\": \"\(message)\"}}\n")
    #expect(asked == nil)
  }

  @Test(
    arguments: [
      nil, "", "Bearer", "Bearer ", "Bearer an-admin-token-of-test", "Bearer an-admin-token-of-tests2",
      "Bearer AN-ADMIN-TOKEN-OF-TESTS", "Basic an-admin-token-of-tests", "an-admin-token-of-tests",
      "Bearer an-admin-token-of-tests an-admin-token-of-tests",
    ] as [String?])
  func nobodyAsksWithoutTheToken(_ authorization: String?) async throws {
    let headers = authorization.map { [Header("authorization", $0)] } ?? []
    for verb in AdminAPI.verbs {
      let (response, asked) = try await ask(verb.command, headers: headers)
      #expect(response.status == 401, "\(verb.path)")
      #expect(response.header("WWW-Authenticate") == "Bearer realm=\"routerd\"")
      #expect(asked == nil, "\(verb.path)")
    }
  }

  @Test func webPagesAreNotServed() async throws {
    let headers = [Header("Authorization", "Bearer \(Self.token)"), Header("Origin", "https://example.com")]
    let (response, asked) = try await ask("reload", headers: headers)
    #expect(response.status == 403)
    #expect(asked == nil)
  }

  @Test(arguments: [
    (ExitCode.usage, 400), (.notFound, 404), (.failure, 422), (.unavailable, 503), (.system, 500),
    (.software, 500),
  ])
  func failuresHaveTheirStatus(code: ExitCode, status: Int) async throws {
    let (response, _) = try await ask("reload") { throw ControlFailure("two\nlines", code) }
    #expect(response.status == status)
    #expect(String(decoding: response.body, as: UTF8.self) == "{\"error\": {\"message\": \"two\\nlines\"}}\n")
  }

  // MARK: Settings

  private func settings(_ text: String) throws -> AdminSettings {
    try Settings.parse(Array(text.utf8), file: "routerd.yaml", plugins: []).admin
  }

  @Test func nothingListensUnlessItIsAskedFor() throws {
    #expect(try settings("").web.listen.isEmpty)
    #expect(try settings("admin: {token: \"${env:X}\"}").web.listen.isEmpty)
    let admin = try settings("admin: {listen: \"[::1]:8089\", token: \"${file:/run/t}\"}")
    #expect(admin.web.listen == [.init(isSecure: false, address: SocketAddress(ip: "::1", port: 8089))])
  }

  @Test(arguments: [
    ("listen: 127.0.0.1:8089", "'token' is missing"),
    ("listen: 0.0.0.0:8089, token: \"${env:X}\"", "only addresses of"),
    ("listen: 192.0.2.1:8089, token: \"${env:X}\"", "only addresses of"),
    ("listen: localhost:8089, token: \"${env:X}\"", "is no numeric address"),
    ("listen: 8089, token: \"${env:X}\"", "is no numeric address"),
    ("listen: 127.0.0.1:8089, token: secret", "by reference"),
    ("listen: 127.0.0.1:8089, token: \"Bearer ${env:X}\"", "by reference"),
    ("listen: 127.0.0.1:8089, token: \"${env:X}${env:Y}\"", "by reference"),
    ("liste: 127.0.0.1:1", "unknown key"),
  ])
  func wrongSettingsAreToldOf(text: String, message: String) {
    let faults: String?
    do {
      _ = try settings("admin: {\(text)}")
      faults = nil
    } catch { faults = (error as? DiagnosticList)?.rendered }
    #expect(faults?.contains(message) == true, "\(faults ?? "nothing is wrong")")
  }

  @Test func theTokenIsReadAndMeasured() throws {
    let place = try Workplace()
    let file = try place.write("token", "\(Self.token)\n")
    #expect(try settings("admin: {token: \"${file:\(file)}\"}").readToken() == Self.token)
    try place.write("token", "short\n")
    func failure(_ text: String) -> String? {
      do { _ = try settings(text).readToken() } catch { return (error as? ControlFailure)?.message }
      return nil
    }
    let short = failure("admin: {token: \"${file:\(file)}\"}")
    #expect(short?.contains("fewer than 16 characters") == true && short?.contains("short") == false)
    #expect(failure("admin: {token: \"${env:ROUTERD_NO_SUCH_VARIABLE}\"}")?.contains("is not set") == true)
  }
}
