import RouterCore
import Testing

@testable import DeepgramSpeech

/// Which results make an utterance.
@Suite struct DeepgramTranscriptTests {
  private enum Step: Sendable {
    case sound(Double), end, late
    case result(
      String, final: Bool = true, speechFinal: Bool = false, finalize: Bool = false, until: Double = 0)
    case message(JSONValue)
  }

  private func run(_ steps: [Step]) -> [String] {
    var transcript = DeepgramTranscript()
    var seen: [String] = []
    for step in steps {
      let actions: [DeepgramTranscript.Action]
      switch step {
      case .sound(let seconds):
        transcript.sent(seconds: seconds)
        actions = []
      case .end: actions = transcript.end()
      case .late: actions = transcript.timedOut()
      case .message(let message): actions = transcript.take(message)
      case .result(let text, let final, let speechFinal, let finalize, let until):
        actions = transcript.take([
          "type": "Results", "channel_index": [0, 1], "start": 0, "duration": .number(until),
          "is_final": .bool(final),
          "speech_final": .bool(speechFinal), "from_finalize": .bool(finalize),
          "channel": ["alternatives": [["transcript": .string(text), "confidence": 0.5]]],
        ])
      }
      for action in actions {
        switch action {
        case .finalize: seen.append("finalize")
        case .report(.partial(let text)): seen.append("~\(text)")
        case .report(.final(let text, let confidence)): seen.append("=\(text)\(confidence == nil ? "?" : "")")
        case .report(.failed(let failure)): seen.append("!\(failure.message)")
        }
      }
    }
    return seen
  }

  @Test func finalsAreJoined() {
    #expect(
      run([
        .sound(2), .result("when", final: false), .result("when are", final: false), .result("When are"),
        .result("you", final: false), .end, .result("you open?"), .result("", finalize: true),
      ]) == [
        "~when", "~when are", "~When are", "~When are you", "finalize", "~When are you open?",
        "=When are you open?",
      ])
  }

  @Test func theConfirmationHoldsWords() {
    #expect(run([.sound(1), .end, .result("yes", finalize: true)]) == ["finalize", "~yes", "=yes"])
  }

  @Test func nothingSentIsNothingHeard() {
    #expect(run([.end, .end]) == ["=?", "=?"])
    #expect(
      run([.sound(1), .end, .end, .result("yes", finalize: true)]) == ["finalize", "~yes", "=yes", "=?"])
  }

  @Test func theEndOfSpeechAloneIsNoEnd() {
    let steps: [Step] = [
      .sound(1), .result("one", speechFinal: true, until: 1), .sound(1), .end, .result("two", finalize: true),
    ]
    #expect(run(steps) == ["~one", "finalize", "~one two", "=one two"])
  }

  @Test func aServerThatConfirmsNothing() {
    #expect(
      run([.sound(2), .end, .result("yes", speechFinal: true, until: 2)]) == ["finalize", "~yes", "=yes"])
    let early: [Step] = [.sound(2), .end, .result("ye", speechFinal: true, until: 1), .late]
    #expect(run(early) == ["finalize", "~ye", "=ye"], "not before all was heard")
    #expect(
      run([.sound(2), .end, .result("yes"), .message(["type": "UtteranceEnd"])]) == [
        "finalize", "~yes", "=yes",
      ])
    #expect(
      run([.sound(2), .end, .result("maybe", final: false), .late]) == ["finalize", "~maybe", "=maybe?"])
    #expect(run([.sound(2), .end, .late, .late]) == ["finalize", "=?"])
  }

  @Test func aServiceThatGivesNothingAtAllIsGone() {
    let gone = "!no results for 2 utterances in a row"
    let once: [Step] = [.sound(1), .end, .late]
    #expect(run(once + once) == ["finalize", "=?", "finalize", gone])
    #expect(
      run(once + [.sound(1), .result("", final: false), .end, .late] + once) == [
        "finalize", "=?", "finalize", "=?", "finalize", "=?",
      ], "empty results are results")
  }

  @Test func utterancesKeepTheirOrder() {
    let steps: [Step] = [
      .sound(1), .end, .sound(1), .end, .result("one", finalize: true), .result("two", finalize: true),
    ]
    #expect(run(steps) == ["finalize", "finalize", "~one", "=one", "~two", "=two"])
  }

  @Test func whatIsNoResult() {
    let messages: [JSONValue] = [
      ["type": "SpeechStarted"], ["type": "Metadata"], ["type": "UtteranceEnd"], [:], ["type": 5],
      ["type": "Results"],
      ["type": "Results", "channel": ["alternatives": []]],
      ["type": "Results", "channel_index": [1, 2], "is_final": true],
    ]
    #expect(run([.sound(1), .end] + messages.map { .message($0) }) == ["finalize"])
    #expect(run([.message(["type": "Error", "description": "bad"])]) == ["!bad"])
  }
}
