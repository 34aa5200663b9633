internal import RouterCore

/// What a daemon serves over HTTP: the listeners, and the addresses at which providers announce calls.
struct DaemonWeb: Sendable {
  let server: WebServer
  let door: VoIPDoor
  /// The admin API's own listener.
  let admin: WebServer
  private let log: Log
  private let listens: Bool

  /// Opens nothing. Throws ``ControlFailure`` when the secret of the agents' addresses cannot be had.
  init(
    _ settings: WebSettings, admin: WebSettings, _ loops: EventLoops, routes: RoutesInForce, log: Log,
    metrics: Metrics,
    isDraining: @escaping @Sendable () -> Bool
  ) throws(ControlFailure) {
    self.log = log
    listens = !settings.listen.isEmpty
    server = WebServer(settings, on: loops.signalling, log: log, metrics: metrics, isDraining: isDraining)
    self.admin = WebServer(
      admin, on: loops.signalling, log: log, metrics: metrics, label: "admin", isJSON: true,
      isDraining: isDraining)
    // Who listens nowhere has no addresses to keep.
    let secret =
      settings.listen.isEmpty
      ? Array(Secret.token().utf8) : try VoIPSecret.load(VoIPSecret.path(settings))
    door = VoIPDoor(web: server, secret: secret, metrics: metrics) { routes.snapshot.voipAgents }
  }

  /// Certificates may have been renewed.
  func reload() async {
    for error in await server.reloadCertificates() {
      log.error("certificate not reloaded, the old one stays in force", ("why", error.message))
    }
  }

  /// Ends every connection.
  func close() async {
    await server.close()
    await admin.close()
  }

  /// The agents' own addresses, as ``status`` shows them.
  func endpoints(of agents: [String]) -> JSONValue {
    .object(
      Dictionary(agents.compactMap { name in door.address(ofAgent: name).map { (name, .string($0)) } }) {
        _, last in
        last
      })
  }

  /// What an integrator copies into the providers' accounts: every agent's address and every provider's.
  func endpoints(_ snapshot: RouteSnapshot) -> JSONValue {
    let origin = server.publicURL ?? "https://HOST"
    let agents = snapshot.voipAgents.compactMap { name -> JSONValue? in
      door.path(ofAgent: name).map { ["agent": .string(name), "webhook": .string(origin + $0)] }
    }
    return [
      "publicURL": server.publicURL.map(JSONValue.string) ?? .null, "listens": .bool(listens),
      "agents": .array(agents), "providers": Channels.endpoints(snapshot, at: origin),
    ]
  }
}
