public import RouterCore

/// What every ``SpeechRecognizer`` must do.
public enum SpeechRecognizerConformance {
  /// Something that is said, and the frames of it in a recogniser's format.
  public struct Utterance: Sendable {
    public var text: String
    public var sound: @Sendable (AudioFormat) async throws -> [AudioFrame]

    public init(_ text: String, _ sound: @escaping @Sendable (AudioFormat) async throws -> [AudioFrame]) {
      self.text = text
      self.sound = sound
    }
  }

  /// Tries a recogniser out.
  /// - Parameters:
  ///   - utterances: Things that it must understand, with what was said; they are also its phrases. Words are compared
  ///     without case and punctuation.
  ///   - limit: How long one utterance may take.
  ///   - make: Makes the recogniser.
  /// - Returns: What it does wrong; empty for a good one.
  public static func violations(
    understanding utterances: [Utterance] = [], within limit: Duration = .seconds(30),
    _ make: () async throws -> any SpeechRecognizer
  ) async -> [Violation] {
    var findings = Findings()
    await findings.attempt("a recogniser is made") { findings in
      let trial = Trial(recognizer: try await make(), utterances: utterances, limit: limit)
      await findings.attempt("what was said is understood") { try await trial.understanding(&$0) }
      await findings.attempt("every utterance gets one result") { try await trial.oneResultEach(&$0) }
      await findings.attempt("a session ends when it is closed") { try await trial.closing(&$0) }
      await findings.attempt("any phrase is only a phrase") { try await trial.oddPhrases(&$0) }
      await findings.attempt("sessions do not mix") { try await trial.concurrency(&$0) }
    }
    return findings.violations
  }

  /// A result, as far as a suite looks at it.
  struct Final: Sendable {
    var text: String
    var confidence: Double?
  }

  /// One session, with its results in a journal.
  private final class Listener: Sendable {
    let session: any RecognitionSession
    /// `nil` is the end of the events.
    private let results = Journal<Final?>()
    private let limit: Duration

    init(_ session: any RecognitionSession, _ limit: Duration) {
      self.session = session
      self.limit = limit
      let (results, events) = (results, session.events)
      Task {
        for await event in events {
          if case .final(let text, let confidence) = event {
            results.note(Final(text: text, confidence: confidence))
          }
        }
        results.note(nil)
      }
    }

    func hear(_ frames: [AudioFrame]) { for frame in frames { session.hear(frame) } }

    var finals: [Final] { results.events.compactMap(\.self) }

    /// The result of the utterance with this number, from 1.
    func result(_ number: Int) async throws -> Final {
      let result = try await results.first(after: number - 1, within: limit, "result \(number)") { _ in true }
      guard let result else { throw NothingHappened(waitedFor: "result \(number)", instead: ["the end"]) }
      return result
    }

    func close() async throws {
      try await bounded(limit, "closing") { [session] in await session.close() }
      try await results.first(within: limit, "the end of the events") { $0 == nil }
    }
  }

  private struct Trial {
    let recognizer: any SpeechRecognizer
    let utterances: [Utterance]
    let limit: Duration

    private func open(_ phrases: [String]? = nil) async throws -> Listener {
      let request = RecognitionRequest(
        phrases: phrases ?? utterances.map(\.text) + ["yes", "no"], log: .silent)
      return try await bounded(limit, "opening") { [recognizer, limit] in
        Listener(try await recognizer.open(request), limit)
      }
    }

    private static func words(_ text: String) -> [Substring] {
      text.lowercased().split { !$0.isLetter && !$0.isNumber && $0 != "'" }
    }

    func understanding(_ findings: inout Findings) async throws {
      let listener = try await open()
      for (number, utterance) in utterances.enumerated() {
        listener.hear(try await utterance.sound(listener.session.hearingFormat))
        listener.session.endUtterance()
        let result = try await listener.result(number + 1)
        let (text, confidence) = (result.text, result.confidence)
        findings.expect(
          Trial.words(text) == Trial.words(utterance.text), "what was said is understood",
          "\(utterance.text) became \(text)")
        findings.expect(
          confidence.map { (0...1).contains($0) } ?? true, "confidence is between 0 and 1",
          "\(confidence ?? -1)")
      }
      try await listener.close()
    }

    func oneResultEach(_ findings: inout Findings) async throws {
      let listener = try await open()
      let format = listener.session.hearingFormat
      findings.expect(
        [8000, 16000, 24000, 48000].contains(format.sampleRate), "the format is a usual one", "\(format)")
      listener.session.endUtterance()  // nothing was heard
      let nothing = try await listener.result(1).text
      listener.hear(AudioFrame.buzz(format, milliseconds: 0, silence: 1000))
      listener.session.endUtterance()
      let silence = try await listener.result(2).text
      findings.expect(
        nothing.isEmpty && silence.isEmpty, "silence has no words", "\"\(nothing)\" and \"\(silence)\"")
      for bytes in [[], [1], [UInt8](repeating: 3, count: 7)] {
        listener.session.hear(AudioFrame(format, bytes: bytes))
      }
      // Another format.
      listener.session.hear(AudioFrame(format == .muLaw ? .aLaw : .muLaw, bytes: [1, 2, 3]))
      listener.session.endUtterance()
      _ = try await listener.result(3)
      listener.hear(AudioFrame.buzz(format, milliseconds: 40_000))
      listener.session.endUtterance()
      _ = try await listener.result(4)
      for _ in 0..<3 { listener.session.endUtterance() }
      _ = try await listener.result(7)
      findings.expect(listener.session.hearingFormat == format, "the format stays the same")
      try await listener.close()
      findings.expect(
        listener.finals.count == 7, "every utterance gets one result",
        "\(listener.finals.count) results of 7 utterances")
    }

    func closing(_ findings: inout Findings) async throws {
      let unused = try await open()
      try await unused.close()
      let listener = try await open()
      let frames = AudioFrame.buzz(listener.session.hearingFormat, milliseconds: 500)
      listener.hear(frames)
      try await listener.close()
      listener.hear(frames)
      listener.session.endUtterance()
      try await listener.close()
      findings.expect(listener.finals.isEmpty, "a closed session says nothing", "\(listener.finals)")
      let busy = try await open()
      busy.hear(frames)
      busy.session.endUtterance()
      try await busy.close()
    }

    func oddPhrases(_ findings: inout Findings) async throws {
      let lists: [[String]] =
        OddTexts.all.map { [$0, "yes"] } + [[], OddTexts.all, (0..<500).map { "phrase number \($0)" }]
      for phrases in lists {
        let listener = try await open(phrases)
        listener.hear(AudioFrame.buzz(listener.session.hearingFormat, milliseconds: 200))
        listener.session.endUtterance()
        _ = try await listener.result(1)
        try await listener.close()
      }
    }

    func concurrency(_ findings: inout Findings) async throws {
      let mixed = try await withThrowingTaskGroup(of: [String].self) { group in
        for number in 0..<6 {
          group.addTask {
            let listener = try await open()
            defer { Task { await listener.session.close() } }
            guard !utterances.isEmpty else {
              listener.session.endUtterance()
              return try await listener.result(1).text.isEmpty ? [] : ["words of nothing"]
            }
            let utterance = utterances[number % utterances.count]
            listener.hear(try await utterance.sound(listener.session.hearingFormat))
            listener.session.endUtterance()
            let text = try await listener.result(1).text
            return Trial.words(text) == Trial.words(utterance.text)
              ? [] : ["\(utterance.text) became \(text)"]
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      findings.expect(mixed.isEmpty, "sessions do not mix", "\(mixed)")
    }
  }
}
