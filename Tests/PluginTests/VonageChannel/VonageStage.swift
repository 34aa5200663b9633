import Emulators
import Foundation
import RouterCore
import RouterTesting

@testable import VonageChannel

typealias VonageStage = EmulatedStage<VonageChannel, VonageEmulator>

extension EmulatedStage<VonageChannel, VonageEmulator> {
  static var application: String { "00000000-0000-0000-0000-000000000000" }

  /// - Parameter place: Keeps the application's keys; without one there is no way to ask REST.
  convenience init(
    _ intake: CallIntake, _ options: [(String, String)] = [], agents: [String] = [], keys place: Workplace?,
    _ more: [String: JSONValue] = [:]
  ) async throws {
    var options = options
    var own: [String: JSONValue] = ["signatureSecret": "secret", "applicationId": .string(Self.application)]
    if let place {
      let files = try place.rsaKey()
      options.append(("--public-key", files.publicKey))
      own["privateKey"] = .string(try String(contentsOfFile: files.privateKey, encoding: .utf8))
    }
    try await self.init(intake, options, agents: agents) { _ in own.merging(more) { $1 } }
  }
}
