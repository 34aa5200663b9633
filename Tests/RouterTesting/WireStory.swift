public import Emulators
import Foundation
public import RouterCore

/// The same calls at every emulated provider, and what we sent for them: replies to webhooks, REST requests, messages of the media
/// socket, in order, with everything normalised that differs from run to run. Golden transcripts are compared with it.
public struct WireStory<Channel: WebhookChannel, Kind: ProviderEmulator> {
  private let stage: EmulatedStage<Channel, Kind>
  private let calls: Journal<(InboundCall, any CallLeg)>
  private var names: [(pattern: String, name: String)] = []

  /// - Parameter calls: Those that came, kept until the test's end.
  public init(_ stage: EmulatedStage<Channel, Kind>, _ calls: Journal<(InboundCall, any CallLeg)>) {
    self.stage = stage
    self.calls = calls
  }

  /// Plays it at a stage and compares with a golden transcript beside the test. Returns what is wrong, best nothing.
  public static func problems(
    against fixture: String, beside file: String = #filePath,
    known: (String) -> [(pattern: String, name: String)] = { _ in [] },
    at make: (CallIntake) async throws -> EmulatedStage<Channel, Kind>
  ) async throws -> [String] {
    let (intake, calls, done) = CallIntake.keeping()
    let stage = try await make(intake)
    var story = WireStory(stage, calls)
    let transcript = try await story.play(known)
    let difference = try GoldenText.difference(transcript, from: fixture, beside: file)
    let violations = stage.service.report.violations
    done.open()
    await stage.stop()
    return [difference].compactMap { $0 } + violations
  }

  /// Plays a call that is refused, and one that is answered, spoken to, cut short, handed over in vain and ended. The emulator has
  /// `--wire` and a `--target` that is busy.
  /// - Parameter known: What else has a name of its own, given the provider's name of the second call.
  public mutating func play(_ known: (String) -> [(pattern: String, name: String)] = { _ in [] }) async throws
    -> String
  {
    _ = await stage.place()
    let refused = try await calls.first { _ in true }
    await refused.1.reject(CallEnd(.limitReached), headers: [])
    names += WireStory.both(refused.0.foreignID ?? "", "FIRST-CALL")

    _ = await stage.place()
    let (call, leg) = try await calls.first(after: 1) { _ in true }
    let id = call.foreignID ?? ""
    names += known(id) + WireStory.both(id, "CALL")
    let events = Journal<LegEvent>()
    let reading = Task { for await event in leg.events { events.note(event) } }
    defer { reading.cancel() }
    let media = try await leg.answer(AnswerOptions())
    try await speak(media, TurnID(1), events)
    media.flush()
    try await see("clear: 0 ms were not played")
    _ = await leg.transfer(TransferRequest(target: "0200", timeout: 20))
    // The sound may have been away, and is back when the caller is heard.
    let heard = Journal<Void>()
    media.hear(as: .muLaw) { _ in heard.note(()) }
    try await heard.first(after: 20) { _ in true }
    try await speak(media, TurnID(2), events)
    await leg.hangUp(CallEnd(.agentHungUp))
    return transcript
  }

  /// As it is, and as it stands in an address.
  private static func both(_ id: String, _ name: String) -> [(pattern: String, name: String)] {
    [(id, name), (FormFields.encode(id), name)]
  }

  /// One frame, and the mark behind it.
  private func speak(_ media: any CallMedia, _ turn: TurnID, _ events: Journal<LegEvent>) async throws {
    let format = media.wireFormat
    let bytes = [UInt8](repeating: 0x11, count: format.sampleRate / 50 * format.bytesPerSample)
    media.play(AudioFrame(format, bytes: bytes), turn: turn)
    media.endTurn(turn)
    try await events.wait(for: .playbackEnded(turn))
  }

  private func see(_ sight: String) async throws {
    for _ in 0..<500 where !stage.service.report.sights.contains(sight) {
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  /// Replies that say nothing are left out: news come in no order.
  private var transcript: String {
    let said = stage.service.report.wire.filter { !$0.hasPrefix("204 ") }
    return normalised(said.map { "> \($0)\n" }.joined())
  }

  private func normalised(_ text: String) -> String {
    var text = text
    for (pattern, name) in names where !pattern.isEmpty {
      text = text.replacingOccurrences(of: pattern, with: name)
    }
    for (kind, pattern) in [("TOKEN", "[0-9a-f]{40}"), ("STREAM", "MZ[0-9a-f]{32}")] {
      // In order of appearance: the same one has the same name.
      var seen: [String] = []
      while let range = text.range(of: pattern, options: .regularExpression) {
        let found = String(text[range])
        seen.append(found)
        text = text.replacingOccurrences(of: found, with: "\(kind)-\(seen.count)")
      }
    }
    let port = "(http|ws)(://|%3A%2F%2F)127\\.0\\.0\\.1(:|%3A)[0-9]+"
    return text.replacingOccurrences(of: port, with: "$1$2ROUTERD", options: .regularExpression)
  }
}

/// A text that is kept beside a test.
public enum GoldenText {
  /// Compares with a fixture beside the test. Returns the first difference; `nil` when there is none.
  public static func difference(_ transcript: String, from fixture: String, beside file: String) throws
    -> String?
  {
    let path = URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent(fixture)
    let golden = try String(contentsOf: path, encoding: .utf8).split(separator: "\n").map(String.init)
    let lines = transcript.split(separator: "\n").map(String.init)
    for index in 0..<max(golden.count, lines.count) {
      let (wanted, got) = (golden.dropFirst(index).first, lines.dropFirst(index).first)
      if wanted != got {
        return "line \(index + 1): \(got ?? "nothing")\ninstead of \(wanted ?? "nothing")\nin\n\(transcript)"
      }
    }
    return nil
  }
}
