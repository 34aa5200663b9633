import Emulators
import RouterCore
import RouterTesting

@testable import TwilioChannel

typealias TwilioStage = EmulatedStage<TwilioChannel, TwilioEmulator>

extension EmulatedStage<TwilioChannel, TwilioEmulator> {
  static var accountSid: String { "AC" + String(repeating: "0", count: 32) }

  convenience init(
    _ intake: CallIntake, _ options: [(String, String)] = [], agents: [String] = [],
    _ more: [String: JSONValue] = [:]
  ) async throws {
    try await self.init(intake, options, agents: agents) { _ in
      ["accountSid": .string(TwilioStage.accountSid), "authToken": "token"].merging(more) { $1 }
    }
  }

  /// Announces a call with other fields than usual.
  func place(to webhook: String? = nil, _ fields: [(String, String)]) async -> EmulatedCaller {
    let events = Journal<CallerEvent>()
    let call = await service.emulator.place(to: webhook ?? self.webhook, fields: fields) {
      EmulatedCaller.note($0, in: events)
    }
    return EmulatedCaller(call: call, events: events, board: service.emulator.board)
  }

  func signature(_ url: String, _ fields: [FormFields.Field], token: String = "token") -> Header {
    Header("X-Twilio-Signature", TwilioSignature.make(url, fields, token: token))
  }

  /// A webhook as Twilio would send it.
  func signed(
    _ fields: [(String, String)], token: String = "token", account: String = TwilioStage.accountSid
  ) -> HTTPRequest {
    let form = ([("AccountSid", account)] + fields).map { FormFields.Field($0.0, $0.1) }
    return HTTPRequest(
      "POST", url: webhook,
      headers: [
        signature(webhook, form, token: token), Header("Content-Type", "application/x-www-form-urlencoded"),
      ], body: Array(FormFields(form).encoded.utf8), deadline: .seconds(20))
  }
}
