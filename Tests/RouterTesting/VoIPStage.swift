public import RouterCore

/// One webhook channel with the web around it, on the loopback interface: for the tests of channels that providers call.
public final class VoIPStage<Channel: ChannelAdapter>: Sendable {
  public let channel: Channel
  public let loops: EventLoops
  public let metrics: Metrics
  public let web: WebServer
  public let door: VoIPDoor
  public let clients: HTTPClients
  /// `http://127.0.0.1:PORT`: how the outside reaches us.
  public let origin: String
  private let running: Task<Void, any Error>

  /// Starts everything.
  /// - Parameters:
  ///   - agents: Who has the channel `voip`.
  ///   - trust: Whose `X-Forwarded-*` headers are believed.
  ///   - providers: The provider entries of a type, asked for each time.
  public init(
    _ type: Channel.Type, _ configuration: Channel.Configuration, intake: CallIntake, agents: [String] = [],
    trust: [String] = [], providers: @escaping @Sendable (String) -> [ProviderAccount]
  ) async throws {
    loops = EventLoops(mediaLoops: 1)
    metrics = Metrics()
    clients = HTTPClients()
    let (web, origin) = try await VoIPStage.listen(loops, metrics, trust)
    self.web = web
    self.origin = origin
    let secret = Array("a secret for tests that is long enough".utf8)
    door = VoIPDoor(web: web, secret: secret, metrics: metrics) { agents }
    channel = try await Channel(
      configuration,
      PluginHost(
        log: .silent, metrics: metrics, loops: loops, clients: clients, web: web, voip: door,
        providers: providers))
    running = Task { [channel] in try await channel.run(intake) }
  }

  private static func listen(
    _ loops: EventLoops, _ metrics: Metrics, _ trust: [String]
  ) async throws -> (WebServer, String) {
    var failure: (any Error)?
    for _ in 0..<50 {
      // The public URL is part of the settings, so the port is chosen first.
      let port = UInt16.random(in: 20_000...60_000)
      var settings = WebSettings()
      settings.listen = [.init(isSecure: false, address: SocketAddress(ip: "127.0.0.1", port: port))]
      settings.publicURL = trust.isEmpty ? "http://127.0.0.1:\(port)" : nil
      // The emulated provider is one address, and as quick as the machine.
      settings.limits.requestsPerSecondPerAddress = 100_000
      // A provider that hangs is noticed while a test waits, and one that is busy with a test's mischief is not one.
      settings.limits.pingSeconds = 5
      settings.trustedProxies = trust.compactMap { AddressPrefix($0) }
      let web = WebServer(settings, on: loops.signalling, log: .silent, metrics: metrics)
      do {
        _ = try await web.start()
        return (web, "http://127.0.0.1:\(port)")
      } catch { failure = error }
    }
    throw failure ?? HTTPError(.refused, "no free port")
  }

  /// How many webhooks there were with this result.
  public func webhooks(_ result: String, of provider: String = Channel.name) -> Int {
    Int(metrics.value("routerd_voip_webhooks_total", ["provider": provider, "result": result]))
  }

  /// The channel takes no more calls; the web goes on.
  public func stopCalls() async {
    running.cancel()
    _ = await running.result
  }

  /// Ends the channel, then everything else.
  public func stop() async {
    await stopCalls()
    await web.close()
    await clients.close()
    let loops = loops
    Task.detached { loops.stop() }
  }
}
