internal import CLibre
internal import Glibc

/// Finds the addresses of names (RFC 3263 section 4): NAPTR and SRV by libre's DNS client on the loop, A and AAAA by the
/// system's resolver (which knows `/etc/hosts`) on threads of their own.
final class SIPResolver {
  /// Names that are looked up at once; more fail.
  static let maximumLookups = 64
  /// How long an answer is used again.
  static let memory = Duration.seconds(30)
  /// Answers that are remembered.
  static let maximumMemory = 512

  private let nameServers: [String]
  /// Brings the result of a thread back to the loop, to ``found(_:_:)``.
  private let post: @Sendable (UInt64, [String]) -> Void
  private var client: OpaquePointer?
  private var waiting: [UInt64: ([String]) -> Void] = [:]
  private var queries: [UInt64: SIPNameQuery] = [:]
  private var nextNumber: UInt64 = 1
  private var known: [SIPLookup: (until: ContinuousClock.Instant, destinations: [SIPDestination])] = [:]

  init(nameServers: [String], post: @escaping @Sendable (UInt64, [String]) -> Void) {
    self.nameServers = nameServers
    self.post = post
  }

  deinit { close() }

  func close() {
    waiting = [:]
    for query in queries.values { query.cancel() }
    queries = [:]
    client = OpaquePointer(mem_deref(UnsafeMutableRawPointer(client)))
  }

  /// Calls `done` with where to send, best first; nowhere when the name is unknown. At once for a numeric address.
  func resolve(_ lookup: SIPLookup, _ done: @escaping ([SIPDestination]) -> Void) {
    if case .direct(let address, let transport) = lookup.plan {
      return done([SIPDestination(address: address, transport: transport, name: lookup.name)])
    }
    if let answer = known[lookup], answer.until > .now { return done(answer.destinations) }
    let remember: ([SIPDestination]) -> Void = { [unowned self] destinations in
      if known.count >= SIPResolver.maximumMemory { known = [:] }
      if !destinations.isEmpty { known[lookup] = (.now + SIPResolver.memory, destinations) }
      done(destinations)
    }
    switch lookup.plan {
    case .direct: break
    case .addresses(let host, let port, let transport):
      let service = SIPLookup.Service(priority: 0, weight: 0, port: port, host: host)
      addresses([(service, transport)], lookup.name, [], remember)
    case .services(let host, let transports):
      let usual = transports.map { (name: SIPLookup.service($0, host), transport: $0) }
      guard transports.count > 1 else { return services(host, usual[...], lookup.name, remember) }
      pointers(host) { [unowned self] found in
        services(host, (found.isEmpty ? usual : found)[...], lookup.name, remember)
      }
    }
  }

  // MARK: Services

  /// Asks what transports a domain wants (section 4.1), the best one first.
  private func pointers(
    _ host: String, _ done: @escaping ([(name: String, transport: SIPTransport)]) -> Void
  ) {
    query(host, .pointers) { records in
      let pointers = records.compactMap { if case .pointer(let pointer) = $0 { pointer } else { nil } }
      done(SIPLookup.order(pointers))
    }
  }

  /// Asks for the services of one transport after the other; when there are none, for the host itself.
  private func services(
    _ host: String, _ names: ArraySlice<(name: String, transport: SIPTransport)>, _ name: String,
    _ done: @escaping ([SIPDestination]) -> Void, first: SIPTransport? = nil
  ) {
    let first = first ?? names.first?.transport ?? .udp
    guard let (service, transport) = names.first else {
      let service = SIPLookup.Service(priority: 0, weight: 0, port: first.defaultPort, host: host)
      return addresses([(service, first)], name, [], done)
    }
    query(service, .services) { [unowned self] records in
      let found = records.compactMap { if case .service(let service) = $0 { service } else { nil } }
      guard !found.isEmpty else { return services(host, names.dropFirst(), name, done, first: first) }
      var random = SystemRandomNumberGenerator()
      // A single record for "." says that the service is not offered (RFC 2782).
      let offered = SIPLookup.order(found, using: &random).filter { $0.host != "." && !$0.host.isEmpty }
      addresses(offered.map { ($0, transport) }, name, [], done)
    }
  }

  private func query(
    _ name: String, _ kind: SIPNameQuery.Kind, _ done: @escaping ([SIPNameQuery.Record]) -> Void
  ) {
    guard queries.count < SIPResolver.maximumLookups, let client = openClient() else { return done([]) }
    let number = nextNumber
    nextNumber += 1
    let query = SIPNameQuery(kind) { [unowned self] records in
      queries[number] = nil
      done(records)
    }
    queries[number] = query
    if !query.start(client, name) {
      queries[number] = nil
      done([])
    }
  }

  private func openClient() -> OpaquePointer? {
    if let client { return client }
    var servers = nameServers.compactMap { text -> sa? in
      guard let (host, port) = SIPTransports.hostPort(text) else { return nil }
      return sa(ip: host, port: port ?? 53)
    }
    if servers.isEmpty {
      servers = [sa](repeating: sa(), count: 8)
      var count = UInt32(servers.count)
      guard dns_srv_get(nil, 0, &servers, &count) == 0 else { return nil }
      servers = Array(servers.prefix(Int(count)))
    }
    guard !servers.isEmpty, dnsc_alloc(&client, nil, &servers, UInt32(servers.count)) == 0 else { return nil }
    return client
  }

  // MARK: Addresses

  /// Looks the hosts up one after the other.
  private func addresses(
    _ services: [(SIPLookup.Service, SIPTransport)], _ name: String, _ found: [SIPDestination],
    _ done: @escaping ([SIPDestination]) -> Void
  ) {
    guard let (service, transport) = services.first else { return done(found) }
    host(service.host) { [unowned self] addresses in
      let more = addresses.map {
        SIPDestination(address: SocketAddress(ip: $0, port: service.port), transport: transport, name: name)
      }
      self.addresses(Array(services.dropFirst()), name, found + more, done)
    }
  }

  private func host(_ name: String, _ done: @escaping ([String]) -> Void) {
    if let address = SIPLookup.numeric(name) { return done([address]) }
    guard waiting.count < SIPResolver.maximumLookups else { return done([]) }
    let number = nextNumber
    nextNumber += 1
    waiting[number] = done
    let post = self.post
    let isStarted = DetachedThread.start { post(number, SIPResolver.system(name)) }
    if !isStarted { found(number, []) }
  }

  /// A thread has its result.
  func found(_ number: UInt64, _ addresses: [String]) { waiting.removeValue(forKey: number)?(addresses) }

  /// Asks the system's resolver; takes as long as it takes.
  private static func system(_ name: String) -> [String] {
    var hints = addrinfo()
    hints.ai_protocol = Int32(IPPROTO_UDP)  // each address once
    hints.ai_flags = AI_ADDRCONFIG
    var result: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(name, nil, &hints, &result) == 0 else { return [] }
    defer { freeaddrinfo(result) }
    var addresses: [String] = []
    var node = result
    while let info = node?.pointee {
      var address = sa()
      if let socket = info.ai_addr, sa_set_sa(&address, socket) == 0, !addresses.contains(address.ip) {
        addresses.append(address.ip)
      }
      node = info.ai_next
    }
    return addresses
  }
}

/// A thread that nobody waits for.
enum DetachedThread {
  private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Whether the thread could be started.
  static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(Body(body))
    let result = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      }, argument.toOpaque())
    guard result == 0 else {
      argument.release()
      return false
    }
    pthread_detach(thread)
    return true
  }
}
