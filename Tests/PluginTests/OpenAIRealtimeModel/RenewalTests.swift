import RouterCore
import Testing

@testable import OpenAIRealtimeModel

/// A session is replaced before it ends, at a quiet moment, and the next one knows what was said.
@Suite struct RenewalTests {
  @Test func aQuietMomentIsTaken() throws {
    var tale = try RealtimeTale()
    _ = tale.greeted()
    #expect(tale.after(.seconds(49 * 60)) == [])
    #expect(tale.after(.seconds(60)) == ["renew"])
    #expect(tale.after(.seconds(60)) == [], "once")
    // The greeting is still being heard.
    #expect(RealtimeTale.words(tale.machine.spareReady(at: tale.now)) == [])
    #expect(tale.engine(.played(TurnID(1))) == ["move 1"])
    tale.machine.sessionBegan(expiresAt: 3600, unixTime: 0, at: tale.now)
    #expect(tale.after(.seconds(49 * 60)) == [])
  }

  @Test func theEndOfTheSessionIsWaitedForNoLonger() throws {
    var tale = try RealtimeTale()
    _ = tale.greeted()
    _ = tale.engine(.played(TurnID(1)))
    _ = tale.after(.seconds(51 * 60))
    _ = tale.created("r2") + tale.sound("r2")
    #expect(RealtimeTale.words(tale.machine.spareReady(at: tale.now)) == [])
    #expect(tale.after(.seconds(8 * 60)) == [])
    // In the middle of a sentence, if it must be: the new one is asked to answer.
    #expect(tale.after(.seconds(50)) == ["end 2", "move 1", "create"])
  }

  @Test func aSessionThatEndsEarlyIsReplacedAtOnce() throws {
    var tale = try RealtimeTale()
    _ = tale.greeted()
    _ = tale.engine(.played(TurnID(1)))
    _ = tale.after(.seconds(15))
    #expect(tale.error("session_expired") == ["log notice", "renew"])
    let closed = tale.machine.expired("closed", isLost: true, at: tale.now)
    #expect(RealtimeTale.words(closed) == ["log notice"])
    #expect(RealtimeTale.words(tale.machine.spareReady(at: tale.now)) == ["move 1"])
  }

  @Test func sessionsThatEndAtOnceAreNotReplacedForEver() throws {
    var tale = try RealtimeTale()
    _ = tale.greeted()
    #expect(
      RealtimeTale.words(tale.machine.expired("closed", isLost: true, at: .seconds(1))) == ["fail closed"])
  }

  @Test func withoutANewSessionALostOneIsAFailure() throws {
    var tale = try RealtimeTale()
    _ = tale.greeted()
    _ = tale.after(.seconds(15))
    _ = tale.machine.expired("closed", isLost: true, at: tale.now)
    let failure = VoiceFailure(.unreachable, "no")
    #expect(RealtimeTale.words(tale.machine.spareFailed(failure, at: tale.now)) == ["fail unreachable"])
  }

  @Test func anAttemptThatFailsIsRepeated() throws {
    var tale = try RealtimeTale()
    _ = tale.greeted()
    #expect(tale.after(.seconds(51 * 60)) == ["renew"])
    let failure = VoiceFailure(.unreachable, "no")
    #expect(RealtimeTale.words(tale.machine.spareFailed(failure, at: tale.now)) == ["log warning"])
    #expect(tale.after(.seconds(6)) == ["renew"])
    #expect(RealtimeTale.words(tale.machine.spareReady(at: tale.now)) == [], "the greeting is still heard")
    #expect(RealtimeTale.words(tale.machine.spareLost(at: tale.now)) == ["log warning"])
    #expect(tale.after(.seconds(6)) == ["renew"])
  }

  @Test func resultsOfToolsReachTheNextSessionAsWords() throws {
    var tale = try RealtimeTale()
    _ = tale.greeted()
    _ = tale.after(.seconds(15))
    _ = tale.created("r2")
    let call = #","output":[{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]"#
    _ = tale.done("r2", "completed", call)
    _ = tale.machine.expired("closed", isLost: true, at: tale.now)
    #expect(RealtimeTale.words(tale.machine.spareReady(at: tale.now)) == ["move 1"])
    tale.machine.sessionBegan(expiresAt: nil, unixTime: 0, at: tale.now)
    let result = ToolResult(callID: "c", output: "42")
    #expect(tale.engine(.toolResult(result)) == ["system: Result of a tool: 42", "create"])
  }

  @Test func whatWasNotHeardIsForgotten() throws {
    var memory = ConversationMemory()
    memory.add(.user, "Hello?")
    memory.add(.assistant, "0123456789", turn: TurnID(3))
    memory.cut(TurnID(3), to: 0.5)
    #expect(memory.events == [.message(.user, "Hello?"), .message(.assistant, "01234")])
    memory.cut(TurnID(3), to: 0)
    memory.cut(TurnID(9), to: 0)
    #expect(memory.events == [.message(.user, "Hello?")])
  }

  @Test func memoryIsBounded() throws {
    var memory = ConversationMemory()
    for number in 0..<500 { memory.add(.user, String(repeating: "\(number % 10)", count: 1000)) }
    memory.add(.user, String(repeating: "x", count: 100_000))
    let bytes = memory.events.reduce(0) {
      if case .message(_, let text) = $1 { $0 + text.utf8.count } else { $0 }
    }
    #expect(bytes <= ConversationMemory.maximumBytes && bytes > ConversationMemory.maximumBytes - 1001)
  }

  @Test func aTranscriptBecomesItems() throws {
    let tale = try RealtimeTale(transcript: [
      TranscriptEntry(.agent, .speech, "Hello.", at: 0), TranscriptEntry(.caller, .speech, "Hi.", at: 1),
      TranscriptEntry(.caller, .digits, "1", at: 2), TranscriptEntry(.system, .note, "secret memory", at: 3),
      TranscriptEntry(.system, .toolResult, "42", at: 4),
    ])
    #expect(
      tale.machine.memory.events == [
        .message(.assistant, "Hello."), .message(.user, "Hi."),
        .message(.user, "[The caller pressed the keys 1 on the telephone.]"),
        .message(.system, "Result of a tool: 42"),
      ])
    #expect(tale.machine.takesOver)
  }
}
