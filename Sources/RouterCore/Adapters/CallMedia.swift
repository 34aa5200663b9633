/// The sound of an answered call. Every method may be called from any thread.
public protocol CallMedia: Speaker, AnyObject {
  /// What the wire carries; giving and taking this format saves a conversion.
  var wireFormat: AudioFormat { get }
  /// Sends what the caller says to `sink`, as 20 ms frames of `format`, every 20 ms for the whole call (silence in
  /// gaps and on hold). `sink` runs inline on the media loop: it must not block. A second call replaces the first.
  func hear(as format: AudioFormat, _ sink: @escaping @Sendable (AudioFrame) -> Void)
  /// Marks the end of a turn's audio; ``LegEvent/playbackEnded(_:)`` follows when it was played.
  func endTurn(_ turn: TurnID)
  /// Drops everything that was not played yet, also what the provider still holds. Later audio of the same turn is
  /// dropped too. Returns what the caller has heard of the turn that was playing.
  @discardableResult func flush() -> PlayedAudio
  /// Presses keys towards the caller, where the channel can.
  func sendDigits(_ digits: String) async
  /// The figures so far; once ``isConcluded``, those of the whole call.
  func statistics() -> AudioStatistics
  /// Whether the media has ended and nothing is counted any more. A channel ends it with the call, whoever hung up.
  var isConcluded: Bool { get }
  /// Returns when ``isConcluded``.
  func concluded() async
}

/// Media that counts at once.
extension CallMedia {
  public var isConcluded: Bool { true }
  public func concluded() async {}
}

/// Takes an agent's audio. May be called from any thread.
public protocol Speaker: Sendable {
  /// Queues audio of a turn for the caller, in any format of ``AudioFormat``. Audio of a turn older than the newest
  /// one that was flushed is dropped. The queue is bounded (``SpeakerLimit/milliseconds``); what does not fit is
  /// dropped and counted.
  func play(_ audio: AudioFrame, turn: TurnID)
}

/// Limits of a speaker's queue.
public enum SpeakerLimit {
  /// How much audio may wait: models send a whole answer at once, so minutes, not seconds.
  public static let milliseconds = 300_000
}

/// How much of a turn the caller has heard.
public struct PlayedAudio: Sendable, Hashable {
  /// `nil` when nothing was playing.
  public var turn: TurnID?
  public var milliseconds: Int
  public init(turn: TurnID? = nil, milliseconds: Int = 0) {
    self.turn = turn
    self.milliseconds = milliseconds
  }
}
