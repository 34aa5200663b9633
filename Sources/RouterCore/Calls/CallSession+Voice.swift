/// One voice session of a call: what is needed to talk to it and to be rid of it.
final class VoiceLine {
  /// Commands that wait for a session that does not take them; one more and it counts as failed.
  static let maximumWaiting = 256

  let agent: AgentConfiguration
  var session: (any VoiceSession)?
  /// In its place: a session that never waits.
  var inline: (any InlineVoiceSession)?
  /// Opens the session and reads its events.
  var reading: Task<Void, Never>?
  var commands: [VoiceCommand] = []
  /// Whether a task is giving it the commands, in order.
  var isSending = false
  var isClosing = false

  init(_ agent: AgentConfiguration) { self.agent = agent }

  /// What it wants to hear, and how it is given to it; `nil` before it is open.
  var ear: (format: AudioFormat, hear: @Sendable (AudioFrame) -> Void)? {
    if let inline { return (inline.hearingFormat, { inline.hear($0) }) }
    return session.map { session in (session.hearingFormat, { session.hear($0) }) }
  }
}

extension CallSession {
  func open(_ attempt: Int, _ agent: AgentConfiguration) {
    guard let model = surroundings.models[agent.providerType] else { return }  // the machine has asked before
    let line = VoiceLine(agent)
    voices[attempt] = line
    if agent.functions.isEmpty, !remembers(agent) {
      setBench(ToolBench(for: agent))
      return open(attempt, line, model, agent)
    }
    line.reading = Task {
      async let memory = recall(for: agent)
      do {
        try await openTools(for: agent)
      } catch {
        return openFailed(
          attempt, (error as? VoiceFailure) ?? VoiceFailure(.protocolError, "\(type(of: error))"))
      }
      let remembered = await memory
      if line.isClosing { return openFailed(attempt, VoiceFailure(.closed, "given up")) }
      var agent = agent
      agent.add(instructions: tools.bench.instructions)
      agent.add(instructions: remembered.instructions)
      open(attempt, line, model, agent, remembered)
    }
  }

  private func open(
    _ attempt: Int, _ line: VoiceLine, _ model: any VoiceModel, _ agent: AgentConfiguration,
    _ memory: [RememberedConversation] = []
  ) {
    // Where nobody has said anything yet, there is nothing to take over: the agent greets.
    let transcript =
      machine.hasWords ? (sheet.transcript + machine.turns.openLines.map(machine.entry)).inOrder : []
    var request = ConversationRequest(
      call: sheet.call, agent: agent, wireFormat: media?.wireFormat ?? leg.expectedFormat,
      tools: tools.bench.tools, transcript: transcript, firstTurn: machine.turns.nextFree, log: log,
      executor: leg.mediaExecutor)
    request.memory = memory
    let gate = SpeakerGate(mouth: mouth, attempt: attempt)
    if let model = model as? any InlineVoiceModel { return open(attempt, line, model, request, gate) }
    line.reading = Task {
      do {
        let session = try await model.open(request, speaker: gate)
        opened(session, attempt)
        for await event in session.events { handle(.voice(attempt: attempt, event)) }
        handle(.voiceFinished(attempt: attempt))
      } catch let failure as VoiceFailure {
        openFailed(attempt, failure)
      } catch is CancellationError {
        openFailed(attempt, VoiceFailure(.closed, "given up"))
      } catch {
        // Only what kind of error it is: its words are foreign and may hold a secret.
        openFailed(attempt, VoiceFailure(.protocolError, "\(type(of: error))"))
      }
    }
  }

  /// Opens a session that is there at once.
  private func open(
    _ attempt: Int, _ line: VoiceLine, _ model: any InlineVoiceModel, _ request: ConversationRequest,
    _ gate: SpeakerGate
  ) {
    do throws(VoiceFailure) {
      line.inline = try model.openInline(request, speaker: gate) { [weak self] event in
        self?.post(event.map { .voice(attempt: attempt, $0) } ?? .voiceFinished(attempt: attempt))
      }
      handle(.opened(attempt: attempt))
    } catch {
      openFailed(attempt, error)
    }
  }

  private func opened(_ session: any VoiceSession, _ attempt: Int) {
    guard let line = voices[attempt] else { return }
    line.session = session
    if line.isClosing { startSending(line, attempt) } else { handle(.opened(attempt: attempt)) }
  }

  private func openFailed(_ attempt: Int, _ failure: VoiceFailure) {
    if voices[attempt]?.isClosing == false { handle(.openFailed(attempt: attempt, failure)) }
    forget(attempt)
  }

  func attach(_ attempt: Int) {
    guard let media else { return }
    mouth.open(for: attempt, to: media)
    if let agent = voices[attempt]?.agent { speakers.append(agent) }
    listen(attempt, muted: false)
  }

  /// Lets the session hear the caller, or silence in the same beat, for those that measure time by frames.
  func listen(_ attempt: Int, muted: Bool) {
    guard let media, let ear = voices[attempt]?.ear else { return }
    if muted {
      let silence = AudioFrame.silence(ear.format)
      media.hear(as: ear.format) { _ in ear.hear(silence) }
    } else {
      media.hear(as: ear.format, ear.hear)
    }
  }

  /// Queues a command; they are given in order, by one task that lives while there are some.
  func send(_ command: VoiceCommand, to attempt: Int) {
    guard let line = voices[attempt], !line.isClosing else { return }
    guard line.commands.count < VoiceLine.maximumWaiting else {
      let text = "\(VoiceLine.maximumWaiting) commands wait for it"
      return handle(.voice(attempt: attempt, .failed(VoiceFailure(.protocolError, text))))
    }
    line.commands.append(command)
    startSending(line, attempt)
  }

  private func startSending(_ line: VoiceLine, _ attempt: Int) {
    if let inline = line.inline {
      while !line.commands.isEmpty { inline.take(line.commands.removeFirst()) }
      if line.isClosing { forget(attempt) }
      return
    }
    guard !line.isSending, let session = line.session else { return }
    line.isSending = true
    Task {
      while !line.commands.isEmpty { await session.send(line.commands.removeFirst()) }
      line.isSending = false
      if line.isClosing { forget(attempt) }
    }
  }

  /// Shuts the session's mouth at once and tells it to close; one that is still being opened is told when it is open.
  func close(_ attempt: Int) {
    guard let line = voices[attempt], !line.isClosing else { return }
    mouth.shut(attempt)
    line.isClosing = true
    line.reading?.cancel()
    line.commands = [.close]
    if let ear = line.ear { media?.hear(as: ear.format) { _ in } }
    startSending(line, attempt)
  }

  func closeVoices() { for attempt in voices.keys { close(attempt) } }

  private func forget(_ attempt: Int) {
    voices[attempt] = nil
    closedOneSide()
  }
}

extension AudioFrame {
  /// 20 ms of silence.
  static func silence(_ format: AudioFormat) -> AudioFrame {
    let quiet: UInt8 =
      switch format.encoding {
      case .linear16: 0
      case .muLaw: 0xFF  // G.711: plus zero
      case .aLaw: 0xD5
      }
    let count = format.sampleRate / 50 * format.bytesPerSample
    return AudioFrame(format, bytes: [UInt8](repeating: quiet, count: count))
  }
}
