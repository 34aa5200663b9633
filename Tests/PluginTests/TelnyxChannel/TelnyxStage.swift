import Emulators
import RouterCore
import RouterTesting

@testable import TelnyxChannel

/// The channel with the emulated Telnyx on the other side of the wire.
final class TelnyxStage: ChannelDriver {
  let stage: VoIPStage<TelnyxChannel>
  let service: RunningEmulator<TelnyxEmulator>

  var capabilities: ChannelCapabilities { TelnyxChannel.capabilities }
  var webhook: String { stage.origin + "/voip/telnyx" }
  var client: HTTPClient { stage.clients.client(on: stage.loops.signalling) }

  init(
    _ intake: CallIntake, _ options: [(String, String)] = [], agents: [String] = [],
    _ more: [String: JSONValue] = [:]
  ) async throws {
    let service = try await RunningEmulator(TelnyxEmulator.self, options)
    self.service = service
    let settings: [String: JSONValue] = [
      "type": "telnyx", "apiKey": "key", "publicKey": .string(service.emulator.publicKey),
      "apiURL": .string(service.url()), "transferDomain": "pbx.example.com",
    ]
    let account = ProviderAccount(name: "main", settings: .object(settings.merging(more) { $1 }))
    stage = try await VoIPStage(TelnyxChannel.self, NoConfiguration(), intake: intake, agents: agents) {
      type in
      type == "telnyx" ? [account] : []
    }
  }

  func call() async throws -> any ChannelCaller { await place() }

  func place() async -> TelnyxCaller {
    let events = Journal<CallerEvent>()
    let call = await service.emulator.place(to: webhook) { notice in
      switch notice {
      case .answered: events.note(.answered)
      case .refused(let status): events.note(.refused(status: status))
      case .ended: events.note(.ended)
      }
    }
    return TelnyxCaller(call: call, events: events, service: service.emulator)
  }

  func held() async -> Int {
    stage.channel.calls.count + stage.channel.calls.openAddresses + service.emulator.liveCalls
  }

  /// Delivers an event that the emulator's calls know nothing of; returns the status.
  @discardableResult
  func tell(_ type: String, _ payload: [String: JSONValue]) async throws -> Int {
    let body = service.emulator.event(type, payload)
    return try await client.send(service.emulator.webhook(body, to: webhook)).status
  }

  /// A signed form, as TeXML sends it.
  func form(_ text: String) -> HTTPRequest {
    var request = service.emulator.webhook(text, to: webhook)
    request.headers = request.headers.map {
      $0.name == "Content-Type" ? Header($0.name, "application/x-www-form-urlencoded") : $0
    }
    return request
  }

  func wait(for result: String, _ count: Int) async throws {
    let deadline = ContinuousClock.now + .seconds(10)
    while stage.webhooks(result) < count, .now < deadline { try await Task.sleep(for: .milliseconds(10)) }
  }

  func stop() async {
    await service.close()
    await stage.stop()
  }

  /// REST without a network.
  static func rest(
    _ answer: @escaping @Sendable (HTTPRequest) throws(HTTPError) -> HTTPResponse
  ) -> TelnyxREST {
    TelnyxREST(http: Answering(answer: answer), log: .silent, metrics: Metrics())
  }

  private struct Answering: HTTPSending {
    let answer: @Sendable (HTTPRequest) throws(HTTPError) -> HTTPResponse
    func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse { try answer(request) }
  }
}

struct TelnyxCaller: ChannelCaller {
  let call: EmulatedTelnyxCall
  let events: Journal<CallerEvent>
  let service: TelnyxEmulator

  func cancel() async throws { await call.hangUp() }
  func hangUp() async throws { await call.hangUp() }
  func press(_ keys: String) async throws { await call.press(keys) }
  func speak(milliseconds: Int) async throws { await call.speak(milliseconds: milliseconds) }
  func transferTarget(answers: Bool) async throws { service.setTarget(answers ? .answer : .busy) }
}
