internal import RouterCore

/// A server of the route files.
struct MCPServer: Hashable, Sendable {
  enum Transport: String, Sendable { case auto, http, stateless, sse }

  /// As the route files have it.
  var function: FunctionDefinition
  var name: String
  var url: String
  var headers: [Header]
  var transport: Transport
  /// `nil` is all of them.
  var allowedTools: [String]?
  var asksCaller: Bool
  var timeout: Int?
  var description: String?
  var reach: NetworkReach

  /// A function of kind `mcp` or `mcps`; `nil` without a URL.
  init?(_ function: FunctionDefinition) {
    guard let url = function.url else { return nil }
    self.function = function
    name = function.key
    // As a function, the scheme says that it is such a server; as a server, the URL is written as it is.
    if url.lowercased().hasPrefix("mcps://") {
      self.url = "https" + url.dropFirst(4)
    } else if url.lowercased().hasPrefix("mcp://") {
      self.url = "http" + url.dropFirst(3)
    } else {
      self.url = url
    }
    headers = function.headers
    transport = function.settings["transport"]?.string.flatMap(Transport.init) ?? .auto
    allowedTools = function.settings["allowedTools"]?.array?.compactMap(\.string)
    asksCaller = function.settings["requireApproval"]?.string == "always"
    timeout = function.timeout
    description = function.prompt
    reach = function.reach
  }

  /// What the model is offered of the server's tools.
  func offers(_ entries: [MCPTools.Entry]) -> [ToolOffer] {
    entries.filter { allowedTools?.contains($0.tool.name) ?? true }.map { entry in
      var tool = entry.tool
      if asksCaller { tool.description += " Ask the caller to agree before you use it." }
      return ToolOffer(tool, timeout: timeout)
    }
  }
}
