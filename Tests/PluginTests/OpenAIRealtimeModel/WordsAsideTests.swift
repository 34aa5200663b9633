import RouterCore
import Testing

@testable import OpenAIRealtimeModel

/// Words that the caller hears while the results of tools are waited for.
@Suite struct WordsAsideTests {
  @Test func wordsWhileAToolTakesItsTimeAreNoPartOfTheConversation() throws {
    var tale = try RealtimeTale()
    _ = tale.greeted()
    _ = tale.created("r2") + tale.done("r2", "completed", RealtimeTale.calls)
    #expect(tale.engine(.say("One moment.")) == ["aside"])
    #expect(tale.created("r3") == ["start 3"])
    _ = tale.sound("r3", item: "aside")
    _ = tale.engine(.toolResult(ToolResult(callID: "c1", output: "1")))
    #expect(
      tale.engine(.toolResult(ToolResult(callID: "c2", output: "2"))) == ["result c2 2"],
      "the answer waits for the end of the words")
    #expect(tale.done("r3") == ["end 3", "create"])
    // The caller speaks into them: there is nothing to cut in the conversation.
    tale = try RealtimeTale()
    _ = tale.greeted()
    _ = tale.created("r2") + tale.done("r2", "completed", RealtimeTale.calls)
    _ = tale.engine(.say("One moment.")) + tale.created("r3") + tale.sound("r3", item: "aside")
    _ = tale.speech("started")
    #expect(tale.engine(.truncate(TurnID(3), playedMilliseconds: 100)) == ["cancel r3", "end 3"])
    // With all results there, they are words as any others.
    tale = try RealtimeTale()
    _ = tale.greeted()
    #expect(tale.engine(.say("One moment.")) == ["create!"])
  }

  @Test func aServerThatCannotSpeakAsideIsNoFailure() throws {
    func waiting() throws -> RealtimeTale {
      var tale = try RealtimeTale()
      _ = tale.greeted()
      _ = tale.created("r2") + tale.done("r2", "completed", RealtimeTale.calls)
      _ = tale.engine(.say("One moment."))
      return tale
    }
    var tale = try waiting()
    #expect(
      tale.error("unknown_parameter", #","event_id":"\#(tale.machine.asked?.id ?? "")""#) == ["log warning"])
    _ = tale.engine(.toolResult(ToolResult(callID: "c1", output: "1")))
    #expect(tale.engine(.toolResult(ToolResult(callID: "c2", output: "2"))) == ["result c2 2", "create"])
    tale = try waiting()
    #expect(tale.after(.seconds(11)) == ["log warning"])
    for status in ["failed", "incomplete"] {
      tale = try waiting()
      _ = tale.created("r3")
      #expect(tale.done("r3", status) == ["end 3", "log warning"])
    }
  }
}
