import Emulators
import RouterCore
import RouterTesting

@testable import TwilioChannel

/// The channel with the emulated Twilio on the other side of the wire.
final class TwilioStage: ChannelDriver {
  let stage: VoIPStage<TwilioChannel>
  let service: RunningEmulator<TwilioEmulator>

  var capabilities: ChannelCapabilities { TwilioChannel.capabilities }
  var webhook: String { stage.origin + "/voip/twilio" }

  static let accountSid = "AC" + String(repeating: "0", count: 32)

  init(_ intake: CallIntake, agents: [String] = [], _ more: [String: JSONValue] = [:]) async throws {
    let service = try await RunningEmulator(TwilioEmulator.self)
    self.service = service
    let settings: [String: JSONValue] = [
      "type": "twilio", "accountSid": .string(TwilioStage.accountSid), "authToken": "token",
      "apiURL": .string(service.url()), "transferDomain": "pbx.example.com",
    ]
    let account = ProviderAccount(name: "main", settings: .object(settings.merging(more) { $1 }))
    stage = try await VoIPStage(TwilioChannel.self, NoConfiguration(), intake: intake, agents: agents) {
      type in
      type == "twilio" ? [account] : []
    }
  }

  func call() async throws -> any ChannelCaller { await place() }

  func place(to webhook: String? = nil, _ fields: [(String, String)] = []) async -> TwilioCaller {
    let events = Journal<CallerEvent>()
    let call = await service.emulator.place(to: webhook ?? self.webhook, fields: fields) { notice in
      switch notice {
      case .answered: events.note(.answered)
      case .refused(let status): events.note(.refused(status: status))
      case .ended: events.note(.ended)
      }
    }
    return TwilioCaller(call: call, events: events, service: service.emulator)
  }

  func held() async -> Int {
    stage.channel.calls.count + stage.channel.calls.openAddresses + service.emulator.liveCalls
  }

  func stop() async {
    await service.close()
    await stage.stop()
  }
}

struct TwilioCaller: ChannelCaller {
  let call: EmulatedTwilioCall
  let events: Journal<CallerEvent>
  let service: TwilioEmulator

  func cancel() async throws { await call.hangUp() }
  func hangUp() async throws { await call.hangUp() }
  func press(_ keys: String) async throws { await call.press(keys) }
  func speak(milliseconds: Int) async throws { await call.speak(milliseconds: milliseconds) }
  func transferTarget(answers: Bool) async throws { service.setTarget(answers ? .answer : .busy) }
}
