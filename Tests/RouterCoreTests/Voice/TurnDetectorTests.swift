import Glibc
import Testing

@testable import RouterCore

/// Sound made by rule: the same for the same seed.
struct SoundMaker {
  /// Noise of deviation 1; its length is no multiple of a frame's, so no two frames are alike.
  private static let noise: [Float] = {
    var state: UInt32 = 12345
    return (0..<9973).map { _ in
      var sum: Float = -2  // four uniform numbers make a normal one of deviation sqrt(4/12)
      for _ in 0..<4 {
        state = state &* 1_664_525 &+ 1_013_904_223
        sum += Float(state >> 8) / 16_777_216
      }
      return sum / 0.577
    }
  }()
  /// One second of something like speech, of deviation 1: a buzz whose loudness goes up and down four times.
  private static let speech: [Float] = (0..<8000).map { index in
    let time = Float(index) / 8000
    let syllable = pow(sin(2 * .pi * 2 * time), 2)
    return (sin(2 * .pi * 140 * time) + sin(2 * .pi * 700 * time) + sin(2 * .pi * 1260 * time)) * syllable
      * 1.33
  }

  private var position: Int
  let sampleRate: Int

  init(seed: Int = 1, sampleRate: Int = 8000) {
    position = seed * 1237
    self.sampleRate = sampleRate
  }

  /// 20 ms frames of noise and of speech, each at a level in dB.
  mutating func frames(
    milliseconds: Int, noise: Double = -200, speech: Double? = nil, offset: Double = 0
  ) -> [AudioFrame] {
    let noiseGain = Float(pow(10, noise / 20) * 32768)
    let speechGain = speech.map { Float(pow(10, $0 / 20) * 32768) } ?? 0
    let offset = Float(offset * 32768)
    let stretch = sampleRate / 8000
    return (0..<milliseconds / 20).map { _ in
      var samples = [Int16](repeating: 0, count: sampleRate / 50)
      for index in samples.indices {
        position += 1
        let noise = SoundMaker.noise[position % 9973] * noiseGain
        let speech = speechGain == 0 ? 0 : SoundMaker.speech[position / stretch % 8000] * speechGain
        samples[index] = Int16(max(-32768, min(32767, noise + speech + offset)))
      }
      return AudioFrame(samples: samples, sampleRate: sampleRate)
    }
  }
}

@Suite struct TurnDetectorTests {
  /// What happened, and when, in milliseconds.
  private func run(
    _ frames: [AudioFrame], _ detector: TurnDetector = TurnDetector(), agentSpeaks: Bool = false
  ) -> [(at: Int, change: TurnDetector.Change)] {
    var detector = detector
    detector.isAgentSpeaking = agentSpeaks
    return frames.enumerated().compactMap { index, frame in
      detector.hear(frame).map { (index * 20, $0) }
    }
  }

  struct Case: CustomTestStringConvertible, Sendable {
    var name: String
    var noise: Double
    var speech: Double
    var offset = 0.0
    var rate = 8000
    var testDescription: String { name }
  }

  @Test(
    "A sentence between two silences is one turn",
    arguments: [
      Case(name: "digital silence", noise: -200, speech: -26),
      Case(name: "40 dB", noise: -66, speech: -26),
      Case(name: "30 dB", noise: -56, speech: -26),
      Case(name: "20 dB", noise: -46, speech: -26),
      Case(name: "10 dB", noise: -36, speech: -26),
      Case(name: "a quiet caller", noise: -70, speech: -42),
      Case(name: "a loud caller", noise: -50, speech: -12),
      Case(name: "a shifted zero line", noise: -60, speech: -26, offset: 0.2),
      Case(name: "16 kHz", noise: -46, speech: -26, rate: 16000),
    ])
  func oneTurn(_ sound: Case) throws {
    for seed in 1...3 {
      var maker = SoundMaker(seed: seed, sampleRate: sound.rate)
      let frames =
        maker.frames(milliseconds: 3000, noise: sound.noise, offset: sound.offset)
        + maker.frames(milliseconds: 3000, noise: sound.noise, speech: sound.speech, offset: sound.offset)
        + maker.frames(milliseconds: 3000, noise: sound.noise, offset: sound.offset)
      let changes = run(frames)
      try #require(changes.count == 2, "seed \(seed): \(changes)")
      guard case .started(let framesAgo) = changes[0].change,
        case .ended(let length, .silence) = changes[1].change
      else {
        Issue.record("seed \(seed): \(changes)")
        return
      }
      let onset = changes[0].at - framesAgo * 20
      #expect((2980...3200).contains(onset), "seed \(seed)")
      #expect((6300...6660).contains(changes[1].at), "seed \(seed)")
      #expect((2700...3020).contains(length * 20), "seed \(seed)")
    }
  }

