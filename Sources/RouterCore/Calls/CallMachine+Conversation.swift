/// What the agent and the caller say to each other, tools, and the watchdogs.
extension CallMachine {
  mutating func handle(_ event: VoiceEvent, of attempt: Int, at now: Duration) -> [CallAction] {
    switch event {
    case .speechStarted:
      guard case .talking = phase else { return [] }  // last words are not cut off
      deadAir.release()
      utteranceBegan = now
      return perform(turns.speechStarted(at: now), at: now)
    case .callerBegan(let ago):
      utteranceBegan = now - .milliseconds(max(0, min(ago, 600_000)))
      return []
    case .callerStopped(let ago):
      latency.callerStopped(at: now - .milliseconds(max(0, min(ago, 60_000))))
      return []
    case .speechEnded:
      latency.turnDetected(at: now)
      deadAir.expect(.caller, at: now, sound)
      return []
    case .turnStarted(let turn):
      latency.began(turn)
      return perform(turns.started(turn, at: now), at: now)
    case .firstToken(let turn):
      latency.reach(.firstToken, of: turn, at: now)
      return worked(.model)
    case .turnEnded(let turn):
      deadAir.turnEnded()
      return perform(turns.ended(turn), at: now) + departIfQuiet(at: now)
    case .heard(let text, let confidence, let isFinal): return heard(text, confidence, isFinal, at: now)
    case .said(let text, let turn, let isFinal):
      latency.reach(.firstToken, of: turn, at: now)
      return perform(turns.said(text, turn, isFinal: isFinal, at: now), at: now) + partial(turn)
    case .summary(let text): return [.summary(text)]
    case .trouble(let text):
      let words = "agent \(agent?.name ?? ""): \(agent?.withoutSecrets(text) ?? text)"
      return [.log(.warning, words), line(.system, .note, words, at: now)]
    case .toolCall(let call):
      latency.reach(.firstToken, of: call.turn, at: now)
      return use(call, attempt: attempt, at: now)
    case .failed(let failure): return failOver(attempt, failure, at: now)
    }
  }

  /// Turns what the turns ask for into actions on the attached session.
  mutating func perform(_ actions: [TurnMachine.Action], at now: Duration) -> [CallAction] {
    actions.flatMap { action -> [CallAction] in
      switch action {
      case .endTurn(let turn): return [.endTurn(turn)]
      case .flush: return [.flush]
      case .line(let line): return [.transcript(entry(line))]
      case .truncate(let turn, let played):
        let interrupted = CallAction.interrupted(turn, at: milliseconds(now), playedMilliseconds: played)
        return (attached.map { [.send(attempt: $0, .truncate(turn, playedMilliseconds: played))] } ?? [])
          + (played > 0 ? [interrupted] : [])
      case .played(let turn): return attached.map { [.send(attempt: $0, .played(turn))] } ?? []
      }
    }
  }

  // MARK: Tools

  private mutating func use(_ call: ToolCall, attempt: Int, at now: Duration) -> [CallAction] {
    guard tools[call.id] == nil else { return [] }
    let actions = [line(.agent, .toolCall, "\(call.name) \(call.arguments.text)", at: now)]
    switch call.name {
    case Tool.hangUp:
      guard case .talking = phase else { return actions }
      leave(attempt, .hangUp(CallEnd(.agentHungUp, text: "the agent ended the call")), at: now)
      return actions + departIfQuiet(at: now)
    case Tool.handOver:
      guard case .talking = phase else { return actions }
      guard let target = agent?.humanHandoff.transferExtension, agent?.humanHandoff.enabled == true else {
        return actions + refuse(call, "there is nobody to hand over to", attempt: attempt, at: now)
      }
      leave(attempt, .transfer(call, TransferRequest(target: target)), at: now)
      return actions + departIfQuiet(at: now)
    default:
      guard tools.count < settings.maximumTools else {
        return actions
          + refuse(call, "too many tools at once (\(settings.maximumTools))", attempt: attempt, at: now)
      }
      tools[call.id] = call
      timers.set(.tool(call.id), at: now + .seconds(seconds(of: call)))
      timers.clear(.silentTurn)
      if tools.count == 1, settings.fillerMilliseconds > 0 {
        timers.set(.filler, at: now + .milliseconds(settings.fillerMilliseconds))
      }
      return actions + [.runTool(attempt: attempt, call)]
    }
  }

  private func seconds(of call: ToolCall) -> Int { toolSeconds[call.name] ?? settings.toolSeconds }

  /// A tool takes its time: the caller hears that somebody is at it, unless the agent speaks anyway.
  private mutating func fill() -> [CallAction] {
    guard case .talking(let attempt) = phase, !tools.isEmpty, turns.isQuiet, !isHeld else { return [] }
    let words = settings.fillerWords(for: agent?.language)
    guard !words.isEmpty else { return [] }
    defer { fillers += 1 }
    return [.send(attempt: attempt, .say(words[fillers % words.count]))]
  }

  private func refuse(_ call: ToolCall, _ text: String, attempt: Int, at now: Duration) -> [CallAction] {
    give(ToolResult(callID: call.id, output: .string(text), isError: true), attempt: attempt, at: now)
  }

  private func give(_ result: ToolResult, attempt: Int, at now: Duration) -> [CallAction] {
    [
      line(.system, .toolResult, (result.isError ? "failed: " : "") + result.output.text, at: now),
      .send(attempt: attempt, .toolResult(result)),
    ]
  }

