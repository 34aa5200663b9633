/// The calls of one webhook channel: announced by its plugin, found again by the provider's identifier or by the secret
/// of their media socket's address.
///
/// A plugin makes one at its start, hands ``run(_:)`` the engine's intake, and tells ``announce(_:)`` of each call.
public final class WebhookCalls: Sendable {
  /// What a plugin says of a new call.
  public struct Announcement: Sendable {
    public var call: InboundCall
    /// Where the provider believes that we are (``HTTPServerRequest/origin``): the media socket is sent there.
    public var origin: String
    /// What the wire is going to carry, as far as it is known.
    public var format: AudioFormat
    public var control: any CallControl
    /// A new codec for each media socket.
    public var codec: @Sendable () -> any MediaSocketCodec
    /// Whether the request that opens the media socket may (signature); the secret of its address is checked already.
    public var admits: @Sendable (HTTPServerRequest) -> Bool

    public init(
      _ call: InboundCall, origin: String, format: AudioFormat = .muLaw, control: any CallControl,
      codec: @escaping @Sendable () -> any MediaSocketCodec,
      admits: @escaping @Sendable (HTTPServerRequest) -> Bool = { _ in true }
    ) {
      self.call = call
      self.origin = origin
      self.format = format
      self.control = control
      self.codec = codec
      self.admits = admits
    }
  }

  /// What became of an announcement.
  public enum Outcome: Sendable {
    case new(WebhookLeg)
    /// The provider says it again; this is the leg of the first time.
    case known(WebhookLeg)
    /// The call was here and is over.
    case over
    /// Nobody serves calls now.
    case refused
  }

  private struct Waiting {
    var leg: WebhookLeg
    var admits: @Sendable (HTTPServerRequest) -> Bool
  }

  private struct State {
    var door: AsyncStream<WebhookLeg>.Continuation?
    var legs: [String: WebhookLeg] = [:]
    var sockets: [String: Waiting] = [:]
    var tokens: [String: [String]] = [:]
    var gone = RecentSet(WebhookCalls.remembered)
  }

  /// Calls between the webhook and the engine; one more is refused.
  private static let doorstep = 1000
  /// Calls that are remembered after their end, for what comes late.
  private static let remembered = 10_000

  public let type: String
  let host: PluginHost
  private let settings: WebhookLeg.Settings
  private let log: Log
  private let state = Lock(State())

  /// - Parameter type: The provider's; media sockets come to `/voip/TYPE/media/…`.
  public init(type: String, _ host: PluginHost, _ settings: WebhookLeg.Settings = .init()) {
    self.type = type
    self.host = host
    self.settings = settings
    log = host.log.labelled(type)
    host.web.mount(
      WebRoute("/voip/\(type)/media/{token}") { [weak self] request in
        self?.connect(request) ?? .text(503, "closing\n")
      })
  }

  /// Calls that are up, or ringing.
  public var count: Int { state.withLock { $0.legs.count } }
  /// Addresses of media sockets that somebody may still come to.
  public var openAddresses: Int { state.withLock { $0.sockets.count } }

  /// Serves until the task is cancelled: what ``ChannelAdapter/run(_:)`` does.
  public func run(_ calls: CallIntake) async {
    let (visitors, door) = AsyncStream<WebhookLeg>.makeStream(
      bufferingPolicy: .bufferingOldest(WebhookCalls.doorstep))
    state.withLock { $0.door = door }
    await withDiscardingTaskGroup { group in
      for await leg in visitors {
        group.addTask {
          await calls(leg.call, on: leg)
          await leg.close()
        }
      }
    }
    state.withLock { $0.door = nil }
  }

