/// What all calls of an engine share.
final class Surroundings: Sendable {
  let routing: any CallRouting
  let models: [String: any VoiceModel]
  /// Those that answer within the call's own turn of the loop: asked for each call, so known once.
  let inlineModels: Set<String>
  let tools: [any ToolAdapter]
  let trunks: @Sendable () -> [Trunk]
  let http: (any HTTPSending)?
  let settings: EngineSettings
  let log: Log
  let metrics: Metrics
  private let begun: Metrics.Counter
  private let endings = Lock<[CallEnd.Reason: Metrics.Counter]>([:])
  let deadlines: Deadlines
  let live: LiveCalls
  let admission: Admission
  let keeper: RecordKeeper
  let breakers: Breakers
  let announcer: Announcer?
  let memory: (any MemoryStore)?

  init(
    routing: any CallRouting, models: [String: any VoiceModel], tools: [any ToolAdapter],
    trunks: @escaping @Sendable () -> [Trunk], store: (any CallStore)?, http: (any HTTPSending)?,
    memory: (any MemoryStore)?, synthesizer: (any SpeechSynthesizer)?, settings: EngineSettings, log: Log,
    metrics: Metrics,
    clock: any Clock<Duration>
  ) {
    let timebase = Timebase(clock)
    self.routing = routing
    self.models = models
    inlineModels = Set(models.filter { $0.value is any InlineVoiceModel }.keys)
    self.tools = tools
    self.trunks = trunks
    self.http = http
    self.settings = settings
    self.log = log.labelled("call")
    self.metrics = metrics
    begun = metrics.counter("routerd_calls_total")
    deadlines = Deadlines(timebase)
    breakers = Breakers(settings.failover.breaker, metrics: metrics, now: timebase.now)
    self.memory = memory
    announcer = synthesizer.map { [deadlines] in Announcer($0, deadlines) }
    live = LiveCalls(observerBuffer: settings.observerBuffer)
    admission = Admission(settings)
    keeper = RecordKeeper(store: store, retries: settings.saveRetries, timebase: timebase, metrics: metrics)
  }

  func countBegun() { begun.add() }

  func countEnded(_ reason: CallEnd.Reason) {
    let counter = endings.withLock { endings in
      if let known = endings[reason] { return known }
      let counter = metrics.counter("routerd_calls_ended_total", ["reason": reason.rawValue])
      endings[reason] = counter
      return counter
    }
    counter.add()
  }

  /// Asks a route's hook; its answer takes the place of the first target.
  func ask(
    _ hook: PreAnswerHook, about call: InboundCall, _ decision: RouteDecision, _ targets: [RouteTarget],
    _ log: Log
  ) async -> [RouteTarget] {
    let outcome =
      if let http {
        await PreAnswerQuestion(hook, over: http).ask(about: call, decision)
      } else {
        PreAnswerQuestion.unanswered(hook, "there is no HTTP client")
      }
    log.write(outcome.isAnswered ? .info : .warning, outcome.note)
    switch outcome.advice {
    case .proceed: return targets
    case .reject(let end): return [.reject(end)]
    case .transfer(let request): return [.transfer(request)] + targets.dropFirst()
    case .agent(let name, let overrides):
      guard let agent = routing.agent(named: name, for: call, under: decision, overrides: overrides) else {
        log.error("the hook wants an agent that there is not", ("agent", name))
        return targets
      }
      return [.agent(agent)] + targets.dropFirst()
    }
  }
}
