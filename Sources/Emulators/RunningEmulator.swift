public import RouterCore

/// An emulator that serves on the loopback interface.
public final class RunningEmulator<Kind: Emulator>: Sendable {
  public let emulator: Kind
  public let report: EmulatorReport
  /// Where it listens.
  public let address: SocketAddress
  private let server: HTTPServer
  private let acting: Task<Void, any Error>
  private let clients: HTTPClients
  private let ownLoop: EventLoop?

  /// Starts one. Throws ``EmulatorError`` or, when the port is taken, `HTTPError`.
  ///
  /// - Parameters:
  ///   - options: As on the command line.
  ///   - port: 0 takes a free one.
  ///   - loop: Where to serve; without one it makes its own.
  ///   - synthesizer: Who speaks for emulators that have somebody ring up.
  ///   - tell: Hears every line of the report at once.
  public init(
    _ kind: Kind.Type = Kind.self, _ options: [(String, String)] = [], port: UInt16 = 0,
    on loop: EventLoop? = nil, synthesizer: (any SpeechSynthesizer)? = nil,
    tell: @escaping @Sendable (EmulatorReport.Line) -> Void = { _ in }
  ) async throws {
    let ownLoop = loop == nil ? EventLoop(name: "emulator") : nil
    guard let loop = loop ?? ownLoop else { preconditionFailure("one of both is there") }
    var settings = HTTPClientSettings()
    settings.authorities = options.last { $0.0 == "--authorities" }?.1
    let clients = HTTPClients(settings: settings)
    let report = EmulatorReport(tellsWire: options.contains { $0.0 == "--wire" }, tell)
    do {
      let host = EmulatorHost(
        report: report, loop: loop, http: clients.client(on: loop), synthesizer: synthesizer)
      let emulator = try Kind(EmulatorOptions(options), host)
      var settings = HTTPServerSettings()
      settings.address = SocketAddress(ip: "127.0.0.1", port: port)
      settings.maximumBodyBytes = 64 << 20  // audio and pictures in base 64
      let server = HTTPServer(on: loop, settings: settings) {
        report.wire($0)
        return await emulator.answer($0)
      }
      let address = try await server.start()
      self.emulator = emulator
      self.server = server
      self.address = address
      acting = Task {
        do { try await emulator.act(at: address) } catch is CancellationError {} catch {
          report.violation("the emulator stopped acting: \(error)")
        }
      }
    } catch {
      await clients.close()
      ownLoop?.stop()
      throw error
    }
    self.report = report
    self.clients = clients
    self.ownLoop = ownLoop
  }

  /// `http://127.0.0.1:PORT`; with `ws` the same for WebSockets.
  public func url(_ scheme: String = "http", _ path: String = "") -> String {
    "\(scheme)://\(address)\(path)"
  }

  /// Stops serving and ends every connection.
  public func close() async {
    acting.cancel()
    _ = await acting.result
    await server.close()
    await clients.close()
    if let ownLoop { Task.detached { ownLoop.stop() } }
  }
}
