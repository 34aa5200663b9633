/// The HTTP clients of a process: one for each event loop that asks, made at the first question.
///
/// A socket that carries a call's sound belongs on the call's own loop: its frames then need no change of threads.
public final class HTTPClients: Sendable {
  private struct Key: Hashable {
    var loop: ObjectIdentifier
    var isForCalls: Bool
  }

  private struct State {
    var clients: [Key: HTTPClient] = [:]
    var isClosed = false
  }

  /// Connections for calls on one loop: each call has one or two, all to the same host.
  public static let maximumCallConnections = 8000

  private let state = Lock(State())
  private let settings: HTTPClientSettings

  /// None yet; all that are made get the same settings.
  public init(settings: HTTPClientSettings = .init()) { self.settings = settings }

  /// The client for exchanges that belong to no call's sound, with the usual limits for one host.
  public func client(on loop: EventLoop) -> HTTPClient {
    client(Key(loop: ObjectIdentifier(loop), isForCalls: false), loop, settings)
  }

  /// The client for connections that calls hold for their whole length.
  public func callClient(on loop: EventLoop) -> HTTPClient {
    var settings = settings
    settings.maximumExchanges = HTTPClients.maximumCallConnections
    settings.maximumConnections = HTTPClients.maximumCallConnections
    settings.maximumConnectionsPerHost = HTTPClients.maximumCallConnections
    return client(Key(loop: ObjectIdentifier(loop), isForCalls: true), loop, settings)
  }

  /// After ``close()`` it is one that refuses every exchange.
  private func client(_ key: Key, _ loop: EventLoop, _ settings: HTTPClientSettings) -> HTTPClient {
    let (client, isClosed) = state.withLock { state in
      let client = state.clients[key] ?? HTTPClient(on: loop, settings: settings)
      state.clients[key] = client
      return (client, state.isClosed)
    }
    if isClosed { Task { await client.close() } }
    return client
  }

  /// Ends all exchanges and connections, while the loops still run.
  public func close() async {
    let clients = state.withLock { state in
      state.isClosed = true
      return Array(state.clients.values)
    }
    for client in clients { await client.close() }
  }
}
