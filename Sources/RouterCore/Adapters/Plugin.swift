/// Anything that extends routerd: made once at start, never on a reload. What may change arrives with each request as
/// a value.
public protocol Plugin: Sendable {
  /// What the plugin reads under its own name in the settings file (`routerd.yaml`).
  associatedtype Configuration: Decodable & Sendable = NoConfiguration
  /// The word for it in YAML, e.g. `sip`, `offline`.
  static var name: String { get }
  /// Made once, at start. Must not open listeners or connections: that is what running is for.
  init(_ configuration: Configuration, _ host: PluginHost) async throws
  /// What keeps a configuration from being used here and now that is well written. Asked by `routerd check` and before every
  /// start, for a section that is there: looks, and makes or changes nothing. Nothing unless a plugin says otherwise.
  static func obstacles(to configuration: Configuration) -> [SettingObstacle]
  /// What it reads of a provider of this `type:` in the route files; other keys are errors there. `nil`, as it is unless a
  /// plugin says otherwise: it does not say, and no key is doubted.
  static func providerKeys(of type: String) -> [ProviderKey]?
}

extension Plugin {
  public static func obstacles(to configuration: Configuration) -> [SettingObstacle] { [] }
  public static func providerKeys(of type: String) -> [ProviderKey]? { nil }
}

/// For plugins that read nothing.
public struct NoConfiguration: Decodable, Sendable {
  public init() {}
}

/// What routerd lends to a plugin.
public struct PluginHost: Sendable {
  public var log: Log
  public var metrics: Metrics
  /// The event loops, for adapters on libre's sockets.
  public var loops: EventLoops
  /// The way out to the network, for what belongs to no call's loop.
  public var http: HTTPClient { clients.client(on: loops.signalling) }
  /// The way out from any loop: a call's sound travels on the call's own.
  public var clients: HTTPClients
  /// The trunks of the route snapshot in force, asked for anew for each call.
  public var trunks: @Sendable () -> [Trunk]
  /// Whether routerd is draining: a channel then refuses new calls itself where that is cheaper.
  public var isDraining: @Sendable () -> Bool
  /// Where to mount what is served over HTTP.
  public var web: any WebMounts
  /// The addresses at which VoIP providers announce calls.
  public var voip: any VoIPEndpoints
  /// The providers of a `type:` in the route snapshot in force, secrets in place; asked for anew for each call.
  public var providers: @Sendable (_ type: String) -> [ProviderAccount]

  public init(
    log: Log, metrics: Metrics, loops: EventLoops, clients: HTTPClients = HTTPClients(),
    trunks: @escaping @Sendable () -> [Trunk] = { [] },
    isDraining: @escaping @Sendable () -> Bool = { false }, web: any WebMounts = NoWebMounts(),
    voip: any VoIPEndpoints = NoVoIPEndpoints(),
    providers: @escaping @Sendable (_ type: String) -> [ProviderAccount] = { _ in [] }
  ) {
    self.log = log
    self.metrics = metrics
    self.loops = loops
    self.clients = clients
    self.trunks = trunks
    self.isDraining = isDraining
    self.web = web
    self.voip = voip
    self.providers = providers
  }
}
