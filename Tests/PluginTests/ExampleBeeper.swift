import RouterCore

/// Answers each key with as many beeps, and hangs up on `#`.
struct Beeper: VoiceModel {
  func open(_ conversation: ConversationRequest, speaker: any Speaker) async throws -> any VoiceSession {
    BeeperSession(conversation, speaker)
  }
}

final class BeeperSession: VoiceSession {
  let hearingFormat = AudioFormat.muLaw
  let events: AsyncStream<VoiceEvent>
  private let report: AsyncStream<VoiceEvent>.Continuation
  private let speaker: any Speaker
  private let turn: Lock<TurnID>

  init(_ conversation: ConversationRequest, _ speaker: any Speaker) {
    (events, report) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(256))
    self.speaker = speaker
    turn = Lock(conversation.firstTurn)
  }

  func hear(_ audio: AudioFrame) {}  // 20 ms of the caller; a beeper does not listen

  func send(_ command: VoiceCommand) async {
    switch command {
    case .begin: beep(1)
    case .digit("#"): report.yield(.toolCall(ToolCall(id: "bye", name: Tool.hangUp, turn: beep(2))))
    case .digit(let key): beep(key.wholeNumberValue ?? 1)
    case .close: report.finish()
    case .say, .toolResult, .inform, .truncate, .played, .held: break
    }
  }

  @discardableResult private func beep(_ count: Int) -> TurnID {
    let turn = turn.withLock { turn in
      defer { turn = turn.next }
      return turn
    }
    // 0.1 s of 500 Hz, 0.1 s of silence.
    let wave = (0..<1600).map { $0 >= 800 ? Int16(0) : $0 / 8 % 2 == 0 ? 6000 : -6000 }
    report.yield(.turnStarted(turn))
    report.yield(.said("beep × \(count)", turn: turn, isFinal: true))
    for _ in 0..<count { speaker.play(AudioFrame(samples: wave, sampleRate: 8000), turn: turn) }
    report.yield(.turnEnded(turn))
    return turn
  }
}
