import RouterCore
import RouterTesting
import Testing

/// The suites for text models, synthesisers and recognisers find what is wrong: each flaw by its rule.
@Suite struct SpeechConformanceTests {
  private static let limit = Duration.milliseconds(300)

  // MARK: Text models

  enum TextFlaw: String, CaseIterable {
    case none, mute, endless, usesAnything, wrongTurn, sameID, fragile, keysNeverEnd
  }

  private struct FlawedModel: TextModel {
    let flaw: TextFlaw
    func respond(to request: TextRequest) -> AsyncThrowingStream<TextEvent, any Error> {
      AsyncThrowingStream { continuation in
        if flaw != .mute { continuation.yield(.text("Hello.")) }
        let call = ToolCall(
          id: flaw == .sameID ? "x" : "\(request.turn)",
          name: flaw == .usesAnything ? "explode" : Tool.hangUp,
          turn: flaw == .wrongTurn ? TurnID(999) : request.turn)
        if flaw == .usesAnything || !request.tools.isEmpty { continuation.yield(.toolCall(call)) }
        if flaw == .sameID, !request.tools.isEmpty { continuation.yield(.toolCall(call)) }
        if flaw == .fragile, request.prompt == .speech("", confidence: 0.9) {
          return continuation.finish(throwing: VoiceFailure(.protocolError, "no words"))
        }
        if flaw == .mute || flaw != .endless { continuation.finish() }
      }
    }
    func isComplete(_ digits: String, for agent: AgentConfiguration) -> Bool {
      flaw != .keysNeverEnd && digits.hasSuffix("#")
    }
  }

  @Test(
    arguments: zip(
      TextFlaw.allCases,
      [
        nil, "a greeting has words", "every prompt gets a turn that ends",
        "only tools that are offered are used",
        "a tool call names its turn", "tool calls have identifiers of their own",
        "every prompt gets a turn that ends", "# ends a number",
      ]))
  func textModels(_ flaw: TextFlaw, _ rule: String?) async {
    let found = await TextModelConformance.violations(within: Self.limit) { FlawedModel(flaw: flaw) }
    if let rule {
      #expect(found.contains { $0.rule == rule }, "\(found)")
    } else {
      #expect(found == [])
    }
  }

  // MARK: Synthesisers

  enum VoiceFlaw: String, CaseIterable {
    case none, silent, endless, halfSamples, breathless, twoFormats, fragile, needsVoice, mixing
  }

  private final class FlawedSynthesizer: SpeechSynthesizer {
    let flaw: VoiceFlaw
    let speaking = Lock(0)
    init(_ flaw: VoiceFlaw) { self.flaw = flaw }

    func speak(_ request: SynthesisRequest) -> AsyncThrowingStream<AudioFrame, any Error> {
      AsyncThrowingStream { [self] continuation in
        if flaw == .fragile, request.text.contains("\u{0}") {
          return continuation.finish(throwing: VoiceFailure(.protocolError, "a zero"))
        }
        if flaw == .needsVoice, request.voice != nil {
          return continuation.finish(throwing: VoiceFailure(.protocolError, "no such voice"))
        }
        let others = speaking.withLock { count -> Int in
          count += 1
          return count - 1
        }
        let work = Task {
          if flaw == .mixing { for _ in 0..<100 { await Task.yield() } }
          let count =
            flaw == .breathless ? 50 : min(request.text.count, 1000) + (flaw == .mixing ? others * 100 : 0)
          let frame = AudioFrame.buzz(.linear16(8000), milliseconds: 20)[0]
          for index in 0..<count {
            switch flaw {
            case .silent: continuation.yield(AudioFrame.buzz(.muLaw, milliseconds: 0, silence: 20)[0])
            case .halfSamples: continuation.yield(AudioFrame(.linear16(8000), bytes: frame.bytes + [1]))
            case .twoFormats: continuation.yield(index % 2 == 0 ? frame : AudioFrame(.muLaw, bytes: [1, 2]))
            default: continuation.yield(frame)
            }
          }
          speaking.withLock { $0 -= 1 }
          if flaw != .endless { continuation.finish() }
        }
        continuation.onTermination = { _ in work.cancel() }
      }
    }
  }

