public import RouterCore

/// What every ``ChannelAdapter`` must do. The same stories are played against each of them.
public enum ChannelConformance {
  /// Tries a channel out.
  /// - Parameters:
  ///   - patience: How long one thing may take; only a channel that fails meets it.
  ///   - tell: Hears what was measured, in words.
  ///   - start: Starts the channel on this intake and gives the world around it.
  /// - Returns: What it does wrong; empty for a good one.
  public static func violations(
    patience: Duration = .seconds(10), tell: @escaping @Sendable (String) -> Void = { print("  \($0)") },
    _ start: (CallIntake) async throws -> any ChannelDriver
  ) async -> [Violation] {
    var findings = Findings()
    let stage = Journal<StagedCall>()
    await findings.attempt("a channel starts") { findings in
      let driver = try await start(StagedCall.intake(stage))
      let scene = Scene(driver: driver, stage: stage, patience: patience, tell: tell)
      for (rule, play) in scene.stories {
        await findings.attempt(rule) { try await play(&$0) }
        for call in stage.events { call.done.open() }  // also one whose story broke off
      }
      await driver.stop()
    }
    return findings.violations
  }
}

/// One channel with the world around it.
struct Scene {
  let driver: any ChannelDriver
  let stage: Journal<StagedCall>
  let patience: Duration
  var tell: @Sendable (String) -> Void = { _ in }

  typealias Story = (inout Findings) async throws -> Void

  /// Everything that is tried, each on calls of its own.
  var stories: [(rule: String, play: Story)] {
    [
      ("a refusal reaches the caller", refusal), ("a caller who gives up is noticed", cancel),
      ("a caller who hangs up is noticed", callerHangsUp), ("our hanging up reaches the caller", weHangUp),
      ("keys arrive in order, each once", digits), ("the caller is heard", hearing),
      ("a turn is played and told", playing), ("a flush is silence at once", flush),
      ("a transfer has an outcome", transfer), ("nothing stays of calls that are over", leaks),
      ("nothing stays of a thousand calls that were refused", crowd),
    ]
  }

  /// A new call: both ends of it.
  func place() async throws -> (caller: any ChannelCaller, near: StagedCall) {
    let count = stage.events.count
    let caller = try await driver.call()
    return (caller, try await stage.first(after: count, within: patience, "the call") { _ in true })
  }

  /// A new call that is answered.
  func answered() async throws -> (caller: any ChannelCaller, near: StagedCall, media: any CallMedia) {
    let (caller, near) = try await place()
    let media = try await near.leg.answer(AnswerOptions())
    try await caller.events.wait(for: .answered, within: patience)
    return (caller, near, media)
  }

  func finish(_ near: StagedCall) async throws {
    near.done.open()
    try await end(near)
  }

  /// Waits until the leg's events have ended.
  func end(_ near: StagedCall) async throws {
    try await near.events.first(within: patience, "the end of the leg's events") { $0 == nil }
  }

  /// After the end every method may still be called: what makes no sense any more does nothing.
  func afterTheEnd(_ near: StagedCall, _ media: (any CallMedia)?, _ findings: inout Findings) async {
    await near.leg.ring()
    await near.leg.reject(CallEnd(.rejectedByRoute), headers: [])
    await near.leg.hangUp(CallEnd(.agentHungUp))
    await near.leg.hangUp(CallEnd(.agentHungUp))
    let outcome = await near.leg.transfer(TransferRequest(target: "0200", timeout: 1))
    findings.expect(
      outcome == .callerHungUp || outcome == .unsupported, "a transfer after the end fails at once",
      "\(outcome)")
    do {
      _ = try await near.leg.answer(AnswerOptions())
      findings.expect(media != nil, "an answer after the end throws", "it gave media")
    } catch { findings.expect(error is LegError, "an answer after the end throws LegError", "\(error)") }
    guard let media else { return }
    media.play(AudioFrame(.muLaw, bytes: [UInt8](repeating: 0xFF, count: 160)), turn: TurnID(99))
    media.endTurn(TurnID(99))
    media.flush()
    media.hear(as: .muLaw) { _ in }
    let isConcluded = await has(within: patience) { await media.concluded() }
    findings.expect(
      isConcluded && media.isConcluded, "the media of a call that is over concludes", "it counts on")
    findings.expect(!media.statistics().codec.isEmpty, "the figures name the codec", "\(media.statistics())")
  }

  func refusal(_ findings: inout Findings) async throws {
    let (caller, near) = try await place()
    await near.leg.ring()
    await near.leg.reject(CallEnd(.limitReached), headers: [Header("X-Route-Decision", "d-1")])
    let event = try await caller.events.first(within: patience, "the refusal") {
      if case .refused = $0 { true } else { false }
    }
    if driver.capabilities.rejectReasons {
      findings.expect(event == .refused(status: 486), "a refusal carries its status", "\(event)")
    }
    try await end(near)
    await afterTheEnd(near, nil, &findings)
    near.done.open()
    findings.expect(!caller.events.events.contains(.answered), "a refused call is not answered", "it was")
  }

