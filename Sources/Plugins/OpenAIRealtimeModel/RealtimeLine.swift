internal import RouterCore

/// One socket of a conversation, and how far its session has come.
final class RealtimeLine {
  let socket: WebSocket
  var setup = SessionSetup()
  /// When the session ends by itself, in Unix seconds; or why there is none.
  let ready = OneShot<Result<Double?, VoiceFailure>>()
  var isReady = false

  init(_ socket: WebSocket) { self.socket = socket }
}
