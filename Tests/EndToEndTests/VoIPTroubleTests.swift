import Foundation
import RouterCore
import RouterTesting
import Testing

/// Providers that hang in the middle of a call, while another call of the same routerd goes on.
@Suite(.serialized) struct VoIPTroubleTests {
  private static let rounds: [[EmulatedProvider: String]] = [
    [.twilio: "--deaf", .telnyx: "--frozen", .vonage: "--deaf"],
    [.twilio: "--frozen", .telnyx: "--deaf", .vonage: "--frozen"],
  ]

  /// The agent speaks, and nobody there takes it: that call is given up, says why, and costs no memory to speak of. Who talks with
  /// the shop meanwhile notices nothing.
  @Test(arguments: rounds) func aProviderHangs(_ round: [EmulatedProvider: String]) async throws {
    let stage = try await ProvidersOnStage(routes: ProvidersOnStage.routes, limits: "pingSeconds: 3")
    let questions = ["when are you open", "where are you"]
    let healthy = try await stage.call(.texml, ["--say", "when are you open"])
    #expect(healthy.code == 0, "\(healthy.output)")
    let before = try await memory(stage)
    let calls = try await stage.everybody { provider in
      guard let hang = round[provider] else { return questions.flatMap { ["--say", $0] } }
      return ["--to", "+15550100003", hang, "2", "--stay"]
    }
    for (provider, call, record) in calls {
      if let hang = round[provider] {
        #expect(call.output.contains("the stream is \(hang.dropFirst(2)) from now on"), "\(call.output)")
        #expect(record.end.reason == .mediaLost, "\(provider): \(record.end)")
        #expect(record.end.text == "the media socket was given up: no answer to a ping", "\(provider)")
      } else {
        #expect(record.end.reason == .callerHungUp, "\(provider): \(record.end)")
        let answers = record.transcript.filter { $0.speaker == .agent && $0.kind == .speech }.map(\.text)
        #expect(answers.filter { $0.contains("nine to five") }.count == 1, "\(record.transcript)")
        #expect(answers.filter { $0.contains("Mill Lane") }.count == 1, "\(record.transcript)")
      }
    }
    let after = try await memory(stage)
    #expect(after - before < 64 << 20)
    try await stage.routerd.wait(forLiveCalls: 0)
    #expect(await stage.routerd.stop() == 0)
  }

  private func memory(_ stage: ProvidersOnStage) async throws -> Int {
    try #require(try await stage.routerd.status()["residentBytes"]?.integer)
  }
}
