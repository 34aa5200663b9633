import RouterCore
import RouterTesting
import Testing

/// The suite for channels passes a good one (a channel of fake legs) and finds what is wrong with broken ones.
@Suite(.timeLimit(.minutes(5))) struct ChannelConformanceTests {
  /// What can be wrong with a channel, and the rule that finds it.
  enum Fault: String, CaseIterable {
    case forgetsTheRefusal = "a refusal reaches the caller"
    case wrongStatus = "a refusal carries its status"
    case forgetsTheCancel = "a caller who gives up is noticed"
    case wrongReason = "a caller who hangs up is the reason"
    case forgetsOurHangUp = "our hanging up reaches the caller"
    case doublesKeys = "keys arrive in order, each once"
    case wrongFrames = "the caller is heard in frames of 20 ms in the format that was asked for"
    case keepsPlaying = "a flush is silence at once"
    case tellsFlushedTurns = "a turn that was flushed does not end"
    case forgetsTransfers = "a transfer that was answered is complete"
    case endsAfterFailedTransfer = "after a failed transfer the call goes on"
    case countsOn = "the media of a call that is over concludes"
    case namesNoCodec = "the figures name the codec"
    case leaks = "nothing stays of calls that are over"
  }

  /// A channel without a wire: calls are function calls.
  final class Loopback: ChannelDriver {
    let capabilities = ChannelCapabilities(transfer: true, rejectReasons: true)
    let intake: CallIntake
    let fault: Fault?
    let calls = Lock<[Task<Void, Never>]>([])
    let open = Lock(0)

    init(_ intake: CallIntake, _ fault: Fault?) {
      self.intake = intake
      self.fault = fault
    }

    func call() async throws -> any ChannelCaller {
      let caller = LoopbackCaller(fault)
      let task = Task { [intake, open, fault] in
        open.withLock { $0 += 1 }
        await intake(.example(), on: caller.leg)
        if fault != .leaks { open.withLock { $0 -= 1 } }
      }
      calls.withLock { $0.append(task) }
      return caller
    }

    func held() async -> Int { open.withLock { $0 } }
    func stop() async { for call in calls.withLock({ $0 }) { call.cancel() } }
  }

  final class LoopbackCaller: ChannelCaller {
    let leg: LoopbackLeg
    var events: Journal<CallerEvent> { leg.caller }
    init(_ fault: Fault?) { leg = LoopbackLeg(fault) }

    func cancel() async throws { leg.happens(leg.fault == .forgetsTheCancel ? .digit("0") : .cancelled) }
    func hangUp() async throws {
      leg.happens(.hungUp(CallEnd(leg.fault == .wrongReason ? .failed : .callerHungUp)))
    }
    func press(_ keys: String) async throws {
      leg.fake.press(keys)
      if leg.fault == .doublesKeys { leg.fake.press(keys) }
    }
    func speak(milliseconds: Int) async throws {
      if leg.fault == .wrongFrames {
        leg.fake.media.speak(AudioFrame(.muLaw, bytes: [UInt8](repeating: 1, count: 80)))
      }
      leg.fake.media.speak(milliseconds: milliseconds)
    }
    func transferTarget(answers: Bool) async throws { leg.answersTransfers.withLock { $0 = answers } }
  }

  final class LoopbackLeg: CallLeg {
    let fault: Fault?
    let fake: FakeLeg
    let caller = Journal<CallerEvent>()
    let answersTransfers = Lock(true)
    private let isOver = Lock(false)
    var executor: any SerialExecutor { fake.executor }
    var events: AsyncStream<LegEvent> { fake.events }

    init(_ fault: Fault?) {
      self.fault = fault
      var script = FakeLeg.Script()
      script.playsAtOnce = true
      fake = FakeLeg(script)
    }

    func happens(_ event: LegEvent) {
      isOver.withLock { $0 = true }
      fake.happens(event)
    }

    func ring() async {}
    func answer(_ options: AnswerOptions) async throws -> any CallMedia {
      _ = try await fake.answer(options)
      caller.note(.answered)
      return LoopbackMedia(fake.media, fault) { self.fake.happens($0) }
    }
    func reject(_ end: CallEnd, headers: [Header]) async {
      guard
        !isOver.withLock({ over in
          defer { over = true }; return over
        })
      else { return }
      if fault != .forgetsTheRefusal {
        caller.note(.refused(status: fault == .wrongStatus ? 603 : end.sipStatus))
      }
      await fake.reject(end, headers: headers)
    }
    func transfer(_ request: TransferRequest) async -> TransferOutcome {
      if isOver.withLock({ $0 }) || fault == .forgetsTransfers { return .callerHungUp }
      guard answersTransfers.withLock({ $0 }) else {
        if fault == .endsAfterFailedTransfer { caller.note(.ended) }
        return .failed(status: 486, reason: "Busy Here")
      }
      caller.note(.ended)
      return .completed
    }
    func hangUp(_ end: CallEnd) async {
      guard
        !isOver.withLock({ over in
          defer { over = true }; return over
        })
      else { return }
      if fault != .forgetsOurHangUp { caller.note(.ended) }
      await fake.hangUp(end)
    }
  }

  /// The fake media with its faults; a long turn goes on until it is flushed.
  final class LoopbackMedia: CallMedia {
    let media: FakeMedia
    let fault: Fault?
    let report: @Sendable (LegEvent) -> Void
    let long = Lock<Set<TurnID>>([])
    var wireFormat: AudioFormat { media.wireFormat }

    init(_ media: FakeMedia, _ fault: Fault?, _ report: @escaping @Sendable (LegEvent) -> Void) {
      (self.media, self.fault, self.report) = (media, fault, report)
    }

    func hear(as format: AudioFormat, _ sink: @escaping @Sendable (AudioFrame) -> Void) {
      media.hear(as: format, sink)
    }
    func play(_ audio: AudioFrame, turn: TurnID) {
      if audio.milliseconds > 1000 { long.withLock { _ = $0.insert(turn) } }
      media.play(audio, turn: turn)
    }
    func endTurn(_ turn: TurnID) {
      if long.withLock({ $0.contains(turn) }) { return }
      if fault == .keepsPlaying && !long.withLock({ $0.isEmpty }) { return }
      media.endTurn(turn)
    }
    func flush() -> PlayedAudio {
      let played = media.flush()
      if fault == .tellsFlushedTurns, let turn = played.turn { report(.playbackEnded(turn)) }
      return played
    }
    func sendDigits(_ digits: String) async {}
    func statistics() -> AudioStatistics { fault == .namesNoCodec ? AudioStatistics() : media.statistics() }
    var isConcluded: Bool { fault != .countsOn }
    func concluded() async { if fault == .countsOn { _ = await Latch().wait() } }
  }

  @Test func aGoodChannelPasses() async {
    #expect(await ChannelConformance.violations { Loopback($0, nil) } == [])
  }

  @Test(arguments: Fault.allCases) func aBrokenChannelIsFound(_ fault: Fault) async {
    let violations = await ChannelConformance.violations(patience: .milliseconds(500)) { Loopback($0, fault) }
    #expect(violations.map(\.rule).contains(fault.rawValue), "\(violations)")
  }
}
