public import Emulators
public import RouterCore

/// A channel of a VoIP provider with the emulated provider on the other side of the wire.
public final class EmulatedStage<Channel: WebhookChannel, Kind: ProviderEmulator>: ChannelDriver {
  public let stage: VoIPStage<Channel>
  public let service: RunningEmulator<Kind>

  public var capabilities: ChannelCapabilities { Channel.capabilities }
  /// Where the provider announces calls.
  public var webhook: String { stage.origin + "/voip/\(Channel.name)" }
  /// For requests that a test makes itself.
  public var client: HTTPClient { stage.clients.client(on: stage.loops.signalling) }

  /// - Parameters:
  ///   - options: The emulator's.
  ///   - agents: Who has the channel `voip`.
  ///   - account: The settings of the provider's account, besides its type and `apiURL`.
  public init(
    _ intake: CallIntake, _ options: [(String, String)] = [], agents: [String] = [],
    account: (Kind) -> [String: JSONValue]
  ) async throws where Channel.Configuration == NoConfiguration {
    let service = try await RunningEmulator(Kind.self, options)
    self.service = service
    let own: [String: JSONValue] = [
      "type": .string(Channel.name), "apiURL": .string(service.url()), "transferDomain": "pbx.example.com",
    ]
    let settings = own.merging(account(service.emulator)) { $1 }
    let entry = ProviderAccount(name: "main", settings: .object(settings))
    stage = try await VoIPStage(Channel.self, NoConfiguration(), intake: intake, agents: agents) { type in
      type == Channel.name ? [entry] : []
    }
  }

  public func call() async throws -> any ChannelCaller { await place() }

  /// Has the provider announce a call.
  public func place(to webhook: String? = nil) async -> EmulatedCaller {
    let events = Journal<CallerEvent>()
    let call = await service.emulator.place(to: webhook ?? self.webhook) {
      EmulatedCaller.note($0, in: events)
    }
    return EmulatedCaller(call: call, events: events, board: service.emulator.board)
  }

  /// Calls and addresses that anything is still kept of, on both sides.
  public func held() async -> Int {
    stage.channel.calls.count + stage.channel.calls.openAddresses + service.emulator.liveCalls
  }

  /// Waits until so many webhooks had this result.
  public func wait(for result: String, _ count: Int) async throws {
    let deadline = ContinuousClock.now + .seconds(10)
    while stage.webhooks(result) < count, .now < deadline { try await Task.sleep(for: .milliseconds(10)) }
  }

  public func stop() async {
    await service.close()
    await stage.stop()
  }
}

/// Somebody who rings up by an emulated provider.
public struct EmulatedCaller: ChannelCaller {
  public let call: any EmulatedCall
  public let events: Journal<CallerEvent>
  private let board: Switchboard

  /// One whose call was placed by its emulator.
  public init(call: any EmulatedCall, events: Journal<CallerEvent>, board: Switchboard) {
    self.call = call
    self.events = events
    self.board = board
  }

  public func cancel() async throws { await call.hangUp() }
  public func hangUp() async throws { await call.hangUp() }
  public func press(_ keys: String) async throws { await call.press(keys) }
  public func speak(milliseconds: Int) async throws { await call.speak(milliseconds: milliseconds) }
  public func transferTarget(answers: Bool) async throws { board.target = answers ? .answer : .busy }

  public var listens: Bool { true }
  public func lastSound() async -> ContinuousClock.Instant? { await call.lastSound() }

  /// What the emulator notices, in the words of the suite for channels.
  public static func note(_ notice: CallNotice, in events: Journal<CallerEvent>) {
    switch notice {
    case .answered: events.note(.answered)
    case .refused(let status): events.note(.refused(status: status))
    case .ended: events.note(.ended)
    }
  }
}
