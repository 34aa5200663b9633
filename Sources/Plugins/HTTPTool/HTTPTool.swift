internal import FoundationEssentials
public import RouterCore

/// Explicit functions over HTTP and HTTPS: the arguments are posted as JSON, the answer is the result.
public struct HTTPTool: Plugin, ToolAdapter {
  public static let name = "http-tool"
  public let kinds = ["http", "https"]
  private let http: any HTTPSending

  public init(_ configuration: NoConfiguration, _ host: PluginHost) { http = host.http }

  /// An adapter that sends over `http`.
  public init(over http: any HTTPSending) { self.http = http }

  public func open(_ request: ToolRequest) async throws -> any ToolSession {
    HTTPToolSession(request, http)
  }
}

/// The HTTP functions of one call.
private struct HTTPToolSession: ToolSession {
  let offers: [ToolOffer]
  private let functions: [String: FunctionDefinition]
  private let session: JSONValue
  private let http: any HTTPSending

  /// A longer answer is an error: what a model can use is far shorter.
  static let maximumAnswerBytes = 256 << 10
  /// The engine ends a tool long before.
  static let maximumSeconds = 300

  init(_ request: ToolRequest, _ http: any HTTPSending) {
    self.http = http
    let call = request.call
    session = [
      "id": .string(call.id.text), "agent": .string(request.agent.name),
      "channel": .string(call.channel.rawValue), "from": .string(call.from.user),
      "to": .string(call.to.user),
    ]
    var offers: [ToolOffer] = []
    var functions: [String: FunctionDefinition] = [:]
    for function in request.functions {
      guard let tool = function.tool, functions[tool.name] == nil else {
        request.log.warning(
          "a function is left out: it has no data, or its name is taken", ("function", function.key))
        continue
      }
      functions[tool.name] = function
      offers.append(ToolOffer(tool, timeout: function.timeout, prompt: function.prompt))
    }
    self.offers = offers
    self.functions = functions
  }

  func run(_ call: ToolCall) async throws -> ToolResult {
    guard let function = functions[call.name], let url = function.url else {
      throw ToolFailure("there is no function \(call.name)")
    }
    let question: JSONValue = [
      "call_id": .string(call.id), "name": .string(call.name), "arguments": call.arguments,
      "session": session,
    ]
    let body = Array(question.text.utf8)
    var request = HTTPRequest(
      "POST", url: url, headers: headers(of: function, body), body: body,
      deadline: .seconds(function.timeout ?? HTTPToolSession.maximumSeconds),
      maximumBodyBytes: HTTPToolSession.maximumAnswerBytes)
    request.reach = function.reach
    let response: HTTPResponse
    do throws(HTTPError) { response = try await http.send(request) } catch { throw failure(error) }
    return try HTTPAnswer.result(of: call.id, response)
  }

  private func headers(of function: FunctionDefinition, _ body: [UInt8]) -> [Header] {
    var headers = function.headers
    for (name, value) in [("Content-Type", "application/json"), ("Accept", "application/json, text/plain")]
    where !headers.contains(where: { $0.name.lowercased() == name.lowercased() }) {
      headers.append(Header(name, value))
    }
    if let secret = function.settings["secret"]?.string {
      headers.append(RequestSignature.header(for: body, secret: secret))
    }
    return headers
  }

  /// The model learns what kind of failure it was, not where the server is.
  private func failure(_ error: HTTPError) -> ToolFailure {
    switch error.kind {
    case .timedOut: ToolFailure("Failed to fetch information: the server did not answer in time")
    case .tooLarge: ToolFailure("the server's answer is too long to be of use")
    case .forbidden: ToolFailure("the function may not reach its server: the address is not public")
    case .unresolved, .refused, .closed:
      ToolFailure("Failed to fetch information: the server cannot be reached")
    case .untrusted: ToolFailure("the server's certificate cannot be trusted")
    case .invalidURL, .busy, .cancelled, .protocolError, .status:
      ToolFailure("Failed to fetch information")
    }
  }
}
