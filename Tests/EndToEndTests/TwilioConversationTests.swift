import Foundation
import RouterCore
import RouterTesting
import Testing

/// Whole calls through the emulated Twilio: `routerd emulate twilio` against a routerd with the agent that needs no account.
@Suite(.serialized) struct TwilioConversationTests {
  private static func routes(api port: Int) -> String {
    """
    providers:
      phone:
        type: twilio
        accountSid: AC00000000000000000000000000000000
        authToken: token
        apiURL: http://127.0.0.1:\(port)
        transferDomain: pbx.example.com
    agents:
      shop:
        initialSpeech: Hello, this is the shop.
        voiceId: slt
        faqCollections: [shop]
        channels:
          voip: {}
        humanHandoff:
          enabled: true
          transferExtension: 0200
          transferDescription: When the caller asks for a person
      storyteller:
        initialSpeech: >-
          Once upon a time there was a bicycle shop at the end of a very long lane, and in it there lived an old man who knew a
          great many stories about wheels and gears and chains, and who told them to everybody who came by, from the first to the
          last, whether they wanted to hear them or not, until the lamps were lit in the evening.
        faqCollections: [shop]
    faqCollections:
      shop:
        - {question: When are you open?, answer: We are open from nine to five.}
        - {question: Where are you?, answer: "At twelve Mill Lane."}
    routes:
      - {name: shop, match: {provider: twilio, to: +15550100002}, agent: shop}
      - {name: stories, match: {channel: voip, to: +15550100003}, agent: storyteller}
    """
  }

  /// A routerd with a web listener, and the options that point the emulator at it.
  private func serve() async throws -> (routerd: ServingRouterd, options: [String]) {
    let api = Int.random(in: 20_000...60_000)
    let routerd = try await ServingRouterd(
      routes: ["main.yaml": Self.routes(api: api)], settings: "web: {listen: [\"http:127.0.0.1:0\"]}")
    let web = try await routerd.port(of: "http")
    return (
      routerd, ["emulate", "twilio", "--port", "\(api)", "--webhook", "http://127.0.0.1:\(web)/voip/twilio"]
    )
  }

  private func said(_ record: CallRecord, by speaker: TranscriptEntry.Speaker) -> [String] {
    record.transcript.filter { $0.speaker == speaker && $0.kind == .speech }.map(\.text)
  }

  @Test func aQuestionIsAnswered() async throws {
    let (routerd, options) = try await serve()
    let recording = routerd.workplace.path("call.wav")
    let call = try await routerd.workplace.run(
      options + ["--say", "when are you open", "--record", recording, "--seconds", "60"])
    #expect(call.code == 0, "\(call.output)\(call.errors)")
    let record = try #require(try await routerd.records().first)
    #expect(record.channel == .voip && record.provider == "twilio" && record.route == "shop")
    #expect(record.foreignID?.hasPrefix("CA") == true)
    #expect(record.end.reason == .callerHungUp, "\(record.end)")
    #expect(said(record, by: .agent).first == "Hello, this is the shop.", "\(record.transcript)")
    #expect(said(record, by: .agent).contains { $0.contains("nine to five") }, "\(record.transcript)")
    #expect(record.audio?.packetsReceived ?? 0 > 50)
    let sound = try StereoSound(recording)
    #expect(sound.loudSeconds(sound.left) > 0.5)
    #expect(sound.loudSeconds(sound.right) > 2)
  }

  @Test func aCallerIsHandedOver() async throws {
    let (routerd, options) = try await serve()
    let call = try await routerd.workplace.run(options + ["--digits", "0", "--stay", "--seconds", "60"])
    #expect(call.code == 0, "\(call.output)\(call.errors)")
    #expect(call.output.contains("dialling sip:0200@pbx.example.com"), "\(call.output)")
    let record = try #require(try await routerd.records().first)
    #expect(record.end.reason == .transferred, "\(record.end)")
  }

  @Test func theAgentComesBackWhenNobodyAnswers() async throws {
    let (routerd, options) = try await serve()
    let call = try await routerd.workplace.run(
      options + ["--digits", "0", "--digits", "1", "--target", "busy", "--seconds", "90"])
    #expect(call.code == 0, "\(call.output)\(call.errors)")
    #expect(call.output.contains("dial: busy"), "\(call.output)")
    let record = try #require(try await routerd.records().first)
    #expect(record.end.reason == .callerHungUp, "\(record.end)")
    #expect(said(record, by: .agent).contains { $0.contains("nine to five") }, "\(record.transcript)")
  }

  @Test func aCallerCutsIn() async throws {
    let (routerd, options) = try await serve()
    let call = try await routerd.workplace.run(
      options + ["--to", "+15550100003", "--barge", "3", "--say", "when are you open", "--seconds", "60"])
    #expect(call.code == 0, "\(call.output)\(call.errors)")
    #expect(call.output.contains("clear: "), "\(call.output)")
    let record = try #require(try await routerd.records().first)
    let story = try #require(said(record, by: .agent).first)
    #expect(story.hasPrefix("Once upon") && !story.contains("evening"), "\(record.transcript)")
    #expect(said(record, by: .agent).contains { $0.contains("nine to five") }, "\(record.transcript)")
  }

  @Test func aCallThatNoRouteTakesIsRejected() async throws {
    let (routerd, options) = try await serve()
    let call = try await routerd.workplace.run(options + ["--to", "+15550100009"])
    #expect(call.code == 0, "\(call.output)\(call.errors)")
    #expect(call.output.contains("rejected"), "\(call.output)")
    let record = try #require(try await routerd.records().first)
    #expect(record.end.reason == .noRoute)
  }
}
