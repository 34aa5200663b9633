import EchoModel
import RouterCore
import RouterTesting
import Testing

@Suite struct EchoModelTests {
  /// Remembers what it was given.
  private final class Ear: Speaker {
    let heard = Lock<[(AudioFrame, TurnID)]>([])
    func play(_ audio: AudioFrame, turn: TurnID) { heard.withLock { $0.append((audio, turn)) } }
    var turns: [Int] { heard.withLock { $0.map(\.1.number) } }
  }

  private let conversation = ConversationRequest(
    call: InboundCall(channel: .sip, from: Party(user: "101"), to: Party(user: "600")),
    agent: AgentConfiguration(name: "echo-test"), wireFormat: .aLaw, firstTurn: TurnID(7), log: .silent)
  private let frame = AudioFrame(.aLaw, bytes: [UInt8](repeating: 0x55, count: 160))

  @Test func conformance() async {
    var expectations = VoiceModelConformance.Expectations()
    (expectations.greets, expectations.says, expectations.hears) = (false, false, false)
    #expect(await VoiceModelConformance.violations(expectations) { EchoModel() } == [])
  }

  @Test func framesComeBackAsTheyWere() async throws {
    let ear = Ear()
    let session = try await EchoModel().open(conversation, speaker: ear)
    #expect(session.hearingFormat == .aLaw)
    session.hear(frame)  // nothing is said before the beginning
    await session.send(.begin)
    await session.send(.begin)
    session.hear(frame)
    session.hear(frame)
    #expect(ear.turns == [7, 7])
    #expect(ear.heard.withLock { $0.allSatisfy { $0.0 == frame } })
    await session.send(.close)
    await session.send(.begin)
    session.hear(frame)
    #expect(ear.turns == [7, 7])
    var events: [VoiceEvent] = []
    for await event in session.events { events.append(event) }
    #expect(events == [.turnStarted(TurnID(7))])
  }

  @Test func aCutTurnIsFollowedByTheNext() async throws {
    let ear = Ear()
    let session = try await EchoModel().open(conversation, speaker: ear)
    await session.send(.begin)
    await session.send(.truncate(TurnID(7), playedMilliseconds: 20))
    await session.send(.truncate(TurnID(7), playedMilliseconds: 20))  // late: that turn is over
    session.hear(frame)
    #expect(ear.turns == [8])
    await session.send(.close)
    var events: [VoiceEvent] = []
    for await event in session.events { events.append(event) }
    #expect(events == [.turnStarted(TurnID(7)), .turnEnded(TurnID(7)), .turnStarted(TurnID(8))])
  }

  @Test func nothingIsEchoedOnHold() async throws {
    let ear = Ear()
    let session = try await EchoModel().open(conversation, speaker: ear)
    await session.send(.begin)
    await session.send(.held(true))
    session.hear(frame)
    #expect(ear.turns == [])
    await session.send(.held(false))
    session.hear(frame)
    #expect(ear.turns == [7])
  }
}
