internal import RouterCore

/// `routerd endpoints`: the addresses that an integrator copies into the accounts of VoIP providers.
enum EndpointsCommand {
  static let spec = CommandSpec(
    name: "endpoints",
    summary: "The webhook addresses of agents and providers, to copy into providers' accounts",
    options: [CommonOption.socket, CommonOption.config, CommonOption.json],
    notes: """
      A call to an agent's own address goes to that agent unless a route says otherwise; at a provider's address the routes alone
      decide. Any provider may use an agent's address.
      """
  ) { arguments in
    await Program.attempt {
      let endpoints = try await ControlClient.ask("endpoints", at: ControlPath.client(arguments))
      Terminal.print(
        arguments.has("--json") ? try JSON.encode(endpoints, pretty: true) : text(endpoints))
      return .success
    }
  }

  static func text(_ endpoints: JSONValue) -> String {
    var rows: [[String]] = []
    for entry in endpoints["agents"]?.array ?? [] {
      rows.append(["agent \(entry["agent"]?.string ?? "")", entry["webhook"]?.string ?? ""])
    }
    for entry in endpoints["providers"]?.array ?? [] {
      let accounts = entry["accounts"]?.array?.compactMap(\.string).joined(separator: ", ") ?? ""
      rows.append([
        "provider \(entry["provider"]?.string ?? "") (\(accounts))", entry["webhook"]?.string ?? "",
      ])
      if let news = entry["news"]?.string { rows.append(["  what becomes of calls", news]) }
    }
    var lines = CallText.table(rows)
    if rows.isEmpty {
      lines.append("no agent has 'channels: {voip: {}}', and no provider announces calls by webhook")
    }
    if endpoints["listens"]?.bool != true {
      lines.append("nothing listens for webhooks: set 'web: {listen: [...]}' in routerd.yaml")
    } else if endpoints["publicURL"]?.string == nil {
      lines.append("set 'web: {publicURL: https://...}' in routerd.yaml, and HOST is the right one")
    }
    return lines.joined(separator: "\n")
  }
}
