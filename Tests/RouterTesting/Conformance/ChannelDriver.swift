public import RouterCore

/// The world around one channel, for ``ChannelConformance``: a channel's test implements it, with a real caller on
/// the other side of the wire where it can.
public protocol ChannelDriver: Sendable {
  /// What the channel says that it can do.
  var capabilities: ChannelCapabilities { get }
  /// Places a call from outside. The channel hands it to the intake that the driver was made with.
  func call() async throws -> any ChannelCaller
  /// How many calls the channel still holds anything for: legs, dialogs, sockets, ports.
  func held() async -> Int
  /// Ends the channel.
  func stop() async
}

/// Somebody who rings up, on the far side of the wire.
public protocol ChannelCaller: Sendable {
  /// What the caller notices, in order.
  var events: Journal<CallerEvent> { get }
  /// Gives up before the answer.
  func cancel() async throws
  /// Hangs up after the answer.
  func hangUp() async throws
  /// Presses keys, one after the other.
  func press(_ keys: String) async throws
  /// Speaks for so long.
  func speak(milliseconds: Int) async throws
  /// What becomes of a transfer that the channel asks for: the target answers, or is busy.
  func transferTarget(answers: Bool) async throws
  /// Whether somebody listens on the far side, so that ``lastSound()`` tells something.
  var listens: Bool { get }
  /// When the caller last heard something.
  func lastSound() async -> ContinuousClock.Instant?
}

extension ChannelCaller {
  public var listens: Bool { false }
  public func lastSound() async -> ContinuousClock.Instant? { nil }
}

/// What a caller notices.
public enum CallerEvent: Hashable, Sendable {
  case ringing
  case answered
  /// The status is 0 on channels that know none.
  case refused(status: Int)
  /// The call is over after the answer.
  case ended
}

/// A call on the channel's near side, as the engine would have it.
struct StagedCall: Sendable {
  let call: InboundCall
  let leg: any CallLeg
  /// What the leg reports; `nil` when its events have ended.
  let events: Journal<LegEvent?>
  /// Opened when the story is over: the call's function returns then.
  let done: Latch

  /// Plays the engine: keeps each call until its story is over.
  static func intake(_ stage: Journal<StagedCall>) -> CallIntake {
    CallIntake { call, leg in
      let staged = StagedCall(call: call, leg: leg, events: Journal(), done: Latch())
      let reading = Task {
        for await event in leg.events { staged.events.note(event) }
        staged.events.note(nil)
      }
      stage.note(staged)
      await staged.done.waitStubbornly()
      await leg.hangUp(CallEnd(.agentHungUp))
      reading.cancel()
    }
  }
}