  mutating func toolFinished(_ attempt: Int, _ result: ToolResult, at now: Duration) -> [CallAction] {
    guard attached == attempt, tools.removeValue(forKey: result.callID) != nil else { return [] }
    timers.clear(.tool(result.callID))
    if tools.isEmpty {
      timers.clear(.filler)
      deadAir.expect(.tool, at: now, sound)
    }
    return give(result, attempt: attempt, at: now)
  }

  // MARK: Leaving

  private mutating func leave(_ attempt: Int, _ departure: Departure, at now: Duration) {
    phase = .leaving(attempt: attempt, departure)
    timers.clear(.silentTurn)
    timers.set(.goodbye, at: now + .seconds(settings.goodbyeSeconds))
  }

  /// Goes, once the last words were played.
  mutating func departIfQuiet(at now: Duration) -> [CallAction] {
    switch phase {
    case .leaving, .parting: turns.isQuiet ? depart(at: now) : []
    default: []
    }
  }

  mutating func depart(at now: Duration) -> [CallAction] {
    let departure: Departure
    switch phase {
    case .leaving(_, let asked), .parting(let asked): departure = asked
    default: return []
    }
    let session = attached
    timers.clear(.goodbye)
    switch departure {
    case .hangUp(let end): return finish(end)
    case .transfer(let tool, let request):
      return startTransfer(request, tool: tool, attempt: session, at: now)
    }
  }

  /// - Parameters:
  ///   - tool: The tool call that asked for it and wants an answer; `nil` for a transfer that is the route's target.
  ///   - attempt: The session that takes the caller back if it fails.
  mutating func startTransfer(
    _ request: TransferRequest, tool: ToolCall?, attempt: Int?, at now: Duration
  ) -> [CallAction] {
    transfers += 1
    phase = .transferring(id: transfers, attempt: attempt, tool: tool, hungUp: nil)
    timers.clear(.noAgent)
    timers.clear(.switchWord)
    timers.set(
      .transfer, at: now + .seconds(max(1, request.timeout) + CallMachine.transferGraceSeconds))
    var actions = [line(.system, .transfer, "handing over to \(request.target)", at: now)]
    if let attempt { actions.append(.mute(attempt: attempt, true)) }
    return actions + [.transfer(id: transfers, request)]
  }

  mutating func transferEnded(_ id: Int, _ outcome: TransferOutcome, at now: Duration) -> [CallAction] {
    guard case .transferring(id, let attempt, let tool, let hungUp) = phase else { return [] }
    timers.clear(.transfer)
    let text: String
    switch outcome {
    case .completed:
      let done = line(.system, .transfer, "handed over", at: now)
      return [done] + finish(CallEnd(.transferred, text: "handed over"))
    case .callerHungUp:
      return finish(hungUp ?? CallEnd(.callerHungUp, text: "the caller hung up during the transfer"))
    case .refused(let status, let reason): text = "the transfer was refused: \(status) \(reason)"
    case .failed(let status, let reason): text = "the transfer failed: \(status) \(reason)"
    case .timedOut: text = "nobody answered the transfer in time"
    case .unsupported: text = "this channel cannot transfer"
    }
    let actions = [line(.system, .transfer, text, at: now), .log(.warning, text)]
    if let hungUp { return actions + finish(hungUp) }
    guard let attempt else {
      lastFailure = CallEnd(.agentUnavailable, text: text)
      timers.set(.noAgent, at: now + .seconds(settings.noAgentSeconds))
      return actions + tryNext(at: now)
    }
    phase = .talking(attempt: attempt)
    deadAir.expect(.tool, at: now, sound)
    var back = actions + [CallAction.mute(attempt: attempt, false)]
    if let tool { back += refuse(tool, text, attempt: attempt, at: now) }
    return back
  }

  // MARK: Deadlines

  mutating func tick(at now: Duration) -> [CallAction] {
    var actions: [CallAction] = []
    while !isOver, let timer = timers.popDue(at: now) {
      actions += fire(timer, at: now)
    }
    return actions
  }

  private mutating func fire(_ timer: TimerSet.Timer, at now: Duration) -> [CallAction] {
    switch timer {
    case .ring: return [.ring]
    case .open:
      guard case .opening(let attempt) = phase else { return [] }
      return failOver(
        attempt, VoiceFailure(.timedOut, "not ready within \(DeadAir.words(openLimit))"), at: now)
    case .ringing:
      return finish(CallEnd(.noAnswer, text: "no agent was ready within \(settings.ringSeconds) s"))
    case .answer: return finish(CallEnd(.notAcknowledged, text: "the answer was not confirmed"))
    case .noAgent:
      let text = "no agent for \(settings.noAgentSeconds) s; \(lastFailure.text)"
      return finish(
        CallEnd(.agentUnavailable, text: text, sipStatus: 200, q850: CallEnd.cause(ofStatus: 500)))
    case .maximumDuration: return finish(CallEnd(.maximumDuration, text: "the longest a call may last"))
    case .goodbye: return depart(at: now)
    case .silentTurn: return []  // every event ends with a look at it
    case .switchWord: return announce(.moment, at: now)
    case .keys: return []  // they are written now
    case .filler: return fill()
    case .transfer:
      guard case .transferring(let id, _, _, let hungUp) = phase else { return [] }
      return transferEnded(id, hungUp == nil ? .timedOut : .callerHungUp, at: now)
    case .tool(let id):
      guard let attempt = attached, let call = tools[id] else { return [] }
      // The first words are those that the REST contract promises to models.
      let text = "Failed to fetch information: no result within \(seconds(of: call)) s"
      return [.cancelTool(id: id), .toolTimedOut(id: id)]
        + toolFinished(attempt, ToolResult(callID: id, output: .string(text), isError: true), at: now)
    }
  }
}
