import Emulators
import RouterCore
import RouterTesting

@testable import TelnyxChannel

typealias TelnyxStage = EmulatedStage<TelnyxChannel, TelnyxEmulator>

extension EmulatedStage<TelnyxChannel, TelnyxEmulator> {
  convenience init(
    _ intake: CallIntake, _ options: [(String, String)] = [], agents: [String] = [],
    _ more: [String: JSONValue] = [:]
  ) async throws {
    try await self.init(intake, options, agents: agents) { emulator in
      ["apiKey": "key", "publicKey": .string(emulator.publicKey)].merging(more) { $1 }
    }
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

  /// REST without a network.
  static func rest(
    _ answer: @escaping @Sendable (HTTPRequest) throws(HTTPError) -> HTTPResponse
  ) -> TelnyxREST {
    TelnyxREST(
      rest: ProviderREST("telnyx", http: Answering(answer: answer), log: .silent, metrics: Metrics()))
  }
}

private struct Answering: HTTPSending {
  let answer: @Sendable (HTTPRequest) throws(HTTPError) -> HTTPResponse
  func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse { try answer(request) }
}
