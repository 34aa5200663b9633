/// A route table as it was at one moment: immutable, shared by all calls that it routed.
public final class RouteSnapshot: Sendable {
  /// Names the content; the same files have the same version everywhere.
  public let version: String
  /// The files that it was made of.
  public let files: [String]
  /// In the order of the files.
  public let trunks: [Trunk]
  /// In the order of the files. Passwords are in place: never log them.
  public let connections: [SIPConnection]
  /// What a person should look at, though the table can be used.
  public let warnings: DiagnosticList

  /// The agents that have a block for the channel `voip`, sorted: each has an address of its own for webhooks.
  public let voipAgents: [String]

  let table: RouteTable
  let context: ConditionContext
  let settings: AgentSettings
  let numbering: Numbering
  let secrets: Secrets
  let tests: [RouteTest]
  /// Every named thing as it was written, references to secrets in place, by section and name: for comparing.
  let sections: [String: [String: JSONValue]]
  private let trunkNumbering: [String: Numbering]
  private let connectionNumbering: [String: Numbering]
  /// Configurations that were asked for before; all calls of an agent share one.
  private let configurations = Lock<[ConfigurationKey: AgentConfiguration]>([:])

  /// Configurations beyond this many are made anew for each call.
  private static let maximumConfigurations = 10_000

  private struct ConfigurationKey: Hashable {
    var agent: String
    var channel: String
    var overrides: [Int]
  }

  /// What a snapshot is made of.
  struct Parts {
    var version: String
    var files: [String]
    var table: RouteTable
    var context: ConditionContext
    var settings: AgentSettings
    var numbering: Numbering
    var trunks: [Trunk]
    var connections: [SIPConnection]
    var secrets: Secrets
    var tests: [RouteTest]
    var sections: [String: [String: JSONValue]]
    var warnings: DiagnosticList
  }

  init(_ parts: Parts) {
    version = parts.version
    files = parts.files
    table = parts.table
    context = parts.context
    settings = parts.settings
    numbering = parts.numbering
    trunks = parts.trunks
    connections = parts.connections
    secrets = parts.secrets
    tests = parts.tests
    sections = parts.sections
    warnings = parts.warnings
    let voip = ChannelKind.voip.rawValue
    voipAgents = settings.agents.filter { $0.value.channels[voip] != nil }.keys.sorted()
    func numberings<T>(_ items: [T], _ name: (T) -> String, _ region: (T) -> String?) -> [String: Numbering] {
      let pairs = items.compactMap { item in region(item).map { (name(item), Numbering(region: $0)) } }
      return Dictionary(pairs) { _, last in last }
    }
    trunkNumbering = numberings(parts.trunks, \.name, \.region)
    connectionNumbering = numberings(parts.connections, \.name, \.region)
  }

  /// How many routes there are.
  public var routeCount: Int { table.routes.count }
  /// The names of all agents, sorted.
  public var agentNames: [String] { settings.agents.keys.sorted() }
  /// The types of all providers that are defined, sorted: what plugins must be there for.
  public var providerTypes: [String] {
    Set(settings.providers.values.compactMap { $0["type"]?.string }).sorted()
  }

  /// A function (tool) as it was written, secrets in place: never log it.
  public func function(named name: String) -> JSONValue? { settings.functions[name].map(secrets.fill) }
  /// Every function, MCP server, knowledge base and search that there is, secrets in place: what tools get ready for.
  public var functions: [FunctionDefinition] { settings.allFunctions(secrets) }
  /// A provider as it was written, secrets in place: never log it.
  public func provider(named name: String) -> JSONValue? { settings.providers[name].map(secrets.fill) }
  /// The providers of a type, sorted by name, secrets in place: never log them.
  public func providers(ofType type: String) -> [ProviderAccount] {
    settings.providers.filter { $0.value["type"]?.string == type }.sorted { $0.key < $1.key }
      .map { ProviderAccount(name: $0.key, settings: secrets.fill($0.value)) }
  }
  /// A knowledge base as it was written.
  public func knowledgeBase(named name: String) -> JSONValue? { settings.knowledgeBases[name] }

  /// How numbers of a call are read: by its trunk, its connection, or the table.
  func numbering(for call: InboundCall) -> Numbering {
    call.trunk.flatMap { trunkNumbering[$0] } ?? call.connection.flatMap { connectionNumbering[$0] }
      ?? numbering
  }

  /// Position of the route that takes a call, among ``routes(in:)``; `nil` when none does. What ``resolve(_:)`` begins with.
  public func lookup(_ call: InboundCall) -> Int? { winner(CallFacts(call, numbering(for: call))) }

  /// The same for a call that was looked at before.
  func winner(_ facts: CallFacts) -> Int? {
    var winner: Int?
    table.index.search(facts.to) { route, _ in
      guard table.fits(route, facts, context) else { return false }
      winner = route
      return true
    }
    return winner
  }

  /// An agent's configuration by name; `nil` when there is no such agent.
  /// - Parameters:
  ///   - overrides: Positions of the route's overrides.
  ///   - session: What the session that asked wants; merged last.
  func configuration(
    of name: String, channel: String, overrides: [Int], session: JSONValue = [:]
  ) -> AgentConfiguration? {
    guard let agent = settings.agents[name] else { return nil }
    let hasSession = session != [:] && session != .null
    let key = ConfigurationKey(agent: name, channel: channel, overrides: overrides)
    if !hasSession, let known = configurations.withLock({ $0[key] }) { return known }
    var layers = overrides.map { table.overrides[$0] }
    if hasSession { layers.append(Sourced(session, from: .resource("session"))) }
    let merged = settings.merged(agent, channel: channel, layers: layers)
    let configuration = settings.configuration(named: name, merged.json, secrets)
    if !hasSession {
      configurations.withLock { known in
        if known.count < RouteSnapshot.maximumConfigurations { known[key] = configuration }
      }
    }
    return configuration
  }
}

extension RouteTable {
  /// Whether all conditions of a route hold.
  func fits(_ route: Int, _ facts: CallFacts, _ context: ConditionContext) -> Bool {
    guard isConditional(route) else { return true }
    let conditions = conditions[Int(routes[route].conditions)]
    return conditions.allSatisfy { $0.holds(facts, context, route: name(of: route)) }
  }
}
