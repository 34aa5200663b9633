internal import FoundationEssentials
internal import RouterCore

/// A routerd that serves: everything that lives from the start to the end of the process, and what ends it.
final class Daemon: Sendable {
  let settings: Settings
  let routes: RoutesInForce
  let log: Log
  let loops: EventLoops
  let metrics: Metrics
  let engine: CallEngine
  let store: (any CallStore)?
  let memory: (any MemoryStore)?
  let monitor: LoopMonitor
  let started = Date()
  /// Where calls come in; nothing before that.
  let listening = Lock<[String]>([])
  /// Where the admin API listens.
  let admin = Lock<String?>(nil)
  private let channels: [any ChannelAdapter]
  private let clients: HTTPClients
  let web: DaemonWeb
  private let adminToken: String
  let notifier: ServiceNotifier
  private let drained = OneShot<Void>()
  private let drainRequests = Lock(0)

  /// Makes everything and opens nothing. Throws what a plugin throws that cannot be made.
  init(_ settings: Settings, routes: RoutesInForce, log: Log) async throws {
    let loops = EventLoops(mediaLoops: settings.engine.mediaLoops)
    let metrics = Metrics()
    let drain = Lock<CallEngine?>(nil)
    let isDraining: @Sendable () -> Bool = { drain.withLock { $0?.isDraining ?? false } }
    web = try DaemonWeb(
      settings.web, admin: settings.admin.web, loops, routes: routes, log: log, metrics: metrics,
      isDraining: isDraining)
    let host = PluginHost(
      log: log, metrics: metrics, loops: loops, clients: HTTPClients(), trunks: { routes.snapshot.trunks },
      isDraining: isDraining, web: web.server, voip: web.door,
      providers: { routes.snapshot.providers(ofType: $0) })
    var assembly = Assembly()
    adminToken = try settings.admin.readToken()
    for make in settings.makers { try await make(host, &assembly) }
    clients = host.clients
    engine = CallEngine(
      routing: routes.router, models: assembly.conversationModels, tools: assembly.tools,
      trunks: { routes.snapshot.trunks }, store: assembly.store, http: host.http,
      memory: assembly.memory, synthesizer: assembly.speech, settings: settings.engine, log: log,
      metrics: metrics)
    drain.withLock { [engine] in $0 = engine }
    self.settings = settings
    self.routes = routes
    self.log = log
    self.loops = loops
    self.metrics = metrics
    store = assembly.store
    memory = assembly.memory
    channels = assembly.channels
    notifier = ServiceNotifier()
    monitor = LoopMonitor(loops, notifier: notifier, metrics: metrics)
  }

  private enum Happening {
    case ready([String])
    case channelFailed(String, any Error)
    case drained
    case other
  }

  /// Serves until it was drained, or a channel cannot serve.
  func serve(_ signals: AsyncStream<Signal>) async -> ExitCode {
    var code = ExitCode.success
    tellOfStart()
    for route in AdminAPI(token: adminToken, { try await self.control($0, ControlReply()) }).routes {
      web.admin.mount(route)
    }
    await withTaskGroup(of: Happening.self) { group in
      for channel in channels {
        group.addTask { [engine] in
          do { try await channel.run(engine.intake) } catch {
            return .channelFailed(type(of: channel).name, error)
          }
          return .other
        }
      }
      group.addTask { [channels, web, admin] in
        var places: [String] = []
        for channel in channels { places += await channel.ready() }
        do throws(HTTPError) {
          places += try await web.server.start()
          let place = try await web.admin.start().first
          admin.withLock { $0 = place }
        } catch {
          return .channelFailed("web", error)
        }
        return .ready(places)
      }
      group.addTask {
        await self.monitor.run(); return .other
      }
      group.addTask { [engine, routes] in
        await engine.prepareTools(routes.snapshot.functions)
        return .other
      }
      group.addTask {
        await self.obey(signals); return .other
      }
      group.addTask {
        await self.followFiles(); return .other
      }
      group.addTask {
        await self.freeOldRoutes(); return .other
      }
      group.addTask {
        await self.drained.value(cancelled: ())
        return .drained
      }
      for await happening in group {
        switch happening {
        case .ready(let places):
          guard !places.isEmpty, !engine.isDraining else { continue }
          listening.withLock { $0 = places }
          log.notice("ready", ("routes", routes.snapshot.version), ("pid", "\(ProcessFacts.id)"))
          notifier.ready("serving on \(places.joined(separator: ", "))")
        case .channelFailed(let name, let error):
          log.error("the channel \(name) cannot serve: \(error)")
          code = .system
          group.cancelAll()
        case .drained: group.cancelAll()
        case .other: break
        }
      }
    }
    await web.close()
    await clients.close()
    loops.stop()
    log.notice("ended")
    return code
  }

  private func obey(_ signals: AsyncStream<Signal>) async {
    for await signal in signals {
      switch signal {
      case .terminate: drain(deadline: nil)
      case .reload: _ = await reload(because: "SIGHUP")
      }
    }
  }

  /// Refuses new calls and ends when the live ones are over; asked a second time, it ends them at once.
  func drain(deadline: Duration?) {
    let count = drainRequests.withLock { count in
      count += 1
      return count
    }
    let isForced = count > 1
    let live = engine.liveCalls.count
    log.notice(
      isForced ? "hanging up: asked to end again" : "draining: new calls are refused", ("live", "\(live)"))
    notifier.stopping("draining, \(live) live calls")
    Task {
      await engine.drain(deadline: isForced ? .zero : deadline)
      drained.resolve(())
    }
  }
}
