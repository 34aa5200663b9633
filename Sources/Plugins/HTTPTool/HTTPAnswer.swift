internal import FoundationEssentials
internal import RouterCore

/// What an answer of a function's server means. Pure.
enum HTTPAnswer {
  /// Characters of an error's body that the model gets.
  static let maximumErrorText = 500

  /// The result for the model. Throws ``ToolFailure`` for an answer that is none.
  static func result(of call: String, _ response: HTTPResponse) throws(ToolFailure) -> ToolResult {
    switch response.status {
    case 200..<300: return ToolResult(callID: call, output: try output(of: response))
    case 300..<400:
      throw ToolFailure("the server answered \(response.status), a redirect; redirects are not followed")
    case 401, 403: throw ToolFailure("the server refused the request (\(response.status))")
    case 400..<500:
      let words = isPage(response) ? "" : String(response.text.prefix(maximumErrorText))
      throw ToolFailure("the server answered \(response.status)" + (words.isEmpty ? "" : ": \(words)"))
    default: throw ToolFailure("the server failed (\(response.status))")
    }
  }

  private static func output(of response: HTTPResponse) throws(ToolFailure) -> JSONValue {
    guard response.body.contains(where: { $0 > 32 }) else { return "done" }
    if isPage(response) { throw ToolFailure("the server answered with a web page instead of a result") }
    // What is no JSON is text: a server may answer either.
    if let value = try? JSONDecoder().decode(JSONValue.self, from: Data(response.body)) { return value }
    if response.body.contains(0) { throw ToolFailure("the server answered with binary data") }
    return .string(response.text)
  }

  /// Whether it is HTML, whatever it calls itself: an error page of a proxy, or a login.
  private static func isPage(_ response: HTTPResponse) -> Bool {
    if response.header("Content-Type")?.lowercased().hasPrefix("text/html") == true { return true }
    let start = response.body.drop { $0 <= 32 || $0 == 0xEF || $0 == 0xBB || $0 == 0xBF }.prefix(14)
    let text = String(decoding: start, as: UTF8.self).lowercased()
    return text.hasPrefix("<!doctype html") || text.hasPrefix("<html")
  }
}