  func cancel(_ findings: inout Findings) async throws {
    let (caller, near) = try await place()
    await near.leg.ring()
    try await caller.cancel()
    try await end(near)
    findings.expect(
      near.events.events == [.cancelled, nil], "a caller who gives up is noticed", "\(near.events.events)")
    await afterTheEnd(near, nil, &findings)
    near.done.open()
  }

  func callerHangsUp(_ findings: inout Findings) async throws {
    let (caller, near, media) = try await answered()
    try await caller.hangUp()
    try await end(near)
    let ends = near.events.events.filter { if case .hungUp = $0 { true } else { false } }
    findings.expect(ends.count == 1, "a caller who hangs up is told once", "\(near.events.events)")
    if case .hungUp(let end) = ends.first {
      findings.expect(end.reason == .callerHungUp, "a caller who hangs up is the reason", "\(end.reason)")
    }
    await afterTheEnd(near, media, &findings)
    near.done.open()
  }

  func weHangUp(_ findings: inout Findings) async throws {
    let (caller, near, media) = try await answered()
    await near.leg.hangUp(CallEnd(.agentHungUp))
    await near.leg.hangUp(CallEnd(.agentHungUp))
    try await caller.events.wait(for: .ended, within: patience)
    try await end(near)
    await afterTheEnd(near, media, &findings)
    near.done.open()
    let ends = caller.events.events.filter { $0 == .ended }
    findings.expect(ends.count == 1, "our hanging up reaches the caller once", "\(caller.events.events)")
  }

  func digits(_ findings: inout Findings) async throws {
    guard driver.capabilities.digits else { return }
    let (caller, near, _) = try await answered()
    let keys = "1239*0#1122"
    try await caller.press(keys)
    try await caller.hangUp()
    try await end(near)
    let heard = near.events.events.compactMap { event -> Character? in
      if case .digit(let key) = event { key } else { nil }
    }
    findings.expect(
      String(heard) == keys, "keys arrive in order, each once", "\(keys) became \(String(heard))")
    near.done.open()
  }

  func transfer(_ findings: inout Findings) async throws {
    let request = TransferRequest(target: "0200", timeout: 5)
    for answers in [false, true] {
      let (caller, near, _) = try await answered()
      guard driver.capabilities.transfer else {
        let outcome = await near.leg.transfer(request)
        findings.expect(outcome == .unsupported, "a channel without transfers says so", "\(outcome)")
        try await finish(near)
        return
      }
      try await caller.transferTarget(answers: answers)
      let outcome = await near.leg.transfer(request)
      if answers {
        findings.expect(outcome == .completed, "a transfer that was answered is complete", "\(outcome)")
        try await caller.events.wait(for: .ended, within: patience)
      } else {
        let isFailed = if case .failed(status: 486, _) = outcome { true } else { false }
        findings.expect(isFailed, "a busy target is told as failed with 486", "\(outcome)")
        findings.expect(
          !caller.events.events.contains(.ended), "after a failed transfer the call goes on", "it ended")
      }
      try await finish(near)
    }
  }

  func leaks(_ findings: inout Findings) async throws {
    for number in 0..<25 {
      let (caller, near) = try await place()
      switch number % 3 {
      case 0: await near.leg.reject(CallEnd(.noRoute), headers: [])
      case 1: try await caller.cancel()
      default:
        _ = try await near.leg.answer(AnswerOptions())
        await near.leg.hangUp(CallEnd(.agentHungUp))
      }
      try await end(near)
      near.done.open()
    }
    try await empty("nothing stays of calls that are over", &findings)
  }

  /// A thousand callers, fifty at a time.
  func crowd(_ findings: inout Findings) async throws {
    let before = stage.events.count
    let refusing = Task {
      for number in before..<before + 1000 {
        let near = try await stage.first(after: number, within: patience, "a call") { _ in true }
        await near.leg.reject(CallEnd(.noRoute), headers: [])
        near.done.open()
      }
    }
    defer { refusing.cancel() }
    for _ in 0..<20 {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<50 {
          group.addTask {
            let caller = try await driver.call()
            try await caller.events.first(within: patience, "the refusal") {
              if case .refused = $0 { true } else { false }
            }
          }
        }
        try await group.waitForAll()
      }
    }
    try await refusing.value
    try await empty("nothing stays of a thousand calls that were refused", &findings)
  }

  private func empty(_ rule: String, _ findings: inout Findings) async throws {
    var held = await driver.held()
    let deadline = ContinuousClock.now + patience
    while held > 0 && ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(20))  // it may take a moment after the last event
      held = await driver.held()
    }
    findings.expect(held == 0, rule, "\(held) calls are still held")
  }
}
