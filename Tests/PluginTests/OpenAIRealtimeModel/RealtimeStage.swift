import Emulators
import Foundation
import OpenAIRealtimeModel
import RouterCore
import RouterTesting

/// The plugin against the scripted server, in a real engine: calls are placed on fake legs that live on a real loop.
final class RealtimeStage: Sendable {
  let service: RunningEmulator<RealtimeEmulator>
  let model: OpenAIRealtimeModel
  let engine: CallEngine
  let store = FakeStore()
  let lines = Lock<[String]>([])
  private let loops = EventLoops(mediaLoops: 0)
  private let clients = HTTPClients()
  private let provider: [String: JSONValue]

  /// A tool that finds whatever it is asked for.
  struct Lookup: ToolAdapter, ToolSession {
    let kinds = ["http"]
    let offers = [
      ToolOffer(
        Tool(
          name: "lookup", description: "Looks a number up.",
          parameters: ["type": "object", "properties": ["n": ["type": "integer"]]]))
    ]
    /// Answers wait for it.
    var latch: Latch?
    func open(_ request: ToolRequest) async throws -> any ToolSession { self }
    func run(_ call: ToolCall) async throws -> ToolResult {
      if let latch { _ = await latch.wait() }
      return ToolResult(callID: call.id, output: ["found": call.arguments])
    }
  }

  init(
    _ options: [(String, String)] = [], provider: [String: JSONValue] = [:], path: String = "",
    fallback: [AgentConfiguration] = [], models: [String: any VoiceModel] = [:], lookup: Lookup = Lookup(),
    _ change: (inout AgentConfiguration) -> Void = { _ in }
  ) async throws {
    service = try await RunningEmulator(RealtimeEmulator.self, options)
    let log = Log(label: "test", level: .debug) { [lines] event in
      let fields = event.fields.map { "\($0.0)=\($0.1)" }.joined(separator: " ")
      lines.withLock { $0.append("\(event.message) \(fields)") }
    }
    let host = PluginHost(log: log, metrics: Metrics(), loops: loops, clients: clients)
    model = OpenAIRealtimeModel(NoConfiguration(), host)
    self.provider = ["url": .string(service.url("ws", path)), "apiKey": "sk-secret-key"]
      .merging(provider) { $1 }
    var agent = AgentConfiguration(
      name: "reception", instructions: "Be brief.",
      functions: [FunctionDefinition(key: "lookup", kind: "http")], provider: "openai",
      providerType: provider["type"]?.string ?? "openai-realtime",
      providerConfiguration: .object(self.provider))
    change(&agent)
    var settings = EngineSettings()
    settings.apology = ""
    if lookup.latch != nil { settings.fillerMilliseconds = 50 }
    engine = CallEngine(
      routing: FakeRouting(.agent(agent), agents: fallback),
      models: [agent.providerType: model as any VoiceModel].merging(models) { $1 },
      tools: [lookup], store: store, settings: settings, log: log)
  }

  /// An agent of this provider, for suites that open sessions themselves.
  var agent: AgentConfiguration {
    AgentConfiguration(
      name: "reception", provider: "openai", providerType: "openai-realtime",
      providerConfiguration: .object(provider))
  }

  struct Call {
    let leg: FakeLeg
    let task: Task<Void, Never>
  }

  func call(_ script: FakeLeg.Script = FakeLeg.Script()) -> Call {
    let leg = FakeLeg(script)
    let task = Task { [engine] in await engine.intake(.example(), on: leg) }
    return Call(leg: leg, task: task)
  }

  /// Hangs up, and gives the call's record.
  func end(_ call: Call) async throws -> CallRecord {
    call.leg.callerHangsUp()
    return try await record(call)
  }

  func record(_ call: Call) async throws -> CallRecord {
    await call.task.value
    guard let record = store.saved.events.last else {
      throw NothingHappened(waitedFor: "a record", instead: [])
    }
    return record
  }

  func close() async {
    await service.close()
    await clients.close()
    await Task.detached { [loops] in loops.stop() }.value
  }

  /// Waits until the server has seen something.
  func sees(_ text: String, count: Int = 1) async throws {
    for _ in 0..<600 {
      if service.report.sights.filter({ $0.contains(text) }).count >= count { return }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw NothingHappened(
      waitedFor: text, instead: service.report.lines.map { "\($0)" } + lines.withLock { $0 })
  }
}

extension RealtimeStage.Call {
  /// Waits until the agent was heard to the end of a turn.
  func hears(_ turn: Int) async throws {
    try await leg.media.deeds.first(within: .seconds(30), "the end of turn \(turn)") {
      $0 == .endTurn(TurnID(turn))
    }
  }

  /// Waits until so much of a turn is there to be heard.
  func hearsSound(_ turn: Int, milliseconds: Int) async throws {
    let sum = Lock(0)
    try await leg.media.deeds.first(within: .seconds(30), "sound of turn \(turn)") { deed in
      guard case .played(TurnID(turn), let more) = deed else { return false }
      return sum.withLock { sum in
        sum += more
        return sum >= milliseconds
      }
    }
  }

  /// The caller speaks for so long and is silent then.
  func speaks(milliseconds: Int, silence: Int = 1200) {
    let loud = AudioFrame(.muLaw, bytes: (0..<160).map { $0 % 16 < 8 ? 0x90 : 0x10 })
    let quiet = AudioFrame(.muLaw, bytes: [UInt8](repeating: 0xFF, count: 160))
    for _ in 0..<milliseconds / 20 { leg.media.speak(loud) }
    for _ in 0..<silence / 20 { leg.media.speak(quiet) }
  }

  func isSilent(milliseconds: Int) { speaks(milliseconds: 0, silence: milliseconds) }
}