  @Test(
    arguments: zip(
      VoiceFlaw.allCases,
      [
        nil, "text becomes sound", "text becomes sound", "frames hold whole samples",
        "more words are more sound",
        "a piece has one format", "any text is only text", "text becomes sound", "pieces at once do not mix",
      ]))
  func synthesizers(_ flaw: VoiceFlaw, _ rule: String?) async {
    let limit = flaw == .endless ? Self.limit : .seconds(30)
    let found = await SpeechSynthesizerConformance.violations(within: limit) { FlawedSynthesizer(flaw) }
    if let rule {
      #expect(found.contains { $0.rule == rule }, "\(found)")
    } else {
      #expect(found == [])
    }
  }

  // MARK: Recognisers

  enum EarFlaw: String, CaseIterable {
    case none, deaf, twice, hearsThings, overconfident, endless, talksOn, refuses, cannotClose
  }

  /// Understands "yes" from 400 ms of sound and "no" from more.
  private struct FlawedRecognizer: SpeechRecognizer {
    let flaw: EarFlaw
    func open(_ request: RecognitionRequest) async throws -> any RecognitionSession {
      if flaw == .refuses, request.phrases.contains("") {
        throw VoiceFailure(.protocolError, "an empty phrase")
      }
      return Session(flaw)
    }

    final class Session: RecognitionSession {
      let hearingFormat = AudioFormat.linear16(8000)
      let events: AsyncStream<RecognitionEvent>
      private let reports: AsyncStream<RecognitionEvent>.Continuation
      private let flaw: EarFlaw
      private let loud = Lock(0)
      private let isClosed = Lock(false)

      init(_ flaw: EarFlaw) {
        self.flaw = flaw
        (events, reports) = AsyncStream.makeStream()
      }
      func hear(_ audio: AudioFrame) {
        if audio.format == hearingFormat, audio.bytes.count == 320, audio.bytes[0] != 0 {
          loud.withLock { $0 += 20 }
        }
        if flaw == .talksOn { reports.yield(.final("and another thing", confidence: nil)) }
      }
      func endUtterance() {
        let milliseconds = loud.withLock { loud in
          defer { loud = 0 }
          return loud
        }
        let text =
          milliseconds == 0 ? (flaw == .hearsThings ? "ghosts" : "") : milliseconds < 500 ? "yes" : "no"
        if flaw == .deaf, text == "no" { return }
        reports.yield(.final(text, confidence: flaw == .overconfident ? 3 : 0.5))
        if flaw == .twice { reports.yield(.final(text, confidence: 0.5)) }
      }
      func close() async {
        if flaw == .cannotClose { while !Task.isCancelled { await Task.yield() } }
        if flaw != .endless { reports.finish() }
      }
    }
  }

  @Test(
    arguments: zip(
      EarFlaw.allCases,
      [
        nil, "what was said is understood", "every utterance gets one result", "silence has no words",
        "confidence is between 0 and 1", "a session ends when it is closed", "a closed session says nothing",
        "any phrase is only a phrase", "a session ends when it is closed",
      ]))
  func recognizers(_ flaw: EarFlaw, _ rule: String?) async {
    let said = [("yes", 400), ("no", 800)].map { text, length in
      SpeechRecognizerConformance.Utterance(text) { AudioFrame.buzz($0, milliseconds: length) }
    }
    let limit = [.deaf, .endless, .cannotClose].contains(flaw) ? Self.limit : .seconds(30)
    let found = await SpeechRecognizerConformance.violations(understanding: said, within: limit) {
      FlawedRecognizer(flaw: flaw)
    }
    if let rule {
      #expect(found.contains { $0.rule == rule }, "\(found)")
    } else {
      #expect(found == [])
    }
  }
}
