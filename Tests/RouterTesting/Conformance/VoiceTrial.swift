internal import RouterCore

/// The steps of ``VoiceModelConformance``.
struct VoiceTrial {
  let model: any VoiceModel
  let agent: AgentConfiguration
  let expectations: VoiceModelConformance.Expectations
  let limit: Duration

  typealias Opened = (session: any VoiceSession, listener: VoiceListener)

  private func open(firstTurn: Int = 1, transcript: [TranscriptEntry] = []) async throws -> Opened {
    let listener = VoiceListener()
    let tools = [Tool(name: Tool.hangUp, description: "Ends the call.")]
    let request = ConversationRequest(
      call: .example(), agent: agent, tools: tools, transcript: transcript, firstTurn: TurnID(firstTurn),
      log: .silent)
    let session = try await bounded(limit, "opening") { [model] in
      try await model.open(request, speaker: listener)
    }
    listener.read(session)
    return (session, listener)
  }

  private func send(_ command: VoiceCommand, _ session: any VoiceSession) async throws {
    try await bounded(limit, "\(command)") { await session.send(command) }
  }

  /// Closes and checks what must always hold.
  private func close(_ opened: Opened, _ findings: inout Findings) async throws {
    try await send(.close, opened.session)
    let sounds = opened.listener.all.filter { if case .sound = $0 { true } else { false } }.count
    try await opened.listener.finished(within: limit)
    for command in [VoiceCommand.close, .begin, .say("late"), .digit("1")] {
      try await send(command, opened.session)
    }
    hear(opened.session, milliseconds: 400)
    let after = opened.listener.all.filter { if case .sound = $0 { true } else { false } }.count
    findings.expect(
      after == sounds, "a closed session is silent", "\(after - sounds) frames after it was closed")
    order(opened.listener, &findings)
  }

  /// Sound and words belong to turns that began, and turns have rising numbers.
  private func order(_ listener: VoiceListener, _ findings: inout Findings) {
    var begun: [TurnID] = []
    for happening in listener.all {
      switch happening {
      case .event(.turnStarted(let turn)):
        findings.expect(
          begun.last.map { $0 < turn } ?? true, "turns have rising numbers", "\(turn) after \(begun)")
        begun.append(turn)
      case .event(.turnEnded(let turn)), .event(.said(_, let turn, _)):
        findings.expect(
          begun.contains(turn), "what belongs to a turn follows its beginning", "\(turn), begun \(begun)")
      default: break
      }
    }
    for case .sound(let turn, _) in listener.all {
      findings.expect(begun.contains(turn), "sound belongs to a turn that began", "\(turn), begun \(begun)")
    }
  }

  private func hear(_ session: any VoiceSession, milliseconds: Int, silence: Int = 0) {
    for frame in AudioFrame.buzz(session.hearingFormat, milliseconds: milliseconds, silence: silence) {
      session.hear(frame)
    }
  }

  func beginning(_ findings: inout Findings) async throws {
    let opened = try await open(firstTurn: 41)
    let (session, listener) = opened
    findings.expect(
      [8000, 16000, 24000, 48000].contains(session.hearingFormat.sampleRate), "the format is a usual one",
      "\(session.hearingFormat)")
    hear(session, milliseconds: 200)
    findings.expect(listener.all.isEmpty, "nothing happens before the conversation begins", "\(listener.all)")
    try await send(.begin, session)
    try await listener.happenings.first(within: limit, "the first turn") {
      if case .event(.turnStarted) = $0 { true } else { false }
    }
    findings.expect(
      (listener.turns.first ?? TurnID(0)) >= TurnID(41), "turns begin at the number that is given",
      "\(listener.turns)")
    if expectations.greets {
      let turn = try await listener.ended(within: limit)
      findings.expect(listener.milliseconds(of: turn) > 0, "a greeting is heard", "no sound")
      findings.expect(!(listener.text(of: turn) ?? "").isEmpty, "a greeting has words", "no words")
    }
    let turns = listener.turns
    try await send(.begin, session)
    try await close(opened, &findings)  // all that was reported has been read by then
    findings.expect(listener.turns == turns, "a conversation begins once", "\(listener.turns)")
    findings.expect(listener.failure == nil, "nothing fails", "\(String(describing: listener.failure))")
  }

  func cutting(_ findings: inout Findings) async throws {
    guard expectations.greets else { return }
    let opened = try await open()
    let (session, listener) = opened
    try await send(.begin, session)
    let first = try await listener.happenings.first(within: limit, "the first sound") {
      if case .sound = $0 { true } else { false }
    }
    guard case .sound(let turn, _) = first else { return }
    try await send(.truncate(turn, playedMilliseconds: 20), session)
    let mark = listener.all.count
    try await send(.truncate(turn, playedMilliseconds: 20), session)
    try await send(.played(turn), session)
    hear(session, milliseconds: 0, silence: 300)
    try await listener.ended(turn, within: limit)
    let late = listener.milliseconds(of: turn, after: mark)
    findings.expect(late == 0, "a turn that is cut off is silent", "\(late) ms after it was cut off")
    try await close(opened, &findings)
  }

