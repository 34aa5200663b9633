/// A ``VoiceModel`` made of three parts: a recogniser, a text model and a synthesiser.
///
/// The turn detector finds what the caller says, the recogniser makes words of it, the model writes an answer, and
/// each sentence of it is spoken as soon as it is complete. The greeting is made while the phone rings. A caller who
/// speaks or presses a key interrupts; if it was only a cough, the agent goes on with the sentence that was cut.
public struct SpeechPipeline: VoiceModel, CallEndObserver {
  private let model: any TextModel
  private let recognizer: @Sendable (String) -> (any SpeechRecognizer)?
  private let synthesizer: @Sendable (String) -> (any SpeechSynthesizer)?
  private let settings: PipelineSettings
  private let deadlines: Deadlines

  /// A pipeline whose ear and mouth are always the same.
  /// - Parameter clock: Measures silences and deadlines; tests bring their own.
  public init(
    recognizer: any SpeechRecognizer, model: any TextModel, synthesizer: any SpeechSynthesizer,
    settings: PipelineSettings = .init(), clock: any Clock<Duration> = ContinuousClock()
  ) {
    self.init(model: model, settings, clock, { _ in recognizer }, { _ in synthesizer })
  }

  /// A pipeline whose ear and mouth are those that the agent names, by the type of their providers.
  public init(
    model: any TextModel, recognizers: [String: any SpeechRecognizer],
    synthesizers: [String: any SpeechSynthesizer], settings: PipelineSettings = .init(),
    clock: any Clock<Duration> = ContinuousClock()
  ) {
    self.init(model: model, settings, clock, { recognizers[$0] }, { synthesizers[$0] })
  }

  private init(
    model: any TextModel, _ settings: PipelineSettings, _ clock: any Clock<Duration>,
    _ recognizer: @escaping @Sendable (String) -> (any SpeechRecognizer)?,
    _ synthesizer: @escaping @Sendable (String) -> (any SpeechSynthesizer)?
  ) {
    self.model = model
    self.recognizer = recognizer
    self.synthesizer = synthesizer
    self.settings = settings
    deadlines = Deadlines(Timebase(clock))
  }

  /// Opens the recogniser and begins to make the greeting. Throws ``VoiceFailure`` when the recogniser cannot be had.
  public func open(
    _ conversation: ConversationRequest, speaker: any Speaker
  ) async throws -> any VoiceSession {
    let agent = conversation.agent
    guard let recognizer = recognizer(agent.recognizer.type) else {
      throw VoiceFailure(.unreachable, "no plugin hears for providers of type \(agent.recognizer.type)")
        .of(.recognizer)
    }
    guard let synthesizer = synthesizer(agent.synthesizer.type) else {
      throw VoiceFailure(.unreachable, "no plugin speaks for providers of type \(agent.synthesizer.type)")
        .of(.synthesizer)
    }
    let recognition = try await open(recognizer, conversation)
    var settings = settings.merged(with: agent)
    if let patience = model.patience(for: agent) { settings.turn = max(settings.turn, patience) }
    let session = PipelineSession(
      conversation, PipelineSession.Parts(recognition: recognition, model: model, synthesizer: synthesizer),
      settings, PipelineMouth(speaker, deadlines.timebase), deadlines)
    await session.prepare()
    return session
  }

  private func open(
    _ recognizer: any SpeechRecognizer, _ conversation: ConversationRequest
  ) async throws -> any RecognitionSession {
    let agent = conversation.agent
    let request = RecognitionRequest(
      language: agent.language, phrases: model.phrases(for: agent),
      configuration: agent.recognizer.configuration, wireFormat: conversation.wireFormat,
      executor: conversation.executor, log: conversation.log)
    do {
      return try await recognizer.open(request)
    } catch let failure as VoiceFailure {
      throw failure.of(.recognizer)
    }
  }

  /// Three, of which some may be the same.
  public func backends(of agent: AgentConfiguration) -> VoiceBackends {
    VoiceBackends(
      model: agent.provider, recognizer: agent.recognizer.name, synthesizer: agent.synthesizer.name)
  }

  /// The text model's.
  public func patience(for agent: AgentConfiguration) -> Duration? { model.patience(for: agent) }

  /// The text model's business, if it wants to know.
  public func callEnded(_ record: CallRecord, agent: AgentConfiguration) {
    (model as? any CallEndObserver)?.callEnded(record, agent: agent)
  }
}
