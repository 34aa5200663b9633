public import RouterCore

/// The tools of servers that speak the Model Context Protocol: over streamable HTTP, with sessions or without, and over
/// the older pair of endpoints.
public struct MCPTool: Plugin, ToolAdapter {
  public static let name = "mcp-tool"
  public let kinds = ["mcp", "mcps"]
  private let catalogue: MCPCatalogue
  /// How long a call waits for a server that it does not know yet: less than the engine waits for all of them together
  /// (`toolOpenSeconds`), so that one that is silent does not take the others with it.
  static let patience = Duration.seconds(3)

  public init(_ configuration: NoConfiguration, _ host: PluginHost) { self.init(over: host.http, host.log) }

  /// An adapter that sends over `http`.
  public init(over http: any HTTPStreaming, _ log: Log) {
    catalogue = MCPCatalogue(over: http, log.labelled("mcp"))
  }

  /// Asks all servers what they have, so that no call waits for that.
  public func prepare(_ functions: [FunctionDefinition]) async {
    await withTaskGroup(of: Void.self) { group in
      for server in functions.compactMap(MCPServer.init) {
        // A server that is away now is asked again by the first call.
        group.addTask { _ = try? await catalogue.entries(of: server) }
      }
    }
  }

  public func open(_ request: ToolRequest) async throws -> any ToolSession {
    let servers = request.functions.compactMap(MCPServer.init)
    var lists: [(MCPServer, MCPCatalogue.List)] = []
    var failure: (any Error)?
    await withTaskGroup(of: (Int, Result<MCPCatalogue.List, any Error>).self) { group in
      for (index, server) in servers.enumerated() {
        group.addTask {
          (index, await catalogue.entries(of: server, within: MCPTool.patience))
        }
      }
      var found: [(Int, MCPCatalogue.List)] = []
      for await (index, result) in group {
        switch result {
        case .success(let list): found.append((index, list))
        case .failure(let error):
          failure = error
          let words = servers[index].function.withoutSecrets("\(error)")
          request.log.warning("an MCP server is left out: \(words)", ("server", servers[index].name))
        }
      }
      lists = found.sorted { $0.0 < $1.0 }.map { (servers[$0.0], $0.1) }
    }
    if lists.isEmpty, let failure { throw failure }
    return MCPToolSession(lists, catalogue, request.log)
  }
}

/// What servers have, asked once and kept for a while; shared by all calls.
actor MCPCatalogue {
  struct List: Sendable {
    var entries: [MCPTools.Entry]
    var instructions: String
  }

  /// After so long a list is asked for again; calls use the old one meanwhile.
  static let freshness = Duration.seconds(300)
  /// A server that has not told its list after so long is given up until it is asked again.
  static let limit = Duration.seconds(10)
  static let late = ToolFailure("Failed to fetch information: the server did not answer in time")
  /// Servers that are remembered.
  static let maximumServers = 1000

  nonisolated let http: any HTTPStreaming
  private let log: Log
  private var lists: [MCPServer: (list: List, at: ContinuousClock.Instant)] = [:]
  private var asking: [MCPServer: Task<List, any Error>] = [:]

  init(over http: any HTTPStreaming, _ log: Log) {
    self.http = http
    self.log = log
  }

  /// The same, or a failure when it takes longer.
  nonisolated func entries(of server: MCPServer, within limit: Duration) async -> Result<List, any Error> {
    let outcome = OneShot<Result<List, any Error>>()
    Task {
      do { outcome.resolve(.success(try await entries(of: server))) } catch {
        outcome.resolve(.failure(error))
      }
    }
    let alarm = Task {
      try await Task.sleep(for: limit)
      outcome.resolve(.failure(MCPCatalogue.late))
    }
    defer { alarm.cancel() }
    return await outcome.value(cancelled: .failure(CancellationError()))
  }

  /// A server's tools: those that are known, or else what it says now.
  func entries(of server: MCPServer) async throws -> List {
    if let known = lists[server] {
      if known.at.duration(to: .now) > MCPCatalogue.freshness { _ = ask(server) }
      return known.list
    }
    return try await ask(server).value
  }

  /// The server said that its list is another one now.
  func changed(_ server: MCPServer) { _ = ask(server) }

  private func ask(_ server: MCPServer) -> Task<List, any Error> {
    if let task = asking[server] { return task }
    let task = Task { [http, log] in
      let connection = MCPConnection(server, over: http, log)
      do {
        let (entries, instructions) = try await MCPCatalogue.within(MCPCatalogue.limit) {
          try await connection.tools()
        }
        await connection.close()
        let list = List(entries: entries, instructions: instructions)
        self.keep(list, for: server)
        return list
      } catch {
        await connection.close()
        self.failed(server)
        throw error
      }
    }
    asking[server] = task
    return task
  }

  private static func within<Value: Sendable>(
    _ limit: Duration, _ work: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
      group.addTask(operation: work)
      group.addTask {
        try await Task.sleep(for: limit)
        throw MCPCatalogue.late
      }
      defer { group.cancelAll() }
      guard let first = try await group.next() else { throw CancellationError() }
      return first
    }
  }

  private func keep(_ list: List, for server: MCPServer) {
    asking[server] = nil
    if lists.count >= MCPCatalogue.maximumServers { lists.removeAll() }
    lists[server] = (list, .now)
  }

  private func failed(_ server: MCPServer) { asking[server] = nil }
}

/// The MCP servers of one call: a session with each, begun when the first of its tools is used.
private final class MCPToolSession: ToolSession {
  private struct Binding: Sendable {
    let connection: MCPConnection
    let entry: MCPTools.Entry
  }

  let offers: [ToolOffer]
  let instructions: String
  private let bindings: [String: Binding]
  private let connections: [MCPConnection]

  /// Characters of a server's own instructions that are passed on.
  static let maximumInstructions = 2000

  init(_ lists: [(server: MCPServer, list: MCPCatalogue.List)], _ catalogue: MCPCatalogue, _ log: Log) {
    var offers: [ToolOffer] = []
    var bindings: [String: Binding] = [:]
    var connections: [MCPConnection] = []
    var words: [String] = []
    for (server, list) in lists {
      let connection = MCPConnection(server, over: catalogue.http, log) {
        Task { await catalogue.changed(server) }
      }
      connections.append(connection)
      for var offer in server.offers(list.entries) {
        guard let entry = list.entries.first(where: { $0.tool.name == offer.tool.name }) else { continue }
        // Two servers may have tools of one name: the later one's get the server's name in front.
        if bindings[offer.tool.name] != nil { offer.tool.name = "\(server.name)_\(offer.tool.name)" }
        guard bindings[offer.tool.name] == nil else { continue }
        bindings[offer.tool.name] = Binding(connection: connection, entry: entry)
        offers.append(offer)
      }
      let said = [server.description, String(list.instructions.prefix(MCPToolSession.maximumInstructions))]
      let text = said.compactMap(\.self).filter { !$0.isEmpty }.joined(separator: "\n")
      if !text.isEmpty { words.append("## Tools of \(server.name)\n\(text)") }
    }
    self.offers = offers
    self.bindings = bindings
    self.connections = connections
    instructions = words.joined(separator: "\n\n")
  }

  func run(_ call: ToolCall) async throws -> ToolResult {
    guard let binding = bindings[call.name] else { throw ToolFailure("there is no tool \(call.name)") }
    let result = try await binding.connection.call(binding.entry, call.arguments)
    return MCPTools.result(result, of: call.id)
  }

  func close() async {
    await withTaskGroup(of: Void.self) { group in
      for connection in connections { group.addTask { await connection.close() } }
    }
  }
}
