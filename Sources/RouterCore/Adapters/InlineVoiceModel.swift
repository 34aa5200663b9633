/// A voice model that never waits: its sessions are there at once, take a command at once, and report at once.
///
/// For what answers by itself (an echo, a recording, a tone): the engine then calls it on the call's own event loop,
/// without a task or a change of threads. Nothing here may block or compute for long.
public protocol InlineVoiceModel: VoiceModel {
  /// ``VoiceModel/open(_:speaker:)`` without waiting. Throws ``VoiceFailure``.
  /// - Parameter report: Takes what happens in the place of ``VoiceSession/events``, from any thread; `nil` when nothing
  ///   follows.
  func openInline(
    _ conversation: ConversationRequest, speaker: any Speaker,
    report: @escaping @Sendable (VoiceEvent?) -> Void
  ) throws(VoiceFailure) -> any InlineVoiceSession
}

/// A session of an ``InlineVoiceModel``.
public protocol InlineVoiceSession: Sendable {
  /// ``VoiceSession/hearingFormat``.
  var hearingFormat: AudioFormat { get }
  /// ``VoiceSession/hear(_:)``.
  func hear(_ audio: AudioFrame)
  /// ``VoiceSession/send(_:)`` without waiting.
  func take(_ command: VoiceCommand)
}

extension InlineVoiceModel {
  /// The same for whoever knows nothing of inline models.
  public func open(
    _ conversation: ConversationRequest, speaker: any Speaker
  ) async throws -> any VoiceSession {
    let (events, report) = AsyncStream.makeStream(
      of: VoiceEvent.self, bufferingPolicy: .bufferingNewest(StreamedSession.maximumWaitingEvents))
    let session = try openInline(conversation, speaker: speaker) { event in
      if let event { report.yield(event) } else { report.finish() }
    }
    return StreamedSession(session: session, events: events)
  }
}

/// An inline session behind the interface of the others.
private struct StreamedSession: VoiceSession {
  /// More events than this never wait for a reader that reads.
  static let maximumWaitingEvents = 256

  let session: any InlineVoiceSession
  let events: AsyncStream<VoiceEvent>
  var hearingFormat: AudioFormat { session.hearingFormat }
  func hear(_ audio: AudioFrame) { session.hear(audio) }
  func send(_ command: VoiceCommand) async { session.take(command) }
}
