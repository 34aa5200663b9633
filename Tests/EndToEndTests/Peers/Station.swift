import RouterCore
import RouterTesting
import SIPChannel
import Testing

/// A SIPChannel on loopback with a script in the place of the engine, so that a test sees the channel alone.
final class Station: Sendable {
  /// What happened, in the engine's eyes.
  enum Event: Sendable {
    case arrived(InboundCall)
    case leg(LegEvent)
    case refused(InboundCall, CallEnd)
    case transferred(TransferOutcome)
    case answered
    case failed(String)
    case over(AudioStatistics?)
  }

  /// What the engine would do with a call.
  typealias Script = @Sendable (InboundCall, any CallLeg, Journal<Event>) async -> Void

  let journal: Journal<Event>
  /// One for each entry of `listen:`.
  let addresses: [SocketAddress]
  let loops: EventLoops

  private init(_ journal: Journal<Event>, _ addresses: [SocketAddress], _ loops: EventLoops) {
    self.journal = journal
    self.addresses = addresses
    self.loops = loops
  }

  var udp: SocketAddress { addresses[0] }

  /// Trunks that take in whoever is on loopback.
  static let loopback = [Trunk(name: "loopback", addresses: ["127.0.0.0/8", "::1"])]

  /// Runs a channel while `body` runs, and ends it.
  /// - Parameter settings: The `sip:` section; without `listen:` it is UDP on 127.0.0.1 at a free port.
  static func open<Result: Sendable>(
    _ settings: String = "{}", trunks: [Trunk] = Station.loopback, isDraining: Bool = false,
    script: @escaping Script = Station.answer, _ body: (Station) async throws -> Result
  ) async throws -> Result {
    let node = try #require(try YAML.parse(settings, file: "sip.yaml"))
    var configuration = try YAMLDecoder.decode(SIPChannel.Configuration.self, from: node)
    if node["listen"] == nil {
      configuration.listen = [.init(.udp, host: "127.0.0.1", port: 0)]
    }
    let loops = EventLoops(mediaLoops: 1)
    let host = PluginHost(
      log: Log(label: "test", level: .warning) { print("\($0.label): \($0.message) \($0.fields)") },
      metrics: Metrics(), loops: loops, trunks: { trunks }, isDraining: { isDraining })
    let channel = try await SIPChannel(configuration, host)
    let journal = Journal<Event>()
    let intake = CallIntake { call, leg in
      journal.note(.arrived(call))
      await script(call, leg, journal)
    } refused: { call, end in
      journal.note(.refused(call, end))
    }
    let running = Task { try await channel.run(intake) }
    let addresses = await channel.listening()
    let outcome: Swift.Result<Result, any Error>
    do {
      outcome = .success(try await body(Station(journal, addresses, loops)))
    } catch {
      outcome = .failure(error)
    }
    running.cancel()
    try await running.value
    loops.stop()
    return try outcome.get()
  }

  // MARK: Scripts

  /// Rings, answers, notes everything, until the caller hangs up.
  static let answer: Script = { call, leg, journal in
    await converse(call, leg, journal) { _ in }
  }

  /// Rings for a moment, as a telephone does, and answers.
  static let ringAndAnswer: Script = { call, leg, journal in
    await converse(call, leg, journal, ringing: .milliseconds(500)) { _ in }
  }

  /// Rings, answers and ends the call.
  static let answerAndHangUp: Script = { call, leg, journal in
    await converse(call, leg, journal) { _ in await leg.hangUp(CallEnd(.agentHungUp)) }
  }

  /// Hands every caller over.
  static func transfer(to target: String, timeout: Int = 10) -> Script {
    { call, leg, journal in
      await converse(call, leg, journal) { _ in
        journal.note(.transferred(await leg.transfer(TransferRequest(target: target, timeout: timeout))))
      }
    }
  }

  /// Refuses every call.
  static func reject(_ end: CallEnd, headers: [Header] = []) -> Script {
    { _, leg, _ in await leg.reject(end, headers: headers) }
  }

  /// Rings and waits for the caller to give up.
  static let ringForever: Script = { _, leg, journal in
    await leg.ring()
    for await event in leg.events { journal.note(.leg(event)) }
    journal.note(.over(nil))
  }

  /// Rings, answers, does something, and waits for the end.
  static func converse(
    _ call: InboundCall, _ leg: any CallLeg, _ journal: Journal<Event>, ringing: Duration = .zero,
    _ deed: @escaping @Sendable (any CallMedia) async -> Void
  ) async {
    await leg.ring()
    // A test that is given up rings for a shorter time.
    try? await Task.sleep(for: ringing)
    let media: any CallMedia
    do {
      media = try await leg.answer(AnswerOptions(headers: [Header("X-Route-Decision", "d-1")]))
    } catch {
      for await event in leg.events { journal.note(.leg(event)) }
      journal.note(.failed("\(error)"))
      journal.note(.over(nil))
      return
    }
    journal.note(.answered)
    await withTaskGroup { group in
      group.addTask { await deed(media) }
      group.addTask { for await event in leg.events { journal.note(.leg(event)) } }
    }
    journal.note(.over(media.statistics()))
  }
}

extension Journal where Event == Station.Event {
  /// The calls that arrived.
  var calls: [InboundCall] {
    events.compactMap { if case .arrived(let call) = $0 { call } else { nil } }
  }
  /// What happened on the callers' sides.
  var legEvents: [LegEvent] {
    events.compactMap { if case .leg(let event) = $0 { event } else { nil } }
  }
  /// The keys that were pressed.
  var digits: String {
    String(legEvents.compactMap { if case .digit(let digit) = $0 { digit } else { nil } })
  }
  /// How the call ended on the caller's side.
  var ending: CallEnd? {
    legEvents.lazy.compactMap { if case .hungUp(let end) = $0 { end } else { nil } }.first
  }
  /// Waits until a call is over.
  func over() async throws { try await first("the end") { if case .over = $0 { true } else { false } } }
}