  func saying(_ findings: inout Findings) async throws {
    guard expectations.says else { return }
    let opened = try await open()
    let (session, listener) = opened
    try await send(.say("One moment please."), session)  // instead of a greeting
    let turn = try await listener.ended(within: limit)
    findings.expect(
      listener.text(of: turn)?.contains("moment") ?? false, "it says what it is told to say",
      listener.text(of: turn) ?? "nothing")
    findings.expect(listener.milliseconds(of: turn) > 0, "what it says is heard", "no sound")
    try await send(.played(turn), session)
    let mark = listener.all.count
    for text in OddTexts.all where text.count < 1000 { try await send(.say(text), session) }
    try await listener.ended(after: mark, within: limit)
    findings.expect(
      listener.failure == nil, "any text is only text", "\(String(describing: listener.failure))")
    try await close(opened, &findings)
  }

  func hearing(_ findings: inout Findings) async throws {
    let opened = try await open()
    let (session, listener) = opened
    try await send(.begin, session)
    if expectations.greets { try await send(.played(listener.ended(within: limit)), session) }
    for bytes in [[], [UInt8](repeating: 1, count: 3)] {
      session.hear(AudioFrame(session.hearingFormat, bytes: bytes))
    }
    hear(session, milliseconds: 0, silence: 1000)
    if expectations.hears {
      hear(session, milliseconds: 1500, silence: 1500)
      for event in [VoiceEvent.speechStarted, .speechEnded] {
        try await listener.happenings.first(within: limit, "\(event)") {
          if case .event(event) = $0 { true } else { false }
        }
      }
    } else {
      hear(session, milliseconds: 1500)
    }
    findings.expect(listener.failure == nil, "nothing fails", "\(String(describing: listener.failure))")
    try await close(opened, &findings)
  }

  func takingOver(_ findings: inout Findings) async throws {
    let opened = try await open(
      firstTurn: 7,
      transcript: [
        TranscriptEntry(.agent, .speech, "Hello.", at: 0, turn: TurnID(6)),
        TranscriptEntry(.caller, .speech, "When are you open?", at: 900, confidence: 0.9),
      ])
    let (session, listener) = opened
    try await send(.begin, session)
    if expectations.greets {
      let turn = try await listener.ended(within: limit)
      findings.expect(turn >= TurnID(7), "turns begin at the number that is given", "\(turn)")
      findings.expect(listener.milliseconds(of: turn) > 0, "who takes over is heard", "no sound")
    }
    try await close(opened, &findings)
  }

  func oddCommands(_ findings: inout Findings) async throws {
    let opened = try await open()
    let (session, listener) = opened
    let commands: [VoiceCommand] = [
      .digit("1"), .truncate(TurnID(99), playedMilliseconds: -1), .played(TurnID(99)), .held(false),
      .toolResult(ToolResult(callID: "unknown", output: nil)), .begin, .held(true), .held(true), .held(false),
      .digit("é"), .toolResult(ToolResult(callID: "", output: ["a": 1], isError: true)), .say(""),
      .truncate(TurnID(-5), playedMilliseconds: .max), .played(TurnID(.max - 1)),
    ]
    for command in commands { try await send(command, session) }
    findings.expect(
      listener.failure == nil, "commands out of place do no harm", "\(String(describing: listener.failure))")
    try await close(opened, &findings)
  }

  func closing(_ findings: inout Findings) async throws {
    try await close(try await open(), &findings)
    let early = try await open()
    try await send(.begin, early.session)
    try await close(early, &findings)
    let speaking = try await open()
    try await send(.begin, speaking.session)
    if expectations.hears {
      hear(speaking.session, milliseconds: 0, silence: 400)
      hear(speaking.session, milliseconds: 600)
    }
    try await close(speaking, &findings)
  }

  func concurrency(_ findings: inout Findings) async throws {
    let spoken = try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in 0..<6 {
        group.addTask {
          let (session, listener) = try await open(firstTurn: 100 * (number + 1))
          try await send(.begin, session)
          if expectations.greets { try await listener.ended(within: limit) }
          try await send(.close, session)
          try await listener.finished(within: limit)
          return listener.turns.allSatisfy { $0.number / 100 == number + 1 }
        }
      }
      return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
    findings.expect(spoken == 6, "conversations do not mix", "\(spoken) of 6 kept to themselves")
  }
}
