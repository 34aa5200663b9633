/// Passwords and keys that stand in a route file in plain words: whoever may read the file, or a backup of it, knows them.
enum PlainSecrets {
  /// Warns of those of trunks, connections, providers, functions and MCP servers.
  static func warn(_ definitions: Definitions, _ check: inout SchemaCheck) {
    let parts: [(section: String, noun: String, keys: [String], part: String?)] = [
      ("trunks", "trunk", ["password"], "auth"), ("connections", "connection", ["password"], "settings"),
      ("functions", "function", ["secret"], nil), ("functions", "function", [], "headers"),
      ("mcpServers", "MCP server", [], "headers"),
    ]
    for (section, noun, keys, part) in parts {
      for entry in definitions.entries(of: section) {
        warn(part.map { entry.value[$0] } ?? entry.value, of: "\(noun) '\(entry.name)'", keys, &check)
      }
    }
    for entry in definitions.entries(of: "providers") {
      let account = ProviderAccount(
        name: entry.name, settings: JSONValue(entry.value, .object(RouteSchema.provider)))
      // Those of accounts that calls come from are refused, see ProviderReferences. Servers on this host want some key or other.
      let type = account.settings["type"]?.string ?? ""
      let isOnThisHost = ["apiURL", "baseURL", "url", "endpoint"].contains(where: account.isOnThisHost)
      if definitions.types?.secrets(of: type).isEmpty == false || isOnThisHost { continue }
      warn(entry.value, of: "provider '\(entry.name)'", [], &check)
    }
  }

  /// Warns of those below a node.
  /// - Parameter keys: Keys of the node that hold one; where there are none named, those at any depth whose names tell so.
  static func warn(
    _ node: YAMLNode?, of owner: String, _ keys: [String] = [], _ check: inout SchemaCheck
  ) {
    for (key, value) in node?.pairs ?? [] {
      guard let name = key.text else { continue }
      let isSecret = keys.isEmpty ? SecretLine.isSecret(name) : keys.contains(name)
      if isSecret {
        for plain in plain(value) {
          check.append(
            diagnostic(
              .warning, "the '\(name)' of the \(owner) stands here for all to read", key, plain))
        }
      } else if keys.isEmpty {
        warn(value, of: owner, [], &check)
      }
    }
  }

  /// The texts of a value, or of its list, that are no references.
  static func plain(_ value: YAMLNode) -> [YAMLNode] {
    (value.kind == .sequence ? value.elements : [value]).filter { node in
      node.text.map { !node.isNull && !$0.isEmpty && !SecretReference.occurs(in: $0) } ?? false
    }
  }

  /// Something about a secret, which does not show with it: a line that holds it without its key is not shown, but the key's is.
  static func diagnostic(
    _ severity: Diagnostic.Severity, _ message: String, _ key: YAMLNode, _ value: YAMLNode, more: String = ""
  ) -> Diagnostic {
    let place = key.location.line == value.location.line ? value : key
    return place.diagnostic(severity, message, hint: "write ${env:NAME} or ${file:PATH}\(more)")
  }
}
