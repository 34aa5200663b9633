import Emulators
import Foundation
import RouterCore
import RouterTesting
import Testing

/// Whole calls by every provider at once: `routerd emulate …` against a routerd with the agent that needs no account, and with one
/// behind a realtime server.
@Suite(.serialized) struct VoIPConversationTests {
  private func said(_ record: CallRecord, by speaker: TranscriptEntry.Speaker) -> [String] {
    record.transcript.filter { $0.speaker == speaker && $0.kind == .speech }.map(\.text)
  }

  @Test func aQuestionIsAnswered() async throws {
    let stage = try await ProvidersOnStage(routes: ProvidersOnStage.routes)
    let place = stage.routerd.workplace
    let calls = try await stage.everybody {
      ["--say", "when are you open", "--record", place.path("\($0).wav")]
    }
    for (provider, _, record) in calls {
      #expect(record.route == "shop" && record.foreignID?.isEmpty == false)
      #expect(record.end.reason == .callerHungUp, "\(provider): \(record.end)")
      #expect(said(record, by: .agent).first == "Hello, this is the shop.", "\(provider)")
      #expect(
        said(record, by: .agent).contains { $0.contains("nine to five") }, "\(provider): \(record.transcript)"
      )
      #expect(record.audio?.packetsReceived ?? 0 > 50)
      let sound = try StereoSound(place.path("\(provider).wav"))
      #expect(sound.loudSeconds(sound.left) > 0.5, "\(provider)")
      #expect(sound.loudSeconds(sound.right) > 2, "\(provider)")
    }
    #expect(await stage.routerd.stop() == 0)
  }

  @Test func aCallerIsHandedOver() async throws {
    let stage = try await ProvidersOnStage(routes: ProvidersOnStage.routes)
    for (provider, call, record) in try await stage.everybody({ _ in ["--digits", "0", "--stay"] }) {
      #expect(call.output.contains("dialling sip:0200@pbx.example.com"), "\(provider): \(call.output)")
      #expect(call.output.contains("the target answered"), "\(provider): \(call.output)")
      #expect(record.end.reason == .transferred, "\(provider): \(record.end)")
    }
  }

  @Test func theAgentComesBackWhenNobodyAnswers() async throws {
    let stage = try await ProvidersOnStage(routes: ProvidersOnStage.routes)
    let calls = try await stage.everybody { _ in
      ["--digits", "0", "--digits", "1", "--target", "busy"]
    }
    for (provider, call, record) in calls {
      #expect(call.output.contains("busy"), "\(provider): \(call.output)")
      #expect(record.end.reason == .callerHungUp, "\(provider): \(record.end)")
      #expect(
        said(record, by: .agent).contains { $0.contains("nine to five") }, "\(provider): \(record.transcript)"
      )
    }
  }

  @Test func aCallerCutsIn() async throws {
    let stage = try await ProvidersOnStage(routes: ProvidersOnStage.routes)
    let calls = try await stage.everybody { _ in
      ["--to", "+15550100003", "--barge", "3", "--say", "when are you open"]
    }
    for (provider, call, record) in calls {
      #expect(call.output.contains("clear: "), "\(provider): \(call.output)")
      let story = try #require(said(record, by: .agent).first)
      #expect(story.hasPrefix("Once upon") && !story.contains("evening"), "\(provider): \(record.transcript)")
      #expect(
        said(record, by: .agent).contains { $0.contains("nine to five") }, "\(provider): \(record.transcript)"
      )
    }
  }

  /// As providers do it: `https:` and `wss:`, which end at routerd's own listener.
  @Test func everythingGoesByTLS() async throws {
    let stage = try await ProvidersOnStage(
      routes: ProvidersOnStage.routes, certificate: try await .selfSigned())
    let calls = try await stage.everybody { _ in ["--say", "when are you open", "--digits", "0", "--stay"] }
    for (provider, call, record) in calls {
      #expect(record.end.reason == .transferred, "\(provider): \(record.end), \(call.output)")
      #expect(
        said(record, by: .agent).contains { $0.contains("nine to five") }, "\(provider): \(record.transcript)"
      )
    }
    #expect(await stage.routerd.stop() == 0)
  }

  /// Two agents of which the first cannot be reached: the other one answers, and the record tells of both.
  @Test func theNextAgentTakesOver() async throws {
    let routes = ProvidersOnStage.routes.replacing(
      "agents:\n",
      with: "agents:\n  broken: {provider: nowhere, initialSpeech: Hi., fallback: [shop]}\n"
    ).replacing("to: +15550100002}, agent: shop", with: "to: +15550100002}, agent: broken")
    let stage = try await ProvidersOnStage(
      routes: routes, models: "  nowhere: {type: openai-realtime, url: \"ws://127.0.0.1:9\", apiKey: key}\n")
    for (provider, _, record) in try await stage.everybody({ _ in ["--say", "when are you open"] }) {
      #expect(record.end.reason == .callerHungUp, "\(provider): \(record.end)")
      #expect(record.attempts.map(\.agent) == ["broken", "shop"], "\(provider): \(record.attempts)")
      #expect(
        said(record, by: .agent).contains { $0.contains("nine to five") }, "\(provider): \(record.transcript)"
      )
    }
  }

  @Test func aCallThatNoRouteTakesIsRejected() async throws {
    let stage = try await ProvidersOnStage(routes: ProvidersOnStage.routes)
    for (provider, call, record) in try await stage.everybody({ _ in ["--to", "+15550100009"] }) {
      #expect(record.end.reason == .noRoute, "\(provider): \(record.end)")
      #expect(record.answeredAt == nil && !call.output.contains("stream closed"), "\(provider)")
    }
  }

  /// An agent behind a realtime server: the caller cuts in, is answered, and is handed over by the model's own wish.
  @Test func aRealtimeServerSpeaks() async throws {
    let greeting = "Welcome to the shop " + String(repeating: "with a great many wheels and gears ", count: 6)
    var models: [(EmulatedProvider, RunningEmulator<RealtimeEmulator>)] = []
    for provider in EmulatedProvider.allCases {
      let steps = [
        "say:\(greeting)", "say:We are open from nine to five",
        #"tool:hand_over {"reason": "The caller wants a person"}"#,
      ]
      let heard = ["When are you open?", "A person please"]
      let model = try await RunningEmulator(
        RealtimeEmulator.self, steps.map { ("--step", $0) } + heard.map { ("--hears", $0) })
      models.append((provider, model))
    }
    var (providers, agents, routes) = ("", "agents:", "routes:")
    for (provider, model) in models {
      providers += "  model-\(provider): {type: openai-realtime, url: \"\(model.url("ws"))\", apiKey: key}\n"
      agents += """

          agent-\(provider):
            provider: model-\(provider)
            initialSpeech: Greet the caller.
            \(ProvidersOnStage.handoff.replacing("\n", with: "\n    "))
        """
      routes += "\n  - {match: {from: \(provider.caller)}, agent: agent-\(provider)}"
    }
    let stage = try await ProvidersOnStage(routes: agents + "\n" + routes, models: providers)
    let calls = try await stage.everybody { _ in
      ["--barge", "2", "--say", "when are you open", "--say", "a person please", "--stay"]
    }
    for (provider, call, record) in calls {
      #expect(call.output.contains("clear: "), "\(provider): \(call.output)")
      #expect(call.output.contains("the target answered"), "\(provider): \(call.output)")
      #expect(record.end.reason == .transferred, "\(provider): \(record.end)")
      #expect(said(record, by: .caller).first == "When are you open?", "\(provider): \(record.transcript)")
      let words = said(record, by: .agent)
      #expect(
        words.first.map { $0.hasPrefix("Welcome") && $0.count < greeting.count } == true,
        "\(provider): \(words)")
      #expect(words.contains { $0.contains("nine to five") }, "\(provider): \(words)")
    }
    for (provider, model) in models {
      #expect(model.report.violations == [], "\(provider)")
      await model.close()
    }
  }
}
