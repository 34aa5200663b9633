/// One ``HTTPClient`` for each event loop that asks for one, made at the first question.
///
/// A socket that carries a call's sound belongs on the call's own loop: its frames then need no change of threads.
public final class HTTPClients: Sendable {
  private struct State {
    var clients: [ObjectIdentifier: HTTPClient] = [:]
    var isClosed = false
  }

  private let state = Lock(State())
  private let settings: HTTPClientSettings

  /// None yet; all that are made get the same settings.
  public init(settings: HTTPClientSettings = .init()) { self.settings = settings }

  /// The client of a loop. After ``close()`` it is one that refuses every exchange.
  public func client(on loop: EventLoop) -> HTTPClient {
    let (client, isClosed) = state.withLock { state in
      let client = state.clients[ObjectIdentifier(loop)] ?? HTTPClient(on: loop, settings: settings)
      state.clients[ObjectIdentifier(loop)] = client
      return (client, state.isClosed)
    }
    if isClosed { Task { await client.close() } }
    return client
  }

  /// Ends all exchanges and connections, while the loops still run.
  public func close() async {
    let clients = state.withLock { state in
      state.isClosed = true
      return state.clients.values
    }
    for client in clients { await client.close() }
  }
}