  @Test("G.711 is heard like linear samples")
  func companded() {
    var maker = SoundMaker()
    let linear =
      maker.frames(milliseconds: 2000, noise: -60)
      + maker.frames(milliseconds: 2000, noise: -60, speech: -26)
      + maker.frames(milliseconds: 1000, noise: -60)
    for format in [AudioFormat.muLaw, .aLaw] {
      let frames = linear.map { frame in
        var bytes: [UInt8] = []
        frame.withSamples { G711.encode($0, format.encoding, into: &bytes) }
        return AudioFrame(format, bytes: bytes)
      }
      #expect(run(frames).map(\.change) == run(linear).map(\.change))
    }
  }

  @Test("Noise alone is no turn", arguments: [-200.0, -70, -60, -50, -40, -30])
  func noiseAlone(_ level: Double) {
    for seed in 1...3 {
      var maker = SoundMaker(seed: seed)
      #expect(run(maker.frames(milliseconds: 8000, noise: level)).isEmpty, "seed \(seed)")
    }
  }

  @Test("Comfort noise that comes and goes is no turn")
  func comfortNoise() {
    var maker = SoundMaker()
    var frames: [AudioFrame] = []
    for _ in 0..<8 {
      frames += maker.frames(milliseconds: 700)
      frames += maker.frames(milliseconds: 700, noise: -62)
    }
    #expect(run(frames).isEmpty)
  }

  @Test("A noise that sets in is taken for speech for two seconds at most")
  func noiseStep() throws {
    var maker = SoundMaker()
    let frames = maker.frames(milliseconds: 3000, noise: -66) + maker.frames(milliseconds: 6000, noise: -40)
    let changes = run(frames)
    try #require(changes.count == 2)
    #expect(changes[1].at < 3000 + 2000 + 700)
  }

  @Test("What is too short is no turn", arguments: [(20, false), (60, false), (200, true)])
  func tooShort(_ milliseconds: Int, agentSpeaks: Bool) {
    var maker = SoundMaker()
    var frames = maker.frames(milliseconds: 2000, noise: -60)
    for _ in 0..<10 {
      frames += maker.frames(milliseconds: milliseconds, noise: -12)
      frames += maker.frames(milliseconds: 800, noise: -60)
    }
    #expect(run(frames, agentSpeaks: agentSpeaks).isEmpty)
  }

  @Test("An agent that speaks is interrupted by words, with their beginning kept")
  func interruption() throws {
    var maker = SoundMaker()
    let frames =
      maker.frames(milliseconds: 2000, noise: -60) + maker.frames(milliseconds: 1000, noise: -60, speech: -26)
    let changes = run(frames, agentSpeaks: true)
    try #require(changes.count == 1)
    guard case .started(let framesAgo) = changes[0].change else { return }
    #expect((2000...2100).contains(changes[0].at - framesAgo * 20))
    #expect((2220...2500).contains(changes[0].at))
  }

  @Test("silence_duration_ms ends the turn", arguments: [200, 500, 1200])
  func silenceDuration(_ milliseconds: Int) throws {
    var settings = AgentConfiguration.TurnDetection()
    settings.silenceDuration = milliseconds
    var maker = SoundMaker()
    let frames =
      maker.frames(milliseconds: 1000, noise: -60) + maker.frames(milliseconds: 960, noise: -60, speech: -26)
      + maker.frames(milliseconds: 2000, noise: -60)
    let changes = run(frames, TurnDetector(settings))
    try #require(changes.count == 2)
    #expect((1860 + milliseconds...2060 + milliseconds).contains(changes[1].at))
  }

  @Test("A higher threshold wants clearer speech")
  func threshold() {
    var maker = SoundMaker()
    let frames =
      maker.frames(milliseconds: 3000, noise: -40) + maker.frames(milliseconds: 2000, noise: -40, speech: -38)
    var settings = AgentConfiguration.TurnDetection()
    settings.threshold = 0
    #expect(!run(frames, TurnDetector(settings)).isEmpty)
    settings.threshold = 1
    #expect(run(frames, TurnDetector(settings)).isEmpty)
  }

  @Test("A turn has a longest length, and the next one begins at once")
  func longest() throws {
    var limits = TurnDetector.Limits()
    limits.maximumUtterance = 2000
    var maker = SoundMaker()
    let frames =
      maker.frames(milliseconds: 1000, noise: -60) + maker.frames(milliseconds: 3000, noise: -60, speech: -26)
    let changes = run(frames, TurnDetector(limits: limits)).map(\.change)
    try #require(changes.count == 3)
    #expect(changes[1] == .ended(frames: 100, .tooLong))
  }

  @Test("Foolish settings do no harm", arguments: [-1e300, .infinity, .nan, 7])
  func foolish(_ threshold: Double) {
    var settings = AgentConfiguration.TurnDetection()
    settings.threshold = threshold
    settings.silenceDuration = .min
    var limits = TurnDetector.Limits()
    limits.minimumSpeech = -5
    var detector = TurnDetector(settings, limits: limits)
    for level in [-Double.infinity, .nan, 0, -100, 3] { _ = detector.hear(decibels: level) }
    #expect(detector.hear(AudioFrame(.muLaw, bytes: [])) == nil)
    #expect(detector.hear(AudioFrame(.linear16(8000), bytes: [1])) == nil)
  }
}