  /// A provider announces a call; ``InboundCall/foreignID`` says which.
  public func announce(_ announcement: Announcement) -> Outcome {
    let id = announcement.call.foreignID ?? announcement.call.id.text
    let loop = host.loops.nextMediaLoop()
    let log = log.with("call", announcement.call.id.text)
    let outcome = state.withLock { state -> Outcome in
      if let leg = state.legs[id] { return .known(leg) }
      if state.gone.contains(id) { return .over }
      let leg = WebhookLeg(
        WebhookLeg.Parts(
          call: announcement.call, control: announcement.control, codec: announcement.codec,
          invite: { [weak self] in self?.invite(id, announcement) ?? MediaSocketInvitation(url: "", token: "")
          },
          format: announcement.format, settings: settings, log: log,
          released: { [weak self] in self?.release(id) }),
        on: loop)
      guard let door = state.door, case .enqueued = door.yield(leg) else { return .refused }
      state.legs[id] = leg
      return .new(leg)
    }
    publish()
    return outcome
  }

  /// The leg of a call that is up, or ringing.
  public func leg(_ foreignID: String) -> WebhookLeg? { state.withLock { $0.legs[foreignID] } }

  /// Whether a call was here and is over: what comes of it is late, not strange.
  public func isOver(_ foreignID: String) -> Bool { state.withLock { $0.gone.contains(foreignID) } }

  /// The leg of a call that its provider says is over. One that nobody knows is remembered: where webhooks overtake each
  /// other, its announcement comes too late.
  public func ending(_ foreignID: String) -> WebhookLeg? {
    state.withLock { state in
      if let leg = state.legs[foreignID] { return leg }
      state.gone.insert(foreignID)
      return nil
    }
  }

  /// Counts a webhook by what came of it, and says so in the log when it was refused.
  public func count(_ result: String, refused request: HTTPServerRequest? = nil) {
    host.metrics.add("routerd_voip_webhooks_total", 1, ["provider": type, "result": result])
    if let request {
      log.notice(
        "webhook refused", ("why", result), ("path", String(request.path)), ("source", "\(request.remote)"))
    }
  }

  private func publish() {
    host.metrics.set("routerd_voip_calls", Double(count), ["provider": type])
  }

  // MARK: Media sockets

  /// A new address for a media socket of a call.
  private func invite(_ id: String, _ announcement: Announcement) -> MediaSocketInvitation {
    let token = Secret.token()
    let path = "/voip/\(type)/media/\(token)"
    state.withLock { state in
      guard let leg = state.legs[id] else { return }
      state.sockets[token] = Waiting(leg: leg, admits: announcement.admits)
      state.tokens[id, default: []].append(token)
    }
    // http: becomes ws:, https: becomes wss:.
    let origin = host.web.publicURL ?? announcement.origin
    let base = origin.hasPrefix("http") ? "ws" + origin.dropFirst(4) : origin
    return MediaSocketInvitation(url: base + path, token: token)
  }

  private func connect(_ request: HTTPServerRequest) -> HTTPServerReply {
    let token = request.parameters["token"] ?? ""
    guard let waiting = state.withLock({ $0.sockets[token] }) else {
      count("stranger", refused: request)
      return .text(403, "no call waits here\n")
    }
    guard waiting.admits(request) else {
      count("forged", refused: request)
      return .text(403, "the signature is wrong\n")
    }
    // Only a request that really becomes a WebSocket uses the address up.
    guard WebSocketHandshake.acceptable(request) != nil else { return WebSocketHandshake.refusal }
    guard state.withLock({ $0.sockets.removeValue(forKey: token) }) != nil else {
      return .text(403, "no call waits here\n")
    }
    var socket = WebSocketSettings()
    socket.maximumMessageBytes = settings.messageBytes
    socket.maximumQueuedBytes = settings.queuedBytes
    socket.mustAnswerPings = true  // who does not read hears nothing, however much it says
    let leg = waiting.leg
    return .webSocket(protocol: nil, socket, on: leg.loop) { await leg.connect($0) }
  }

  private func release(_ id: String) {
    state.withLock { state in
      guard state.legs.removeValue(forKey: id) != nil else { return }
      for token in state.tokens.removeValue(forKey: id) ?? [] { state.sockets[token] = nil }
      state.gone.insert(id)
    }
    publish()
  }
}

/// Things that nobody can guess.
public enum Secret {
  /// 160 bits as 40 hexadecimal digits, from the system's generator.
  public static func token() -> String {
    var generator = SystemRandomNumberGenerator()
    return Digest.hexadecimal((0..<20).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
  }
}
