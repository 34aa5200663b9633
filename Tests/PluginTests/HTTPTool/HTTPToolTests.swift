import Foundation
import RouterCore
import RouterTesting
import Testing

@testable import HTTPTool

/// Functions that are posted to a server on this host.
@Suite(.serialized) final class HTTPToolTests {
  private let loop = EventLoop(name: "test")
  private let client: HTTPClient
  private let requests = Journal<HTTPServerRequest>()

  init() { client = HTTPClient(on: loop) }

  static func function(
    _ port: Int, _ path: String = "/", _ change: (inout FunctionDefinition) -> Void = { _ in }
  )
    -> FunctionDefinition
  {
    var function = FunctionDefinition(
      key: "order_status", kind: "http", url: "http://127.0.0.1:\(port)\(path)",
      headers: [Header("Authorization", "Bearer sesame")],
      tool: Tool(name: "order_status", description: "Looks an order up."), reach: .anywhere)
    change(&function)
    return function
  }

  private func withServer(
    _ answer: @escaping @Sendable (String) -> HTTPResponse, _ body: (Int) async throws -> Void
  ) async throws {
    let requests = requests
    let server = HTTPServer(on: loop) { request in
      requests.note(request)
      if request.path == "/never" { try? await Task.sleep(for: .seconds(60)) }  // the server cancels it
      return .response(answer(String(request.path)))
    }
    try await body(Int(try await server.start().port))
    await client.close()
    await server.close()
  }

  private func outcome(_ function: FunctionDefinition, _ arguments: JSONValue = [:]) async throws -> String {
    let session = try await HTTPTool(over: client).open(
      ToolRequest(call: .example(), agent: .example(), functions: [function], log: .silent))
    let call = ToolCall(id: "c1", name: "order_status", arguments: arguments, turn: TurnID(1))
    do {
      let result = try await session.run(call)
      return result.output.string ?? result.output.text
    } catch let failure as ToolFailure {
      return "failed: \(failure)"
    }
  }

  @Test func argumentsArePostedAndSigned() async throws {
    try await withServer { _ in
      HTTPResponse(status: 200, body: Array("{\"state\": \"sent\"}".utf8))
    } _: { (port: Int) async throws in
      let function = HTTPToolTests.function(port) { $0.settings = ["secret": "k"] }
      #expect(try await outcome(function, ["number": "7"]) == "{\"state\": \"sent\"}")
    }
    let request = try #require(requests.events.first)
    func header(_ name: String) -> String? { request.headers.first { $0.name.lowercased() == name }?.value }
    let body = try JSONDecoder().decode(JSONValue.self, from: Data(request.body))
    #expect(request.method == "POST" && header("authorization") == "Bearer sesame")
    #expect(header("content-type") == "application/json")
    #expect(body["call_id"] == "c1" && body["name"] == "order_status" && body["arguments"] == ["number": "7"])
    #expect(body["session"]?["from"] == "+447700900123" && body["session"]?["channel"] == "sip")
    let signature = try #require(header("x-routerd-signature"))
    let time = try #require(signature.split(separator: ",").first?.dropFirst(2).description)
    let expected = Digest.authenticate(Array("\(time).".utf8) + request.body, key: Array("k".utf8))
    #expect(signature == "t=\(time),v1=\(Digest.hexadecimal(expected))")
  }

  static func response(_ status: Int, _ body: String, type: String? = nil) -> HTTPResponse {
    HTTPResponse(
      status: status, headers: type.map { [Header("Content-Type", $0)] } ?? [], body: Array(body.utf8))
  }

  static let cases: [(answer: HTTPResponse, outcome: String)] = [
    (response(200, "{\"a\": [1, 2.5, null]}"), "{\"a\": [1, 2.5, null]}"), (response(200, "7"), "7"),
    (response(200, "\"text\""), "text"), (response(200, "plain words"), "plain words"),
    (response(201, ""), "done"),
    (response(204, ""), "done"), (response(200, " \r\n"), "done"),
    (
      response(200, "<!DOCTYPE html><p>Hello"),
      "failed: the server answered with a web page instead of a result"
    ),
    (response(200, "\u{FEFF} <HTML>"), "failed: the server answered with a web page instead of a result"),
    (
      response(200, "{}", type: "text/html"),
      "failed: the server answered with a web page instead of a result"
    ),
    (response(200, "a\u{0}b"), "failed: the server answered with binary data"),
    (response(302, ""), "failed: the server answered 302, a redirect; redirects are not followed"),
    (response(401, "key=secret"), "failed: the server refused the request (401)"),
    (response(404, "no such order"), "failed: the server answered 404: no such order"),
    (response(404, "<html>", type: "text/html"), "failed: the server answered 404"),
    (
      response(422, String(repeating: "x", count: 900)),
      "failed: the server answered 422: " + String(repeating: "x", count: 500)
    ),
    (response(500, "stack trace"), "failed: the server failed (500)"),
    (response(503, ""), "failed: the server failed (503)"),
    (
      response(200, String(repeating: "x", count: 300_000)),
      "failed: the server's answer is too long to be of use"
    ),
  ]

  @Test func everyAnswerIsAResult() async throws {
    try await withServer { path in
      HTTPToolTests.cases[Int(path.dropFirst()) ?? 0].answer
    } _: { (port: Int) async throws in
      for (index, one) in HTTPToolTests.cases.enumerated() {
        #expect(try await outcome(HTTPToolTests.function(port, "/\(index)")) == one.outcome)
      }
    }
  }

  @Test func serversThatCannotBeReachedAreSaidSo() async throws {
    try await withServer { _ in
      HTTPResponse(status: 200)
    } _: { (port: Int) async throws in
      #expect(
        try await outcome(HTTPToolTests.function(1))
          == "failed: Failed to fetch information: the server cannot be reached")
      #expect(
        try await outcome(HTTPToolTests.function(port, "/never") { $0.timeout = 1 })
          == "failed: Failed to fetch information: the server did not answer in time")
      #expect(
        try await outcome(HTTPToolTests.function(port) { $0.reach = .publicOnly })
          == "failed: the function may not reach its server: the address is not public")
    }
  }

  @Test func itConforms() async throws {
    try await withServer { _ in
      HTTPResponse(status: 200, body: Array("{}".utf8))
    } _: { (port: Int) async throws in
      let functions = [HTTPToolTests.function(port), HTTPToolTests.function(port)]
      let violations = await ToolConformance.violations(functions, arguments: ["number": "7"]) {
        HTTPTool(over: client)
      }
      #expect(violations.isEmpty, "\(violations)")
    }
  }
}
