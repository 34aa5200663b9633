internal import FoundationEssentials
public import RouterCore

/// Searches the web through an endpoint of the operator's choice.
public struct WebSearchTool: Plugin, ToolAdapter {
  public static let name = "web-search-tool"
  public let kinds = [FunctionDefinition.Kind.webSearch]
  private let http: any HTTPSending

  public init(_ configuration: NoConfiguration, _ host: PluginHost) { http = host.http }

  /// An adapter that sends over `http`.
  public init(over http: any HTTPSending) { self.http = http }

  public func open(_ request: ToolRequest) async throws -> any ToolSession {
    guard let endpoint = request.functions.first, endpoint.url != nil else {
      throw ToolFailure("the search's provider has no url")
    }
    return WebSearchSession(endpoint: endpoint, http: http)
  }
}

private struct WebSearchSession: ToolSession {
  let endpoint: FunctionDefinition
  let http: any HTTPSending

  static let maximumQuery = 400
  static let maximumAnswerBytes = 1 << 20

  var offers: [ToolOffer] {
    let tool = Tool(
      name: "search_web",
      description:
        "Search the web for something current that you do not know. Say where an answer comes from.",
      parameters: [
        "type": "object",
        "properties": ["query": ["type": "string", "description": "What to search for, in a few words."]],
        "required": ["query"],
      ])
    return [ToolOffer(tool, timeout: endpoint.timeout)]
  }

  func run(_ call: ToolCall) async throws -> ToolResult {
    let query = String((call.arguments["query"]?.string ?? "").prefix(WebSearchSession.maximumQuery))
    guard query.contains(where: { !$0.isWhitespace }) else { throw ToolFailure("the query is empty") }
    let response: HTTPResponse
    do throws(HTTPError) { response = try await http.send(request(query)) } catch {
      throw ToolFailure(
        error.kind == .forbidden
          ? "the search may not be reached: its address is not public"
          : "Failed to fetch information: the search cannot be reached")
    }
    guard (200..<300).contains(response.status) else {
      throw ToolFailure("Failed to fetch information: the search answered \(response.status)")
    }
    // What is no JSON has no results in it.
    guard let answer = try? JSONDecoder().decode(JSONValue.self, from: Data(response.body)) else {
      throw ToolFailure("Failed to fetch information: the search's answer is no JSON")
    }
    let found = SearchAnswer.results(in: answer)
    return ToolResult(callID: call.id, output: found ?? "nothing was found")
  }

  /// A GET where the URL has a place for the query, else a POST of `{"query", "max_results"}`.
  private func request(_ query: String) -> HTTPRequest {
    let url = endpoint.url ?? ""
    let isGet = url.contains("{query}")
    var headers = endpoint.headers + [Header("Accept", "application/json")]
    var body: [UInt8]?
    if !isGet {
      headers.append(Header("Content-Type", "application/json"))
      let question: JSONValue = [
        "query": .string(query), "max_results": .integer(SearchAnswer.maximumResults),
      ]
      body = Array(question.text.utf8)
    }
    var request = HTTPRequest(
      isGet ? "GET" : "POST", url: url.replacing("{query}", with: SearchAnswer.escaped(query)),
      headers: headers,
      body: body, deadline: .seconds(endpoint.timeout ?? 30),
      maximumBodyBytes: WebSearchSession.maximumAnswerBytes)
    request.reach = endpoint.reach
    return request
  }
}

/// What a search engine's answer says. Pure; it knows the shapes that most of them have.
enum SearchAnswer {
  static let maximumResults = 5
  static let maximumText = 500

  private static let lists = [
    ["results"], ["web", "results"], ["organic"], ["organic_results"], ["items"], ["webPages", "value"],
    ["data", "results"], ["data"],
  ]

  /// Title, text and address of the first results, with a summary where there is one; `nil` for nothing.
  static func results(in answer: JSONValue) -> JSONValue? {
    var output: [String: JSONValue] = [:]
    if let summary = answer["answer"]?.string, !summary.isEmpty {
      output["summary"] = .string(plain(summary))
    }
    for path in lists {
      var value: JSONValue? = answer
      for step in path { value = value?[step] }
      let found = (value?.array ?? []).compactMap(result)
      if !found.isEmpty {
        output["results"] = .array(Array(found.prefix(maximumResults)))
        break
      }
    }
    return output.isEmpty ? nil : .object(output)
  }

  private static func result(_ item: JSONValue) -> JSONValue? {
    func first(_ names: String...) -> String? {
      names.lazy.compactMap { item[$0]?.string }.first { !$0.isEmpty }
    }
    let title = first("title", "name")
    let text = first("content", "snippet", "description", "text", "summary")
    guard title != nil || text != nil else { return nil }
    var result: [String: JSONValue] = [:]
    result["title"] = title.map { .string(plain($0)) }
    result["text"] = text.map { .string(plain($0)) }
    result["url"] = first("url", "link").map { .string(String($0.prefix(300))) }
    return .object(result)
  }

  /// Without the tags that engines mark words with.
  static func plain(_ text: String) -> String {
    var result = ""
    var isTag = false
    for character in text {
      if character == "<" { isTag = true }
      if !isTag { result.append(character) }
      if character == ">" { isTag = false }
    }
    return String(result.prefix(maximumText))
  }

  /// RFC 3986 section 2.1: everything but unreserved characters.
  static func escaped(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        result.unicodeScalars.append(Unicode.Scalar(byte))
      default: result += "%" + Digest.hexadecimal([byte]).uppercased()
      }
    }
    return result
  }
}

extension WebSearchTool {
  public static func providerKeys(of type: String) -> [ProviderKey]? {
    [
      ProviderKey(
        "url", as: .url(["https", "http"]), needed: true, "The endpoint, with {query} where the words go."),
      .headers,
      ProviderKey("timeout", as: .integer(1...300), "Seconds that an answer may take."),
      ProviderKey("allowPrivate", as: .boolean, "Whether it may be in a private network (false)."),
    ]
  }
}
