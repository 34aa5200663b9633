import RouterCore
import RouterTesting
import Testing

/// The suite for voice models passes a pipeline and finds what is wrong with others: each flaw by its rule.
@Suite struct VoiceConformanceTests {
  enum Flaw: String, CaseIterable {
    case none, eager, mute, wordless, wrongNumbers, fallingNumbers, playsOn, talksAfterClose, neverFinishes,
      deaf
    case repeatsItself, ignoresSay, brittle, crossed
  }

  private static func pipeline() -> SpeechPipeline {
    SpeechPipeline(
      recognizer: FakeRecognizer(), model: FakeTextModel { _ in [.text("Hello. "), .text("How are you?")] },
      synthesizer: FakeSynthesizer())
  }

  @Test func thePipelinePasses() async {
    #expect(await VoiceModelConformance.violations { Self.pipeline() } == [])
  }

  /// A model that does everything right but one thing.
  private final class Flawed: VoiceModel {
    let flaw: Flaw
    init(_ flaw: Flaw) { self.flaw = flaw }

    func open(_ conversation: ConversationRequest, speaker: any Speaker) async throws -> any VoiceSession {
      let first = flaw == .crossed ? TurnID(1) : conversation.firstTurn
      return Session(flaw, first, speaker)
    }
  }

  private final class Session: VoiceSession {
    let hearingFormat = AudioFormat.muLaw
    let events: AsyncStream<VoiceEvent>
    private let report: AsyncStream<VoiceEvent>.Continuation
    private let flaw: Flaw
    private let first: TurnID
    private let speaker: any Speaker
    private let state = Lock((begun: false, closed: false, next: TurnID(0), frames: 0))
    private let sound = AudioFrame(.muLaw, bytes: [UInt8](repeating: 0x30, count: 160))

    init(_ flaw: Flaw, _ first: TurnID, _ speaker: any Speaker) {
      self.flaw = flaw
      self.first = flaw == .wrongNumbers ? TurnID(0) : first
      self.speaker = speaker
      (events, report) = AsyncStream.makeStream()
      state.withLock { $0.next = self.first }
      if flaw == .eager { speak("Hello?") }
    }

    private func speak(_ text: String) {
      let turn = state.withLock { state in
        defer { state.next = flaw == .fallingNumbers ? TurnID(state.next.number - 1) : state.next.next }
        return state.next
      }
      report.yield(.turnStarted(turn))
      if flaw != .wordless { report.yield(.said(text, turn: turn, isFinal: true)) }
      if flaw != .mute { for _ in 0..<5 { speaker.play(sound, turn: turn) } }
      report.yield(.turnEnded(turn))
    }

    func hear(_ audio: AudioFrame) {
      let (isClosed, isBegun) = state.withLock { ($0.closed, $0.begun) }
      if flaw == .playsOn, isBegun, !isClosed { speaker.play(sound, turn: first) }
      if flaw == .talksAfterClose, isClosed { speaker.play(sound, turn: first) }
      guard isBegun, !isClosed, flaw != .deaf, audio.bytes.count == 160 else { return }
      let isLoud = audio.bytes[0] != 0xFF
      let change = state.withLock { state -> VoiceEvent? in
        let was = state.frames
        state.frames = isLoud ? was + 1 : 0
        return isLoud && was == 3 ? .speechStarted : !isLoud && was > 3 ? .speechEnded : nil
      }
      if let change { report.yield(change) }
    }

    func send(_ command: VoiceCommand) async {
      if state.withLock({ $0.closed }) { return }
      switch command {
      case .begin:
        let isFirst = state.withLock { state in
          defer { state.begun = true }
          return !state.begun
        }
        if isFirst || flaw == .repeatsItself { speak("Hello. How are you?") }
      case .say(let text):
        state.withLock { $0.begun = true }
        if !text.isEmpty { speak(flaw == .ignoresSay ? "I would rather not." : text) }
      case .toolResult where flaw == .brittle:
        report.yield(.failed(VoiceFailure(.protocolError, "what is this?")))
      case .close:
        state.withLock { $0.closed = true }
        if flaw != .neverFinishes { report.finish() }
      default: break
      }
    }
  }

  @Test(
    arguments: zip(
      Flaw.allCases,
      [
        nil, "nothing happens before the conversation begins", "a greeting is heard", "a greeting has words",
        "turns begin at the number that is given", "turns have rising numbers",
        "a turn that is cut off is silent",
        "a closed session is silent", "a session ends when it is closed", "the caller is heard",
        "a conversation begins once", "it says what it is told to say", "commands out of place do no harm",
        "conversations do not mix",
      ] as [String?]))
  func flaws(_ flaw: Flaw, _ rule: String?) async {
    let mayTake: Duration = [.neverFinishes, .deaf, .mute].contains(flaw) ? .milliseconds(300) : .seconds(30)
    let found = await VoiceModelConformance.violations(within: mayTake) { Flawed(flaw) }
    if let rule {
      #expect(found.contains { $0.rule == rule }, "\(found)")
    } else {
      #expect(found == [])
    }
  }
}
