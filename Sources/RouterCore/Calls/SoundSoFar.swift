/// What one call's agent has given to the speaker, as ``CallMouth`` counts it.
struct SoundSoFar: Sendable, Hashable {
  /// Milliseconds of each recent turn.
  var sent: [TurnID: Int] = [:]
  /// When the first sound of each recent turn came.
  var firstSound: [TurnID: Duration] = [:]
  /// Milliseconds in the whole call that were no digital silence.
  var audible = 0
  /// Until when there is something to play that is no digital silence, as far as known.
  var audibleUntil = Duration.zero
}

extension AudioFrame {
  /// Whether nobody can hear anything of it, not even noise: no sample is beyond the smallest step. Real sound is found
  /// out with its first samples.
  var isDigitalSilence: Bool {
    switch format.encoding {
    // G.711's values of plus and minus zero; µ-law 0x7F is minus zero, A-law has the two smallest steps. The sign is
    // the highest bit. Folded, so that the processor takes many at once: nearly every frame is asked.
    case .muLaw: bytes.reduce(0x7F) { $0 & $1 } == 0x7F
    case .aLaw: bytes.reduce(0) { $0 | ($1 ^ 0x55) } & 0x7F == 0
    case .linear16: bytes.count % 2 == 0 && withSamples { $0.allSatisfy { (-1...1).contains($0) } }
    }
  }
}
