import Emulators
import Foundation
import RouterCore
import RouterTesting
import Testing

/// Agents whose mind is elsewhere, over real SIP and RTP: the built routerd, a test phone, and scripted services.
@Suite(.serialized) struct AgentBackendTests {
  private func serve(_ provider: String, _ agent: String = "{provider: mind}") async throws -> ServingRouterd
  {
    try await ServingRouterd(routes: [
      "main.yaml": """
      trunks:
        local: {addresses: [127.0.0.0/8, "::1"]}
      providers:
        mind: \(provider)
      agents:
        reception: \(agent)
      faqCollections:
        shop:
          - {question: When are you open?, answer: never said}
      routes:
        - {name: front-door, match: {trunk: local}, agent: reception}
      """
    ])
  }

  private func realtime(_ options: [(String, String)], _ agent: String = "{provider: mind}") async throws
    -> (RunningEmulator<RealtimeEmulator>, ServingRouterd)
  {
    let service = try await RunningEmulator(RealtimeEmulator.self, options)
    return (
      service, try await serve("{type: openai-realtime, url: \(service.url("ws")), apiKey: sk-test}", agent)
    )
  }

  @Test func aRealtimeModelGreetsAnswersAndIsInterrupted() async throws {
    let long =
      "This answer is so very long that hardly any caller would listen to all of it, and so it goes on and on."
    let (service, routerd) = try await realtime([
      ("--step", "say:Hello."), ("--step", "say:\(long)"), ("--step", "say:As you like."),
      ("--hears", "Tell me everything."), ("--hears", "Stop."),
    ])
    let wav = routerd.workplace.path("caller.wav")
    // The second hum comes while the long answer is heard.
    try Tone.wav([(0.7, true), (3, false), (0.7, true), (1, false)]).write(to: URL(fileURLWithPath: wav))
    let recording = routerd.workplace.path("call.wav")
    let call = try await routerd.call("100", "--wav", wav, "--record", recording, "--seconds", "60")
    #expect(call.code == 0, "\(call.output)\(call.errors)")
    let record = try #require(try await routerd.records().first)
    let lines = record.transcript.filter { $0.kind == .speech }
    #expect(lines.first?.text == "Hello.")
    #expect(lines.contains { $0.speaker == .caller && $0.text == "Stop." })
    let cut = try #require(lines.first { $0.wasInterrupted }, "\(record.transcript)")
    #expect(long.hasPrefix(cut.text) && cut.text.count < long.count)
    #expect(lines.last?.text == "As you like.")
    #expect(service.report.sights.contains { $0.hasPrefix("truncated ") })
    #expect(service.report.violations == [])

    let sound = try StereoSound(recording)
    let first = try #require(sound.onset(sound.left))
    let second = Int((first + 3.7) * Double(sound.sampleRate))
    let rate = sound.sampleRate
    #expect(sound.loudSeconds(Array(sound.right[(second - rate)..<second])) > 0.2, "it speaks before")
    let after = Array(sound.right[(second + rate * 6 / 10)..<(second + rate)])
    #expect(sound.loudSeconds(after) == 0, "and is silent soon after the caller began")
    await service.close()
  }

  @Test func aRealtimeModelHandsOver() async throws {
    let (service, routerd) = try await realtime(
      [("--step", "say:Hello."), ("--step", "tool:hand_over")],
      "{provider: mind, humanHandoff: {enabled: true, transferExtension: '0200'}}")
    let wav = routerd.workplace.path("caller.wav")
    try Tone.wav([(0.7, true), (1, false)]).write(to: URL(fileURLWithPath: wav))
    let call = try await routerd.call("100", "--wav", wav, "--stay", "--seconds", "60")
    #expect(call.code == 0, "\(call.output)\(call.errors)")
    #expect(
      (call.events("referred").first?["target"] as? String)?.hasPrefix("sip:0200@") == true, "\(call.output)")
    #expect(try await routerd.records().first?.end.reason == .transferred)
    #expect(service.report.violations == [])
    await service.close()
  }

  @Test func aWebhookAnswersWhatItHears() async throws {
    let service = try await RunningEmulator(
      WebhookEmulator.self,
      [
        ("--secret", "whsec_test"), ("--step", "say:Hello, this is the shop."),
        ("--step", "stream:One moment. | We are open from nine to five."),
      ])
    let routerd = try await serve(
      "{type: webhook, url: '\(service.url("http", "/voice"))', secret: whsec_test}",
      "{provider: mind, faqCollections: [shop]}")
    let call = try await routerd.call("100", "--say", "when are you open", "--seconds", "60")
    #expect(call.code == 0, "\(call.output)\(call.errors)")
    let record = try #require(try await routerd.records().first)
    let said = record.transcript.filter { $0.speaker == .agent && $0.kind == .speech }.map(\.text)
    #expect(said.first == "Hello, this is the shop.", "\(said)")
    #expect(said.contains { $0.contains("One moment.") && $0.contains("nine to five") }, "\(said)")
    for _ in 0..<200 where !service.report.sights.contains(where: { $0.hasPrefix("ended: ") }) {
      try await Task.sleep(for: .milliseconds(50))
    }
    let asked = service.report.sights.filter { $0.hasPrefix("message: ") }
    #expect(asked.count == 2 && asked[1].lowercased().contains("when are you open"), "\(asked)")
    #expect(service.report.sights.contains { $0.hasPrefix("ended: ") && $0.contains("nine to five") })
    #expect(service.report.violations == [])
    await service.close()
  }

  @Test func aServiceIsPlayedFromTheCommandLine() async throws {
    let workplace = try Workplace()
    for kind in emulators {
      let program = try RunningProgram(Product.routerd, ["emulate", kind.name], in: workplace.folder)
      for _ in 0..<200 where !program.output.contains("serves on 127.0.0.1:") && program.isRunning {
        try await Task.sleep(for: .milliseconds(50))
      }
      #expect(program.output.contains("\(kind.name) serves on 127.0.0.1:"), "\(program.errors)")
      program.send(SIGTERM)
      #expect(await program.exitCode(within: .seconds(30)) == 0)
    }
  }
}
