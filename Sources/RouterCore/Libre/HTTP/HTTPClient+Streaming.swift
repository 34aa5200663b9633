extension HTTPClient: HTTPStreaming {
  public func stream(
    _ request: HTTPRequest, limits: HTTPStreamLimits
  ) async throws(HTTPError) -> HTTPStream {
    let exchange = try begin(request, .stream)
    let timer = LoopTimer()
    timer.start(after: limits.head) { [head = exchange.head, host = exchange.host] in
      head.resolve(.failure(HTTPError(.timedOut, "\(host): no answer within \(limits.head)")))
    }
    let result = await exchange.head.value(cancelled: .failure(HTTPError(.cancelled, "cancelled")))
    timer.cancel()
    switch result {
    case .success(let head):
      let source = HTTPBodyReader(self, exchange, idle: limits.idle)
      return HTTPStream(status: head.status, headers: head.headers, body: HTTPBody(source))
    case .failure(let error):
      remove(exchange)
      throw error
    }
  }

  /// The next piece of an exchange's body.
  fileprivate func next(
    of exchange: HTTPExchange, within limit: Duration
  ) async throws(HTTPError) -> [UInt8]? {
    while true {
      if Task.isCancelled { abandon(exchange, HTTPError(.cancelled, "cancelled")) }
      if let end = exchange.body.end, exchange.body.isEmpty || Task.isCancelled {
        remove(exchange)
        try end.get()
        return nil
      }
      if let piece = exchange.body.take() {
        exchange.resume()
        return piece
      }
      let waiter = exchange.body.wait()
      let timer = LoopTimer()
      timer.start(after: limit) { waiter.resolve(.late) }
      let wake = await waiter.value(cancelled: .cancelled)
      timer.cancel()
      switch wake {
      case .ready: continue
      case .late:
        abandon(exchange, HTTPError(.timedOut, "\(exchange.host): nothing came within \(limit)"))
      case .cancelled: abandon(exchange, HTTPError(.cancelled, "cancelled"))
      }
    }
  }

  /// Ends an exchange whose body nobody wants any more: the connection is closed at once.
  fileprivate func abandon(_ exchange: HTTPExchange, _ error: HTTPError) {
    remove(exchange)
    _ = exchange.body.take()
    exchange.body.finish(.failure(error))
  }
}

/// Reads the body of one exchange; its end is the end of the exchange.
private final class HTTPBodyReader: HTTPBodySource {
  private let client: HTTPClient
  private let exchange: HTTPExchange
  private let idle: Duration

  init(_ client: HTTPClient, _ exchange: HTTPExchange, idle: Duration) {
    self.client = client
    self.exchange = exchange
    self.idle = idle
  }

  deinit {
    Task { [client, exchange] in
      await client.abandon(exchange, HTTPError(.cancelled, "nobody reads the body"))
    }
  }

  func next(within limit: Duration?) async throws(HTTPError) -> [UInt8]? {
    try await client.next(of: exchange, within: min(limit ?? idle, idle))
  }
}
