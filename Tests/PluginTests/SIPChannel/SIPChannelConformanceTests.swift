import RouterCore
import RouterTesting
import SIPChannel
import Testing

/// The suite for channels, over real SIP and RTP on loopback.
@Suite(.timeLimit(.minutes(5))) struct SIPChannelConformanceTests {
  @Test func conforms() async {
    let violations = await ChannelConformance.violations { intake in try await SIPDriver.start(intake) }
    #expect(violations.isEmpty, "\(violations)")
  }
}

/// A SIPChannel, and a telephone to ring it up with.
final class SIPDriver: ChannelDriver {
  let capabilities = SIPChannel.capabilities
  private let loops: EventLoops
  private let metrics: Metrics
  private let running: Task<Void, any Error>
  private let phone: SIPEndpoint
  private let target: SocketAddress
  private let ports: RTPPorts

  private init(
    loops: EventLoops, metrics: Metrics, running: Task<Void, any Error>, phone: SIPEndpoint,
    target: SocketAddress, ports: RTPPorts
  ) {
    self.ports = ports
    self.loops = loops
    self.metrics = metrics
    self.running = running
    self.phone = phone
    self.target = target
  }

  static func start(_ intake: CallIntake) async throws -> SIPDriver {
    var configuration = SIPChannel.Configuration()
    configuration.listen = [.init(.udp, host: "127.0.0.1", port: 0)]
    configuration.unknownSources = .accept
    configuration.limits.invitesPerSecondPerAddress = 100_000  // the phone is one address, and quick
    // Fewer ports than the suite makes calls: one that is not given back is missed. Somewhere, so that two runs on one
    // machine do not take each other's.
    let base = UInt16.random(in: 100...140) * 200
    configuration.media.ports = base...(base + 15)
    let loops = EventLoops(mediaLoops: 1)
    let metrics = Metrics()
    let channel = try await SIPChannel(
      configuration, PluginHost(log: .silent, metrics: metrics, loops: loops))
    let running = Task { try await channel.run(intake) }
    let target = try #require(await channel.listening().first)
    let phone = SIPEndpoint(
      loop: loops.signalling,
      settings: SIPSettings(listeners: [.init(.udp, address: "127.0.0.1", port: 0)]), log: .silent)
    try await phone.listen(SIPHandlers(invitation: { _ in .ignore }))
    return SIPDriver(
      loops: loops, metrics: metrics, running: running, phone: phone, target: target,
      // A port rests after a call, and there are more than a thousand.
      ports: RTPPorts((base + 16)...(base + 4015)))
  }

  func call() async throws -> any ChannelCaller {
    var media = MediaSettings(bindAddress: "127.0.0.1", ports: ports)
    media.timeout = nil
    let audio = try RTPMedia.open(media, on: loops.nextMediaLoop()) { _ in }
    let caller = SIPCaller(audio)
    let uri = SIPURI(user: "600", host: target.ip, port: target.port)
    let from = SIPAddress(uri: SIPURI(user: "+15550177", host: "127.0.0.1"))
    let call = await phone.call(SIPOutgoingCall(target: uri, from: from, sdp: caller.offer)) {
      caller.happens($0)
    }
    caller.begin(call)
    return caller
  }

  func held() async -> Int { Int(metrics.value("routerd_sip_calls", ["trunk": ""])) }

  func stop() async {
    running.cancel()
    _ = await running.result
    await phone.close()
    loops.stop()
  }
}

/// One call of the telephone.
final class SIPCaller: ChannelCaller {
  let events = Journal<CallerEvent>()
  let offer: [UInt8]
  private let audio: RTPMedia
  private let negotiation: Lock<SDPNegotiation>
  private let call = Lock<SIPClientCall?>(nil)
  private let answersTransfers = Lock(true)
  private let heard = Lock<ContinuousClock.Instant?>(nil)

  init(_ audio: RTPMedia) {
    self.audio = audio
    var negotiation = SDPNegotiation(.init(addresses: ["127.0.0.1"], port: audio.port))
    offer = Array(negotiation.offer().text.utf8)
    self.negotiation = Lock(negotiation)
    audio.hear(as: .linear16(8000)) { [heard] frame in
      let isLoud = frame.withSamples { $0.contains { abs(Int($0)) > 2000 } }
      if isLoud { heard.withLock { $0 = .now } }
    }
  }

  var listens: Bool { true }
  func lastSound() async -> ContinuousClock.Instant? { heard.withLock { $0 } }

  func begin(_ call: SIPClientCall) { self.call.withLock { $0 = call } }

  func happens(_ event: SIPCallEvent) {
    switch event {
    case .progress: events.note(.ringing)
    case .answered(let response):
      agree(response.sdp ?? [])
      events.note(.answered)
    case .referred(let referral):
      let status = answersTransfers.withLock { $0 ? 200 : 486 }
      referral.accept()
      Task { await referral.report(status) }
    case .ended(let ending):
      audio.close()
      let isRefused = ending.cause == .refused
      events.note(isRefused ? .refused(status: ending.status) : .ended)
    case .acknowledged, .offer, .info, .transferProgress: break
    }
  }

  private func agree(_ answer: [UInt8]) {
    do {
      try negotiation.withLock { try $0.accept(SessionDescription(parsing: answer)) }
      if let parameters = negotiation.withLock({ $0.parameters }) { audio.apply(parameters) }
    } catch { Issue.record("an answer that nobody understands: \(error)") }
  }

  func cancel() async throws { await call.withLock { $0 }?.cancel() }
  func hangUp() async throws { await call.withLock { $0 }?.hangUp([.q850(16)]) }
  func press(_ keys: String) async throws { await audio.sendDigits(keys) }
  func transferTarget(answers: Bool) async throws { answersTransfers.withLock { $0 = answers } }

  func speak(milliseconds: Int) async throws {
    audio.play(AudioFrame(.muLaw, bytes: [UInt8](repeating: 0x2A, count: 8 * milliseconds)), turn: TurnID(1))
    try await Task.sleep(for: .milliseconds(milliseconds))
  }
}
