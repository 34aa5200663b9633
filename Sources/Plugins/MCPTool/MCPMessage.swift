internal import FoundationEssentials
internal import RouterCore

/// JSON-RPC 2.0 as the Model Context Protocol uses it. Pure.
enum MCPMessage: Hashable {
  case response(id: Int, JSONValue)
  case failure(id: Int?, MCPError)
  /// Something that the server asks of us.
  case request(id: JSONValue, method: String)
  case notification(String)

  /// The versions that we speak with a handshake, newest first.
  static let versions = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]
  /// The version without handshake and session.
  static let modern = "2026-07-28"

  static func ask(_ id: Int, _ method: String, _ params: JSONValue) -> JSONValue {
    ["jsonrpc": "2.0", "id": .integer(id), "method": .string(method), "params": params]
  }

  static func note(_ method: String, _ params: JSONValue? = nil) -> JSONValue {
    var message: [String: JSONValue] = ["jsonrpc": "2.0", "method": .string(method)]
    message["params"] = params
    return .object(message)
  }

  /// What we answer to a server's question: that we are there, or that we cannot do it.
  static func answer(to id: JSONValue, _ method: String) -> JSONValue {
    if method == "ping" { return ["jsonrpc": "2.0", "id": id, "result": [:]] }
    return [
      "jsonrpc": "2.0", "id": id,
      "error": ["code": -32601, "message": .string("this client has no \(method)")],
    ]
  }

  static func initialize(version: String) -> JSONValue {
    [
      "protocolVersion": .string(version), "capabilities": [:],
      "clientInfo": ["name": "routerd", "version": "1"],
    ]
  }

  /// What every request of the version without handshake says of us.
  static let modernMeta: JSONValue = [
    "io.modelcontextprotocol/protocolVersion": .string(modern),
    "io.modelcontextprotocol/clientInfo": ["name": "routerd", "version": "1"],
    "io.modelcontextprotocol/clientCapabilities": [:],
  ]

  /// Reads a body or the data of an event: a message, or several (2025-03-26). Empty for what is none.
  static func read(_ bytes: [UInt8]) -> [MCPMessage] {
    // What is no JSON is no message; the caller says so.
    guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)) else { return [] }
    return (value.array ?? [value]).compactMap(MCPMessage.init)
  }

  private init?(_ value: JSONValue) {
    guard value.object != nil else { return nil }
    let id = value["id"]
    if let method = value["method"]?.string {
      if let id, id != .null { self = .request(id: id, method: method) } else { self = .notification(method) }
    } else if let error = value["error"] {
      self = .failure(id: id?.integer ?? id?.string.flatMap(Int.init), MCPError(error))
    } else if let result = value["result"], let id = id?.integer ?? id?.string.flatMap(Int.init) {
      self = .response(id: id, result)
    } else {
      return nil
    }
  }
}

/// An error of the other side's.
struct MCPError: Error, Hashable {
  var code: Int
  var message: String
  /// Versions that the server speaks, when ours is none of them.
  var supported: [String]

  /// What stays of the words: foreign text, which a model will read.
  static let maximumWords = 300

  init(_ error: JSONValue) {
    code = error["code"]?.integer ?? 0
    let words = error["message"]?.string ?? error.string ?? ""
    message = String(words.prefix(MCPError.maximumWords))
    supported = error["data"]?["supported"]?.array?.compactMap(\.string) ?? []
  }

  /// Whether only a server without handshake says this to `initialize`; drafts had other numbers than the release.
  var isModern: Bool {
    [-32020, -32021, -32022, -32001, -32003, -32004, -32601].contains(code) && !isLostSession
  }

  /// Servers tell in many ways that they have forgotten a session.
  var isLostSession: Bool {
    let words = message.lowercased()
    guard words.contains("session") else { return false }
    return ["not found", "expired", "unknown", "invalid", "no valid", "missing", "terminated", "no longer"]
      .contains(where: words.contains)
  }
}
