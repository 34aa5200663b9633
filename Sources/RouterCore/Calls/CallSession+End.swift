internal import FoundationEssentials

/// The end of a call: both sides are closed, then its record is made.
extension CallSession {
  /// The machine has ended the call: tells the caller's side and the sessions, and waits for both within a limit.
  func close(_ end: CallEnd) {
    ending = (end, date(at: now))
    isLegClosed = machine.isLegOver
    closeVoices()
    closeTools()
    if !isLegClosed { tellLeg(end) }
    awaitMedia()
    closedOneSide()
    if ending != nil { deadlines.move(deadline, to: now + .seconds(surroundings.settings.hangUpSeconds)) }
  }

  private func tellLeg(_ end: CallEnd) {
    let wasAnswered = machine.answeredAt != nil
    if let inline {
      if wasAnswered { inline.hangUpInline(end) } else { inline.rejectInline(end, headers: headers) }
      isLegClosed = true
      return
    }
    Task {
      if wasAnswered { await leg.hangUp(end) } else { await leg.reject(end, headers: headers) }
      isLegClosed = true
      closedOneSide()
    }
  }

  /// The record has the figures of the whole call, which the media's own loop may still be adding up.
  private func awaitMedia() {
    guard let media, !media.isConcluded else { return }
    Task {
      await media.concluded()
      closedOneSide()
    }
  }

  /// Both sides may be closed now.
  func closedOneSide() {
    let isCounted = media?.isConcluded ?? true
    if ending != nil && isLegClosed && isCounted && voices.isEmpty && tools.isClosed { depart() }
  }

  /// Lets go of everything and hands the record over, once.
  func depart() {
    guard let (end, endedAt) = ending, let over else { return }
    ending = nil
    self.over = nil
    deadlines.remove(deadline)
    listening?.cancel()
    if let place { surroundings.admission.leave(place) }
    live.remove(sheet)
    let record = record(end, endedAt)
    surroundings.countEnded(end.reason)
    live.tell(.ended(record))
    log.info(
      "ended: \(end.reason.rawValue)", ("status", "\(end.sipStatus)"), ("q850", "\(end.q850)"),
      ("text", end.text))
    for agent in speakers {
      (surroundings.models[agent.providerType] as? any CallEndObserver)?.callEnded(record, agent: agent)
    }
    remember(record) { over(record) }
  }

  private func record(_ end: CallEnd, _ endedAt: Date) -> CallRecord {
    var record = CallRecord(
      call: sheet.call, answeredAt: machine.answeredAt.map(date), endedAt: endedAt, end: end,
      transcript: sheet.transcript.inOrder, audio: media?.statistics())
    record.agent = sheet.agent
    record.attempts = attempts
    record.timings = timings
    guard let decision else { return record }
    record.decisionID = decision.id
    record.route = decision.route
    record.snapshotVersion = decision.snapshotVersion
    record.fromNumber = decision.fromNumber
    record.toNumber = decision.toNumber
    record.decision = decision.written(limitReached)
    return record
  }
}

extension RouteDecision {
  /// As a record keeps it.
  /// - Parameter limitReached: Why the first target was not tried.
  fileprivate func written(_ limitReached: String?) -> WrittenJSON {
    var writer = JSONWriter(capacity: 1024)
    writer.object {
      $0.member("summary", summary)
      if let location { $0.member("location", location) } else { $0.member("location", .null) }
      if let limitReached { $0.member("limitReached", limitReached) }
      $0.name("trace")
      writeTrace(&$0)
    }
    return WrittenJSON(writer)
  }
}

extension [TranscriptEntry] {
  /// As it was begun: an agent's line is written when it was heard, after what the caller did meanwhile.
  var inOrder: [TranscriptEntry] { sorted { $0.at < $1.at } }
}
