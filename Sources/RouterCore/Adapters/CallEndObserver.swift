/// A voice or text model that is told how the calls ended that it took part in.
public protocol CallEndObserver: Sendable {
  /// A call is over in which this agent spoke. Must return at once; what takes time goes on by itself.
  func callEnded(_ record: CallRecord, agent: AgentConfiguration)
}
