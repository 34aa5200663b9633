/// A voice model that never waits: its sessions are there at once, and take a command at once.
///
/// For what answers by itself (an echo, a recording, a tone): the engine then calls it on the call's own event loop,
/// without a task or a change of threads. Nothing here may block or compute for long.
public protocol InlineVoiceModel: VoiceModel {
  /// ``VoiceModel/open(_:speaker:)`` without waiting. Throws ``VoiceFailure``.
  func openInline(
    _ conversation: ConversationRequest, speaker: any Speaker
  ) throws(VoiceFailure) -> any InlineVoiceSession
}

/// A session of an ``InlineVoiceModel``.
public protocol InlineVoiceSession: VoiceSession {
  /// ``VoiceSession/send(_:)`` without waiting.
  func take(_ command: VoiceCommand)
}

extension InlineVoiceModel {
  public func open(
    _ conversation: ConversationRequest, speaker: any Speaker
  ) async throws -> any VoiceSession { try openInline(conversation, speaker: speaker) }
}

extension InlineVoiceSession {
  public func send(_ command: VoiceCommand) async { take(command) }
}
