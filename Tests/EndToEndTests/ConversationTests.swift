import Foundation
import RouterCore
import RouterTesting
import Testing

/// A caller and the agent that needs no account, over real SIP, RTP and speech.
@Suite(.serialized) struct ConversationTests {
  static let routes = """
    trunks:
      local: {addresses: [127.0.0.0/8, "::1"]}
    routes:
      - {name: front-door, match: {trunk: local}, agent: reception}
    agents:
      reception:
        initialSpeech: Hello, this is the shop.
        faqCollections: [shop]
        humanHandoff: {enabled: true, transferExtension: 0200}
    faqCollections:
      shop:
        - {question: When are you open?, answer: We are open from nine to five.}
        - {question: Where are you?, answer: We are at twelve Mill Lane.}
    """

  private func said(_ record: CallRecord, by speaker: TranscriptEntry.Speaker) -> [String] {
    record.transcript.filter { $0.speaker == speaker && $0.kind == .speech }.map(\.text)
  }

  @Test func aQuestionIsHeardAndAnswered() async throws {
    let routerd = try await ServingRouterd(routes: ["main.yaml": Self.routes])
    let recording = routerd.workplace.path("call.wav")
    let call = try await routerd.call(
      "100", "--say", "when are you open", "--record", recording, "--transcript", "--seconds", "60")
    #expect(call.code == 0, "\(call.output)\(call.errors)")
    #expect(
      call.events("decision").first?["summary"] as? String
        == "route front-door, routes/main.yaml:4 → agent reception")
    #expect(call.events("speaks").count >= 2, "\(call.output)")

    let record = try #require(try await routerd.records().first)
    #expect(said(record, by: .agent).first == "Hello, this is the shop.")
    #expect(
      said(record, by: .caller).first?.lowercased().contains("when are you open") == true,
      "\(record.transcript)")
    #expect(
      said(record, by: .agent).contains { $0.contains("We are open from nine to five") },
      "\(record.transcript)")
    #expect(record.end.reason == .callerHungUp)
    #expect(record.decisionID == call.events("answered").first?["decision"] as? String)

    let sound = try StereoSound(recording)
    #expect(sound.loudSeconds(sound.left) > 0.5)
    #expect(sound.loudSeconds(sound.right) > 2)
    let (asked, greeted) = (try #require(sound.onset(sound.left)), try #require(sound.onset(sound.right)))
    #expect(greeted < asked, "the caller waits for the greeting")
  }

  @Test func aKeyChoosesAnAnswer() async throws {
    let routerd = try await ServingRouterd(routes: ["main.yaml": Self.routes])
    let call = try await routerd.call("100", "--digits", "2", "--seconds", "60")
    #expect(call.code == 0, "\(call.output)\(call.errors)")
    let record = try #require(try await routerd.records().first)
    #expect(record.transcript.contains { $0.kind == .digits && $0.text == "2" }, "\(record.transcript)")
    #expect(said(record, by: .agent).contains { $0.contains("twelve Mill Lane") }, "\(record.transcript)")
  }

  @Test func aCallerIsHandedOver() async throws {
    let routerd = try await ServingRouterd(routes: ["main.yaml": Self.routes])
    let call = try await routerd.call("100", "--digits", "0", "--stay", "--seconds", "60")
    #expect(call.code == 0, "\(call.output)\(call.errors)")
    let target = call.events("referred").first?["target"] as? String
    #expect(target?.hasPrefix("sip:0200@") == true, "\(call.output)")
    let record = try #require(try await routerd.records().first)
    #expect(record.end.reason == .transferred, "\(record.end)")
    #expect(record.transcript.contains { $0.kind == .transfer }, "\(record.transcript)")
  }

  @Test func theAgentComesBackWhenNobodyAnswers() async throws {
    let routerd = try await ServingRouterd(routes: ["main.yaml": Self.routes])
    let call = try await routerd.call(
      "100", "--digits", "0", "--digits", "1", "--answer-refer", "busy", "--seconds", "90")
    #expect(call.code == 0, "\(call.output)\(call.errors)")
    #expect(call.events("referred").count == 1, "\(call.output)")
    let record = try #require(try await routerd.records().first)
    #expect(record.end.reason == .callerHungUp, "\(record.end)")
    #expect(said(record, by: .agent).contains { $0.contains("nine to five") }, "\(record.transcript)")
  }
}
