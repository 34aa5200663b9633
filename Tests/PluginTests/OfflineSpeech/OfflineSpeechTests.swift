import OfflineSpeech
import RouterCore
import Testing

/// flite speaks to pocketsphinx, over what a telephone leaves of the sound.
@Suite struct OfflineSpeechTests {
  private static let speech = OfflineSpeech()
  private static let phrases = [
    "When are you open?", "What are your opening hours?", "Where are you?", "Do you repair bicycles?",
    "How much is a service?", "Do you rent bicycles?", "operator", "goodbye", "menu", "Tour de Flanders",
    "yes", "no",
  ]

  private func samples(_ text: String, voice: String?) async throws -> (samples: [Int16], rate: Int) {
    var samples: [Int16] = []
    var rate = 0
    for try await frame in Self.speech.speak(SynthesisRequest(text: text, voice: voice)) {
      rate = frame.format.sampleRate
      frame.withSamples { samples += $0 }
    }
    return (samples, rate)
  }

  /// Half of the samples, and back.
  private func overTelephone(_ samples: [Int16], rate: Int) -> [Int16] {
    var narrow = samples.map { Int($0) }
    if rate == 16000 {
      let wide = narrow
      narrow = []
      for index in stride(from: 1, to: wide.count - 1, by: 2) {
        let sum: Int = wide[index - 1] + 2 * wide[index] + wide[index + 1]
        narrow.append(sum / 4)
      }
    }
    var result: [Int16] = []
    for (index, sample) in narrow.enumerated() {
      let next = index + 1 < narrow.count ? narrow[index + 1] : 0
      result.append(Int16(sample))
      result.append(Int16((sample + next) / 2))
    }
    return result
  }

  private func hear(_ text: String, voice: String) async throws -> RecognitionEvent? {
    let session = try await Self.speech.open(RecognitionRequest(phrases: Self.phrases, log: .silent))
    let (sound, rate) = try await samples(text, voice: voice)
    let telephone = overTelephone(sound, rate: rate)
    for start in stride(from: 0, to: telephone.count, by: 320) {
      session.hear(
        AudioFrame(samples: Array(telephone[start..<min(start + 320, telephone.count)]), sampleRate: 16000))
    }
    session.endUtterance()
    let event = await session.events.first { _ in true }
    await session.close()
    return event
  }

  @Test(arguments: ["slt", "kal16", "rms"])
  func whatIsInTheGrammarIsHeard(_ voice: String) async throws {
    var sure = 0
    let cases = [
      "When are you open?", "Where are you?", "Do you rent bicycles?", "How much is a service?", "goodbye",
    ]
    for text in cases {
      guard case .final(let words, let confidence?) = try await hear(text, voice: voice) else { continue }
      if words == text.lowercased().filter({ $0 != "?" }), confidence > 0.5 { sure += 1 }
    }
    #expect(sure >= 4, "\(voice)")
  }

  @Test(arguments: ["slt", "rms"])
  func whatIsNotIsDoubted(_ voice: String) async throws {
    var sure = 0
    let cases = [
      "I would like to order a large pizza", "My name is John Smith", "The train leaves at seven",
      "I lost my wallet yesterday", "Who won the football game",
    ]
    for text in cases {
      guard case .final(_, let confidence?) = try await hear(text, voice: voice) else { continue }
      if confidence > 0.7 { sure += 1 }
    }
    #expect(sure <= 1, "\(voice)")
  }

  @Test func silenceIsNothing() async throws {
    let session = try await Self.speech.open(RecognitionRequest(phrases: Self.phrases, log: .silent))
    session.endUtterance()
    session.hear(AudioFrame(samples: [Int16](repeating: 0, count: 16000), sampleRate: 16000))
    session.endUtterance()
    var events = session.events.makeAsyncIterator()
    #expect(await events.next() == .final("", confidence: nil))
    guard case .final(_, let confidence) = await events.next() else {
      Issue.record("one final for each utterance")
      return
    }
    #expect((confidence ?? 0) < 0.5)
    await session.close()
    #expect(await events.next() == nil)
  }

  /// Nothing that a route file or a model may hold must crash flite or pocketsphinx.
  @Test(arguments: [
    "", " ", "...", "?!", "日本語のテキスト", "naïve café — “quoted” £5 & 10%", "\u{0}\u{1}\n\t",
    "<xml> | ( [ {grammar} ;",
    String(repeating: "a", count: 5000), String(repeating: "word ", count: 1000),
    "12345678901234567890 007 3.14",
    "\"C:\\path\" 'single' /slash/ *star* +plus+", "😀 👍🏽", "O'Brien's rock'n'roll 'tis",
  ])
  func anyTextIsBearable(_ text: String) async throws {
    _ = try await samples(text, voice: "kal")
    let session = try await Self.speech.open(RecognitionRequest(phrases: [text, "yes"], log: .silent))
    let (sound, _) = try await samples("yes", voice: "slt")
    session.hear(AudioFrame(samples: sound, sampleRate: 16000))
    session.endUtterance()
    guard case .final = await session.events.first(where: { _ in true }) else {
      Issue.record("an utterance has an end: \(text.prefix(20))")
      return
    }
    await session.close()
  }

  @Test func voicesDiffer() async throws {
    let (kal, kalRate) = try await samples("Hello.", voice: "kal")
    let (slt, sltRate) = try await samples("Hello.", voice: "slt")
    let (own, ownRate) = try await samples("Hello.", voice: "alloy")
    #expect(kalRate == 8000 && sltRate == 16000 && ownRate == 16000)
    #expect(!kal.isEmpty && !slt.isEmpty && own.count == slt.count)
  }

  @Test func aModelThatIsNotThereIsSaid() async throws {
    var configuration = OfflineSpeech.Configuration()
    configuration.modelDirectory = "/nowhere"
    let session = try await OfflineSpeech(configuration).open(
      RecognitionRequest(phrases: ["yes"], log: .silent))
    session.hear(AudioFrame(samples: [Int16](repeating: 100, count: 16000), sampleRate: 16000))
    session.endUtterance()
    guard case .failed(let failure) = await session.events.first(where: { _ in true }) else {
      Issue.record("must fail")
      return
    }
    #expect(failure.message.contains("/nowhere") && failure.message.contains("pocketsphinx-en-us"))
  }
}
