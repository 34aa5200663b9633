public import RouterCore

/// Takes an agent's sound and remembers how much of it came.
public final class FakeSpeaker: Speaker {
  /// One piece of sound.
  public struct Sound: Hashable, Sendable {
    public var turn: TurnID
    public var milliseconds: Int
    public var format: AudioFormat
    /// Whether any sample differs from the first one.
    public var isAudible: Bool
  }

  /// Everything that was played, in order.
  public let sounds = Journal<Sound>()

  public init() {}

  public func play(_ audio: AudioFrame, turn: TurnID) {
    let first = audio.bytes.prefix(audio.format.bytesPerSample)
    var isAudible = false
    if audio.format.bytesPerSample == 1 {
      isAudible = audio.bytes.contains { $0 != first.first }
    } else if audio.bytes.count % 2 == 0 {
      isAudible = audio.withSamples { samples in samples.contains { $0 != samples.first } }
    }
    sounds.note(
      Sound(turn: turn, milliseconds: audio.milliseconds, format: audio.format, isAudible: isAudible))
  }

  /// Milliseconds of a turn.
  public func milliseconds(of turn: TurnID) -> Int {
    sounds.events.reduce(0) { $0 + ($1.turn == turn ? $1.milliseconds : 0) }
  }
}
