public import Emulators
public import RouterCore

/// What every channel of a VoIP provider must stand besides ``ChannelConformance``: bad input on the media sockets of live calls, and
/// providers that hang, and many calls that come to nothing. Whatever happens to one call, the others stay up and are heard.
public enum WebhookConformance {
  /// What comes on a media socket that should not.
  public struct Mischief: Sendable {
    /// In words, for the report.
    public var name: String
    /// Sent on a call that is up.
    public var messages: [WebSocketMessage]
    /// Sent before the stream begins.
    public var isFirst: Bool
    /// Whether the call that they came to has to end; else it has to go on.
    public var isFatal: Bool

    public init(_ name: String, _ messages: [WebSocketMessage], isFirst: Bool = false, isFatal: Bool = false)
    {
      self.name = name
      self.messages = messages
      self.isFirst = isFirst
      self.isFatal = isFatal
    }

    /// What no provider takes well.
    static var common: [Mischief] {
      [
        Mischief(
          "nonsense", [.text("nonsense"), .text(""), .text("{"), .text("[]"), .text("null"), .text("{}")]),
        Mischief("an event that nobody knows", [.text(#"{"event":"tomorrow","tomorrow":{"x":[{}]}}"#)]),
        Mischief(
          "a flood of nonsense", Array(repeating: .text("nonsense"), count: 500), isFatal: true),
        Mischief(
          "a message of 100 MB", [.text([UInt8](repeating: 0x20, count: 100 << 20))], isFatal: true),
        Mischief(
          "an hour of nested brackets", [.text(String(repeating: #"{"event":["#, count: 5000))]),
      ]
    }
  }

  /// Tries a channel out.
  /// - Parameters:
  ///   - mischief: The provider's own, besides what is tried against all.
  ///   - patience: How long one thing may take; only a channel that fails meets it.
  ///   - start: Starts the channel on this intake, with its emulated provider.
  /// - Returns: What it does wrong; empty for a good one.
  public static func violations<Channel: WebhookChannel, Kind: ProviderEmulator>(
    _ mischief: [Mischief], patience: Duration = .seconds(10),
    _ start: (CallIntake) async throws -> EmulatedStage<Channel, Kind>
  ) async -> [Violation] {
    var findings = Findings()
    let stage = Journal<StagedCall>()
    await findings.attempt("a channel starts") { findings in
      let driver = try await start(StagedCall.intake(stage))
      let scene = Scene(driver: driver, stage: stage, patience: patience)
      let healthy = try await scene.answered()
      let hanging = try await hang(scene)
      for one in Mischief.common + mischief {
        let rule = "a call stands \(one.name)"
        await findings.attempt(rule) { findings in
          try await play(one, rule, scene, &findings)
          try await hear(healthy.caller, healthy.media, patience)
        }
      }
      await findings.attempt("a call stands a connection that breaks") { findings in
        let (caller, near, _) = try await scene.answered()
        await (caller as? EmulatedCaller)?.call.breakStream()
        try await scene.end(near)
        near.done.open()
        try await hear(healthy.caller, healthy.media, patience)
      }
      for (rule, call) in hanging {
        await findings.attempt(rule) { try await notice(call, rule, scene, &$0) }
      }
      try await hear(healthy.caller, healthy.media, patience)
      try await scene.finish(healthy.near)
      for call in stage.events { call.done.open() }
      await driver.stop()
    }
    return findings.violations
  }

  private typealias Answered = (caller: any ChannelCaller, near: StagedCall, media: any CallMedia)

  /// Calls at whose provider nobody reads any more while the agent speaks.
  private static func hang(_ scene: Scene) async throws -> [(rule: String, call: Answered)] {
    var calls: [(String, Answered)] = []
    for kind in StreamHang.Kind.allCases {
      let call = try await scene.answered()
      await (call.caller as? EmulatedCaller)?.call.hang(StreamHang(kind))
      // A minute in pieces: a session that speaks and speaks.
      for _ in 0..<600 {
        call.media.play(AudioFrame(.muLaw, bytes: [UInt8](repeating: 0x2A, count: 800)), turn: TurnID(1))
      }
      calls.append(("a call stands a provider that is \(kind.rawValue)", call))
    }
    return calls
  }

  /// Such a call is given up, and says why.
  private static func notice(
    _ call: Answered, _ rule: String, _ scene: Scene, _ findings: inout Findings
  ) async throws {
    let end = try await call.near.events.first(within: .seconds(30), "the end of \(rule)") { event in
      if case .hungUp? = event { true } else { false }
    }
    guard case .hungUp(let why)? = end else { return }
    findings.expect(why.reason == .mediaLost, rule, "it ended as \(why)")
    try await scene.end(call.near)
    call.near.done.open()
    // One that is frozen hears of nothing: its caller hangs up.
    try await call.caller.hangUp()
  }

  private static func play(
    _ mischief: Mischief, _ rule: String, _ scene: Scene, _ findings: inout Findings
  ) async throws {
    let (caller, near) = try await scene.place()
    guard let call = (caller as? EmulatedCaller)?.call else { return }
    if mischief.isFirst { await call.begin(with: mischief.messages) }
    let media: any CallMedia
    do { media = try await near.leg.answer(AnswerOptions()) } catch {
      findings.expect(mischief.isFatal, rule, "the call was not answered: \(error)")
      return near.done.open()
    }
    if !mischief.isFirst { await call.misbehave(mischief.messages) }
    if mischief.isFatal {
      try await scene.end(near)
      near.done.open()
    } else {
      try await hear(caller, media, scene.patience)
      findings.expect(!near.events.events.contains { $0 == nil }, rule, "it ended: \(near.events.events)")
      try await scene.finish(near)
    }
  }

  /// The caller speaks, again and again, until that is heard: an emulator that was busy with mischief of its own may be
  /// late with the first words.
  private static func hear(
    _ caller: any ChannelCaller, _ media: any CallMedia, _ patience: Duration
  ) async throws {
    let loud = Journal<Bool>()
    media.hear(as: .linear16(16000)) { frame in
      loud.note(frame.withSamples { $0.contains { abs(Int($0)) > 2000 } })
    }
    let speaking = Task {
      while !Task.isCancelled {
        try await caller.speak(milliseconds: 100)
        try await Task.sleep(for: .milliseconds(500))
      }
    }
    defer { speaking.cancel() }
    try await loud.first(within: patience, "the caller's voice") { $0 }
  }
}
