public import RouterCore

/// What every ``SpeechSynthesizer`` must do.
public enum SpeechSynthesizerConformance {
  /// Tries a synthesiser out.
  /// - Parameters:
  ///   - limit: How long one piece of text may take.
  ///   - make: Makes the synthesiser.
  /// - Returns: What it does wrong; empty for a good one.
  public static func violations(
    within limit: Duration = .seconds(30), _ make: () async throws -> any SpeechSynthesizer
  ) async -> [Violation] {
    var findings = Findings()
    await findings.attempt("a synthesiser is made") { findings in
      let trial = Trial(synthesizer: try await make(), limit: limit)
      await findings.attempt("text becomes sound") { try await trial.speaks(&$0) }
      await findings.attempt("any text is only text") { try await trial.oddities(&$0) }
      await findings.attempt("a piece can be cancelled") { try await trial.cancellation(&$0) }
      await findings.attempt("many pieces are spoken at once") { try await trial.concurrency(&$0) }
    }
    return findings.violations
  }

  private struct Trial {
    let synthesizer: any SpeechSynthesizer
    let limit: Duration

    private static let sentence = "When are you open?"

    private struct Sound {
      var milliseconds = 0
      var formats: Set<AudioFormat> = []
      var hasOddFrames = false
      var isAudible = false
    }

    private func speak(
      _ text: String, voice: String? = nil, format: AudioFormat = .muLaw
    ) async throws -> Sound {
      let request = SynthesisRequest(text: text, voice: voice, preferredFormat: format)
      return try await bounded(limit, "speaking \(text.count) characters") { [synthesizer] in
        var sound = Sound()
        for try await frame in synthesizer.speak(request) {
          sound.milliseconds += frame.milliseconds
          sound.formats.insert(frame.format)
          if frame.bytes.isEmpty || frame.bytes.count % frame.format.bytesPerSample != 0 {
            sound.hasOddFrames = true
          }
          let silence = frame.bytes.first
          if frame.bytes.contains(where: { $0 != silence }) { sound.isAudible = true }
        }
        return sound
      }
    }

    func speaks(_ findings: inout Findings) async throws {
      for format in [AudioFormat.muLaw, .aLaw, .linear16(16000), .linear16(24000)] {
        let sound = try await speak(Trial.sentence, format: format)
        findings.expect(sound.isAudible, "text becomes sound", "\(format) got silence")
        findings.expect(
          (300...15_000).contains(sound.milliseconds), "a sentence is as long as one",
          "\(sound.milliseconds) ms for \(Trial.sentence)")
        findings.expect(sound.formats.count <= 1, "a piece has one format", "\(sound.formats)")
        findings.expect(!sound.hasOddFrames, "frames hold whole samples")
        findings.expect(
          sound.formats.allSatisfy { [8000, 16000, 24000, 48000].contains($0.sampleRate) },
          "the sample rate is a usual one", "\(sound.formats)")
      }
      let long = String(repeating: "We are open on weekdays. ", count: 4)
      let (one, four) = (try await speak(Trial.sentence), try await speak(long))
      findings.expect(
        four.milliseconds > one.milliseconds, "more words are more sound",
        "\(four.milliseconds) ms against \(one.milliseconds) ms")
      let fallback = try await speak(Trial.sentence, voice: "no-such-voice")
      findings.expect(fallback.isAudible, "an unknown voice falls back", "silence")
    }

    func oddities(_ findings: inout Findings) async throws {
      for text in OddTexts.all {
        do {
          let sound = try await speak(text)
          findings.expect(!sound.hasOddFrames, "frames hold whole samples", "\(text.prefix(40))")
        } catch let failure as VoiceFailure {
          findings.expect(false, "any text is only text", "\(text.prefix(40)): \(failure)")
        }
      }
    }

    func cancellation(_ findings: inout Findings) async throws {
      let long = SynthesisRequest(text: String(repeating: "We are open on weekdays. ", count: 100))
      try await bounded(limit, "a cancelled piece") { [synthesizer] in
        for try await _ in synthesizer.speak(long) { break }
        let reading = Task { for try await _ in synthesizer.speak(long) {} }
        reading.cancel()
        _ = await reading.result
      }
      findings.expect(
        try await speak(Trial.sentence).isAudible, "it speaks after a cancelled piece", "silence")
    }

    func concurrency(_ findings: inout Findings) async throws {
      let alone = try await speak(Trial.sentence).milliseconds
      let lengths = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<8 { group.addTask { try await speak(Trial.sentence).milliseconds } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      findings.expect(
        lengths.allSatisfy { abs($0 - alone) <= alone / 2 }, "pieces at once do not mix",
        "\(lengths) ms at once, \(alone) ms alone")
    }
  }
}
