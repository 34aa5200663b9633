import RouterCore
import Testing

@testable import OpenAIRealtimeModel

/// What the caller says: in which order, since when, and in whose turns.
@Suite struct CallerWordsTests {
  @Test func wordsComeInTheOrderInWhichTheyWereSpoken() throws {
    var tale = try RealtimeTale()
    func heard(_ what: String, _ item: String, _ text: String) -> String {
      #"{"type":"conversation.item.input_audio_transcription.\#(what)","item_id":"\#(item)","delta":"\#(text)","transcript":"\#(text)"}"#
    }
    for item in ["a", "b", "c"] {
      #expect(tale.server(#"{"type":"input_audio_buffer.committed","item_id":"\#(item)"}"#) == [])
    }
    #expect(tale.server(heard("delta", "a", "Wh")) == ["heard …Wh"])
    #expect(tale.server(heard("delta", "a", "en?")) == ["heard …When?"])
    #expect(tale.server(heard("completed", "b", "Second.")) == [])
    #expect(tale.server(heard("completed", "a", "When?")) == ["heard When?", "heard Second."])
    #expect(tale.server(heard("failed", "c", "")) == ["log warning"])
    #expect(tale.server(heard("completed", "z", "Unknown.")) == ["heard Unknown."])
  }

  @Test func wordsStandWhereTheyBegan() throws {
    var tale = try RealtimeTale()
    _ = tale.greeted()
    tale.now += .seconds(10)
    _ = tale.server(#"{"type":"input_audio_buffer.speech_started","item_id":"u"}"#)
    tale.now += .seconds(2)
    _ = tale.server(#"{"type":"input_audio_buffer.speech_stopped","item_id":"u"}"#)
    _ = tale.server(#"{"type":"input_audio_buffer.committed","item_id":"u"}"#)
    _ = tale.created("r2") + tale.said("r2", "At nine.") + tale.sound("r2") + tale.done("r2")
    tale.now += .seconds(1)
    let words =
      #"{"type":"conversation.item.input_audio_transcription.completed","item_id":"u","transcript":"When?"}"#
    #expect(tale.server(words) == ["callerBegan(millisecondsAgo: 3000)", "heard When?"])
    #expect(
      tale.machine.memory.events == [
        .message(.assistant, "Hello there."), .message(.user, "When?"), .message(.assistant, "At nine."),
      ], "a new session is told in the order of speech")
  }

  @Test func wordsThatNeverComeHoldUpNobody() throws {
    var tale = try RealtimeTale()
    for item in ["a", "b", "c", "d"] {
      _ = tale.server(#"{"type":"input_audio_buffer.committed","item_id":"\#(item)"}"#)
    }
    let b =
      #"{"type":"conversation.item.input_audio_transcription.completed","item_id":"b","transcript":"B"}"#
    #expect(tale.server(b) == [])
    #expect(tale.server(#"{"type":"input_audio_buffer.committed","item_id":"e"}"#) == ["heard B"])
  }

  @Test func turnsThatWeHearOurselvesAreCommitted() throws {
    var tale = try RealtimeTale(settings: ["turnDetection": ["type": "none"]])
    _ = tale.engine(.begin) + tale.created("r1") + tale.sound("r1")
    let words = RealtimeTale.words
    #expect(words(tale.machine.receive(.started(framesAgo: 5), at: tale.now)) == ["speechStarted"])
    #expect(
      tale.engine(.truncate(TurnID(1), playedMilliseconds: 20)) == ["cancel", "truncate i 20", "end 1"])
    _ = tale.done("r1", "cancelled")
    tale.now += .seconds(2)
    #expect(
      words(tale.machine.receive(.ended(frames: 40, .silence), at: tale.now)) == [
        "callerStopped(millisecondsAgo: 500)", "speechEnded", "commit",
      ])
    #expect(tale.server(#"{"type":"input_audio_buffer.committed","item_id":"u"}"#) == ["create"])
    let transcript =
      #"{"type":"conversation.item.input_audio_transcription.completed","item_id":"u","transcript":"Hi"}"#
    #expect(tale.server(transcript) == ["callerBegan(millisecondsAgo: 2000)", "heard Hi"])
  }
}
