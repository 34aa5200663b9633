/// One conversation of a ``SpeechPipeline``: obeys ``PipelineMachine``.
///
/// ``handle(_:)`` never waits, so there is no state to look up again: a turn is a task of its own whose events come
/// back with the turn's number.
actor PipelineSession: VoiceSession {
  struct Parts: Sendable {
    let recognition: any RecognitionSession
    let model: any TextModel
    let synthesizer: any SpeechSynthesizer
  }

  /// Events that wait for the engine; it reads at once. Beyond, the oldest are dropped.
  static let maximumWaitingEvents = 1024

  nonisolated let hearingFormat: AudioFormat
  nonisolated let events: AsyncStream<VoiceEvent>

  private nonisolated let ear: PipelineEar
  private let conversation: ConversationRequest
  private let parts: Parts
  private let mouth: PipelineMouth
  private let deadlines: Deadlines
  private let voice: SynthesisRequest
  private let reports: AsyncStream<VoiceEvent>.Continuation
  private let sounds: AsyncStream<PipelineEar.Sound>

  private var machine: PipelineMachine
  private var turn: (id: TurnID, task: Task<Void, Never>)?
  private var listening: [Task<Void, Never>] = []
  private var alarm: Int?
  private var closing: Task<Void, Never>?

  init(
    _ conversation: ConversationRequest, _ parts: Parts, _ settings: PipelineSettings,
    _ mouth: PipelineMouth, _ deadlines: Deadlines
  ) {
    self.conversation = conversation
    self.parts = parts
    self.mouth = mouth
    self.deadlines = deadlines
    let agent = conversation.agent
    let model = parts.model
    machine = PipelineMachine(
      settings: settings, transcript: conversation.transcript, firstTurn: conversation.firstTurn,
      canHangUp: conversation.tools.contains { $0.name == Tool.hangUp },
      isComplete: { model.isComplete($0, for: agent) })
    voice = SynthesisRequest(
      text: "", voice: agent.voiceId, language: agent.language, preferredFormat: conversation.wireFormat,
      configuration: agent.synthesizer.configuration)
    hearingFormat = parts.recognition.hearingFormat
    (events, reports) = AsyncStream.makeStream(
      bufferingPolicy: .bufferingNewest(PipelineSession.maximumWaitingEvents))
    let (sounds, hear) = AsyncStream.makeStream(
      of: PipelineEar.Sound.self, bufferingPolicy: .bufferingNewest(64))
    self.sounds = sounds
    ear = PipelineEar(agent.turnDetection, settings.speech, parts.recognition) { hear.yield($0) }
  }

  /// Somebody forgot to close: nothing may go on.
  deinit {
    turn?.task.cancel()
    for task in listening { task.cancel() }
    if let alarm { deadlines.remove(alarm) }
    if closing == nil {
      let recognition = parts.recognition
      Task { await recognition.close() }
    }
  }

  /// Starts listening and makes the greeting.
  func prepare() {
    alarm = deadlines.add { [weak self] in
      guard let self else { return }
      Task { await self.handle(.tick) }
    }
    let (sounds, results) = (sounds, parts.recognition.events)
    listening = [
      Task { [weak self] in
        for await sound in sounds {
          switch sound {
          case .started(let number): await self?.handle(.speechStarted(number))
          case .ended(let number, let length):
            await self?.handle(.speechEnded(number, milliseconds: length))
          }
        }
      },
      Task { [weak self] in
        for await result in results { await self?.handle(.recognition(result)) }
        await self?.recognitionEnded()
      },
    ]
    handle(.prepare)
  }

  nonisolated func hear(_ audio: AudioFrame) { ear.hear(audio) }

  func send(_ command: VoiceCommand) async {
    if case .digit(let key) = command {
      handle(.digit(key, abandoned: ear.abandon()))
    } else {
      handle(.command(command))
    }
    if command == .close { await closing?.value }  // nothing of this conversation goes on then
  }

  private func handle(_ event: PipelineMachine.Event) {
    for action in machine.handle(event, at: deadlines.timebase.now()) { perform(action) }
    if let alarm { deadlines.move(alarm, to: machine.deadline) }
  }

  private func perform(_ action: PipelineMachine.Action) {
    switch action {
    case .report(let event): reports.yield(event)
    case .start(let id, let wish, let transcript): start(id, wish, transcript)
    case .cancel(let id):
      mouth.silence(id)
      if turn?.id == id { turn?.task.cancel() }
    case .open:
      mouth.open()
      ear.open()
    case .agentSpeaks(let speaks): ear.setAgentSpeaks(speaks)
    case .close: close()
    }
  }

  private func start(_ id: TurnID, _ wish: PipelineMachine.Wish, _ transcript: [TranscriptEntry]) {
    let source: PipelineTurn.Source =
      switch wish {
      case .speak(let text, let thenHangUp): .text(text, thenHangUp: thenHangUp)
      case .respond(let prompt):
        .model(
          TextRequest(
            agent: conversation.agent, prompt: prompt, transcript: transcript, tools: conversation.tools,
            turn: id, call: conversation.call, log: conversation.log))
      }
    mouth.begin(id)
    let work = PipelineTurn(
      id: id, source: source, model: parts.model, synthesizer: parts.synthesizer, voice: voice, mouth: mouth
    ) { [weak self] in await self?.handle(.turn(id, $0)) }
    turn = (id, Task { await work.run() })
  }

  /// A recogniser that ends without a word is gone.
  private func recognitionEnded() {
    handle(.recognition(.failed(VoiceFailure(.closed, "the recogniser ended"))))
  }

  private func close() {
    guard closing == nil else { return }
    mouth.shut()
    ear.shut()
    if let alarm { deadlines.remove(alarm) }
    turn?.task.cancel()
    reports.finish()
    for task in listening { task.cancel() }
    let (recognition, last) = (parts.recognition, turn?.task)
    closing = Task {
      await recognition.close()
      await last?.value
    }
  }
}
