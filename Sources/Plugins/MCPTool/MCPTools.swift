internal import FoundationEssentials
internal import RouterCore

/// What a server has, and what its answers mean. Pure.
enum MCPTools {
  /// Pages and tools of a list; more are left out.
  static let maximumPages = 20
  static let maximumTools = 200

  /// One tool of a server.
  struct Entry: Hashable, Sendable {
    var tool: Tool
    /// Arguments that also go into headers (2026-07-28): the argument's name and the header's.
    var headers: [String: String] = [:]
  }

  /// The tools of a page; those that cannot be used are left out.
  static func read(_ page: JSONValue) -> [Entry] { (page["tools"]?.array ?? []).compactMap(entry) }

  private static func entry(_ value: JSONValue) -> Entry? {
    guard let name = value["name"]?.string, !name.isEmpty else { return nil }
    let schema = value["inputSchema"] ?? [:]
    guard let headers = headers(of: schema) else { return nil }
    let description = value["description"]?.string ?? value["title"]?.string ?? name
    return Entry(tool: Tool(name: name, description: description, parameters: schema), headers: headers)
  }

  /// `x-mcp-header` annotations; `nil` when one is wrong: such a tool must not be used.
  private static func headers(of schema: JSONValue) -> [String: String]? {
    var headers: [String: String] = [:]
    for (argument, property) in schema["properties"]?.object ?? [:] {
      guard let mark = property["x-mcp-header"] else { continue }
      let types = ["string", "integer", "boolean"]
      guard let name = mark.string, !name.isEmpty, name.utf8.count <= 64, name.utf8.allSatisfy(isTokenByte),
        property["type"]?.string.map(types.contains) == true,
        !headers.values.contains(where: { $0.lowercased() == name.lowercased() })
      else { return nil }
      headers[argument] = name
    }
    return headers
  }

  /// RFC 9110 section 5.6.2.
  private static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"):
      true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }

  /// The headers that repeat arguments of a call.
  static func headers(for arguments: JSONValue, _ entry: Entry) -> [Header] {
    entry.headers.sorted { $0.key < $1.key }.compactMap { argument, name in
      guard let value = arguments[argument], value != .null else { return nil }
      return Header("Mcp-Param-\(name)", headerText(value.string ?? value.text))
    }
  }

  /// A header's value: as it is, or in base 64 when it has what headers cannot carry.
  static func headerText(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    if isPlain, text.first != " ", text.last != " ", !text.hasPrefix("=?base64?") { return text }
    return "=?base64?\(Data(text.utf8).base64EncodedString())?="
  }

  /// A tool's result for the model: its texts, else its structure, else what kind of thing came.
  static func result(_ value: JSONValue, of call: String) -> ToolResult {
    let isError = value["isError"]?.bool ?? false
    if value["resultType"]?.string == "input_required" {
      return ToolResult(
        callID: call, output: "the tool asks for something that nobody can give in a telephone call",
        isError: true)
    }
    var texts: [String] = []
    var others: [String] = []
    for part in value["content"]?.array ?? [] {
      switch part["type"]?.string {
      case "text": texts.append(part["text"]?.string ?? "")
      case "resource":
        if let text = part["resource"]?["text"]?.string {
          texts.append(text)
        } else {
          others.append("(a file: \(part["resource"]?["uri"]?.string ?? "without a name"))")
        }
      case "resource_link": others.append("(a link: \(part["uri"]?.string ?? ""))")
      case let kind: others.append("(\(kind ?? "something") that cannot be read out)")
      }
    }
    let text = texts.filter { !$0.isEmpty }.joined(separator: "\n")
    if !text.isEmpty { return ToolResult(callID: call, output: .string(text), isError: isError) }
    if let structure = value["structuredContent"], structure != .null {
      return ToolResult(callID: call, output: structure, isError: isError)
    }
    let rest = others.isEmpty ? "done" : others.joined(separator: "\n")
    return ToolResult(callID: call, output: .string(rest), isError: isError)
  }
}
