import Emulators
import OpenAIRealtimeModel
import RouterCore
import RouterTesting
import Testing

/// A backend that misbehaves: the caller goes on with another agent, the record says why, and no key shows.
@Suite(.serialized) struct RealtimeTroubleTests {
  private func stage(_ options: [(String, String)], provider: [String: JSONValue] = [:]) async throws
    -> (stage: RealtimeStage, reserve: FakeVoiceModel)
  {
    let reserve = FakeVoiceModel()
    let stage = try await RealtimeStage(
      options, provider: provider, fallback: [AgentConfiguration(name: "reserve", providerType: "fake")],
      models: ["fake": reserve]
    ) { $0.fallback = ["reserve"] }
    return (stage, reserve)
  }

  private func showsNoKey(_ stage: RealtimeStage, _ record: CallRecord) {
    let texts = record.transcript.map(\.text) + [record.end.text] + stage.lines.withLock { $0 }
    for text in texts { #expect(!text.contains("sk-secret-key"), "\(text)") }
  }

  @Test(arguments: [
    ("--refuse 401", "unauthorized"), ("--refuse 429", "rateLimited"), ("--refuse 500", "protocolError"),
    ("--refuse 301", "protocolError"), ("--key other", "unauthorized"),
  ])
  func refusalsBeforeTheAnswer(_ option: String, _ kind: String) async throws {
    let words = option.split(separator: " ").map(String.init)
    let (stage, reserve) = try await stage([(words[0], words[1])])
    let call = stage.call()
    try await reserve.session(0).commands.wait(for: .begin)
    let record = try await stage.end(call)
    #expect(record.agent == "reserve")
    let told = stage.lines.withLock { lines in lines.first { $0.contains("agent reception: \(kind)") } }
    #expect(told != nil, "\(stage.lines.withLock { $0 })")
    if option == "--key other" {
      #expect(told?.contains("Incorrect API key provided: ….") == true, "\(told ?? "")")
    }
    showsNoKey(stage, record)
    await stage.close()
  }

  @Test(arguments: [
    ("drop", "closed"), ("close:1011 internal error", "closed"), ("close:1008 policy", "closed"),
    ("garbage", "protocolError"), ("big", "closed"), ("fail:rate_limit_exceeded", "rateLimited"),
    ("fail:insufficient_quota", "rateLimited"), ("error:invalid_api_key", "unauthorized"),
  ])
  func troubleInTheCall(_ step: String, _ kind: String) async throws {
    let (stage, reserve) = try await stage([("--pace", "10"), ("--step", "say:Hello."), ("--step", step)])
    let call = stage.call()
    try await call.hears(1)
    call.speaks(milliseconds: 600)
    try await reserve.session(0).commands.wait(for: .begin)
    let record = try await stage.end(call)
    #expect(record.agent == "reserve")
    #expect(
      record.transcript.contains { $0.kind == .note && $0.text.contains("agent reception: \(kind)") },
      "\(record.transcript)")
    showsNoKey(stage, record)
    await stage.close()
  }

  @Test func failuresWithoutSoundAreRepeatedOnce() async throws {
    let (stage, reserve) = try await stage([
      ("--pace", "0"), ("--step", "fail:server_error"), ("--step", "say:Hello after all."),
      ("--step", "incomplete:content_filter"), ("--step", "incomplete:content_filter"),
    ])
    let call = stage.call()
    try await call.hears(2)
    call.speaks(milliseconds: 600)
    try await reserve.session(0).commands.wait(for: .begin)
    let record = try await stage.end(call)
    #expect(record.transcript.contains { $0.text.contains("content_filter") })
    await stage.close()
  }

  @Test func anExpiredSessionIsReplaced() async throws {
    // A session that ends within its first seconds would not be: this one tells that it has a short life.
    let (stage, _) = try await stage([
      ("--pace", "0"), ("--step", "say:Hello."), ("--step", "say:I am new."), ("--session-seconds", "14"),
    ])
    let call = stage.call()
    try await call.hears(1)
    try await stage.sees("connected: openai", count: 2)
    // What is said while one takes the place of the other would be heard by neither as a whole.
    for _ in 0..<600 where !stage.lines.withLock({ $0.contains { $0.contains("session was renewed") } }) {
      try await Task.sleep(for: .milliseconds(50))
    }
    call.speaks(milliseconds: 600)
    try await call.hears(2)
    let record = try await stage.end(call)
    #expect(record.agent == "reception" && record.end.reason == .callerHungUp)
    #expect(stage.service.report.violations == [])
    await stage.close()
  }

  @Test func aFloodIsBounded() async throws {
    let (stage, _) = try await stage([("--step", "flood")])
    let call = stage.call()
    try await call.leg.media.deeds.first(within: .seconds(60), "much sound") {
      if case .played(_, let milliseconds) = $0 { milliseconds == 60_000 } else { false }
    }
    // The call's own limits hold the sound; what matters here is that the caller can still stop it and leave.
    let record = try await stage.end(call)
    #expect(record.end.reason == .callerHungUp)
    await stage.close()
  }

  @Test func aServerThatTakesTheConnectionAndSaysNothing() async throws {
    let (stage, reserve) = try await stage([("--mute", "")])
    let call = stage.call()
    try await reserve.session(0).commands.wait(for: .begin)
    let record = try await stage.end(call)
    #expect(record.agent == "reserve")
    await stage.close()
  }

  @Test func nobodyListensThere() async throws {
    let (stage, reserve) = try await stage([], provider: ["url": "ws://127.0.0.1:1/v1/realtime"])
    let call = stage.call()
    try await reserve.session(0).commands.wait(for: .begin)
    let record = try await stage.end(call)
    #expect(stage.lines.withLock { $0.contains { $0.contains("unreachable") } })
    showsNoKey(stage, record)
    await stage.close()
  }
}
