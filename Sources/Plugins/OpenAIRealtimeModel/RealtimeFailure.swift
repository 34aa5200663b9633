internal import RouterCore

extension VoiceFailure {
  /// The connection could not be made.
  init(_ error: HTTPError, _ endpoint: Endpoint) {
    let kind: Kind =
      switch error.kind {
      case .status(401), .status(403): .unauthorized
      case .status(429): .rateLimited
      case .status, .protocolError, .tooLarge, .invalidURL, .forbidden: .protocolError
      case .timedOut: .timedOut
      case .cancelled, .closed: .closed
      case .unresolved, .refused, .untrusted, .busy: .unreachable
      }
    self.init(kind, endpoint.clean(error.message))
  }
}
