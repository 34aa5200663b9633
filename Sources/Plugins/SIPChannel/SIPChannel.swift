public import RouterCore

/// Calls over SIP: from trunks, which are known by their address or by digest.
///
/// ``Reception`` decides at the door who comes in, ``SIPLeg`` is one call; SIP itself (transactions, dialogs,
/// transports) and RTP are `RouterCore`'s.
public final class SIPChannel: ChannelAdapter {
  public static let name = "sip"
  public static let capabilities = ChannelCapabilities(
    transfer: true, digits: true, sendsDigits: true, rejectReasons: true)

  private let configuration: Configuration
  private let host: PluginHost
  private let opened = OpenedAddresses()

  public init(_ configuration: Configuration, _ host: PluginHost) async throws {
    self.configuration = configuration
    self.host = host
  }

  /// Certificates matter where there is a listener for TLS.
  public static func obstacles(to configuration: Configuration) -> [SettingObstacle] {
    guard let file = configuration.certificate, configuration.listen.contains(where: { $0.transport == .tls })
    else { return [] }
    return CertificateFiles(certificate: file, key: configuration.privateKey).obstacles()
  }

  /// The addresses that are served, one for each entry of `listen:`; waits until they are. Empty when they could not
  /// be opened.
  public func listening() async -> [SocketAddress] { await opened.addresses() }

  public func ready() async -> [String] {
    zip(await listening(), configuration.listen).map { "\($1.transport.rawValue):\($0)" }
  }

  public func run(_ calls: CallIntake) async throws {
    let log = host.log.labelled(SIPChannel.name)
    let settings = endpointSettings(configuration)
    let endpoint = SIPEndpoint(loop: host.loops.signalling, settings: settings, log: log)
    let reception = Reception(configuration, host, calls)
    do {
      let addresses = try await endpoint.listen(reception.handlers)
      for (address, entry) in zip(addresses, configuration.listen) {
        log.notice("listening", ("on", "\(entry.transport.rawValue):\(address)"))
      }
      opened.set(addresses)
    } catch {
      opened.set([])
      throw error
    }
    // Calls need no task: they live on the loop that they came in on.
    await OneShot<Void>().value(cancelled: ())
    await reception.close()
    await endpoint.close()
  }
}

/// What the SIP stack is told.
private func endpointSettings(_ configuration: SIPChannel.Configuration) -> SIPSettings {
  var settings = SIPSettings(
    listeners: configuration.listen.map { listen in
      SIPSettings.Listener(
        listen.transport, address: listen.host, port: listen.port, advertise: configuration.advertise,
        certificateFile: configuration.certificate, keyFile: configuration.privateKey)
    })
  settings.product = configuration.userAgent
  settings.limits.messageBytes = configuration.limits.messageBytes
  settings.limits.connections = configuration.limits.connections
  settings.limits.connectionsPerAddress = configuration.limits.connectionsPerAddress
  settings.limits.invitesPerSecond = configuration.limits.invitesPerSecondPerAddress
  settings.limits.delay = .milliseconds(configuration.limits.delayMilliseconds)
  settings.sessionTimer.interval = configuration.sessionTimers.expires
  settings.sessionTimer.minimum = configuration.sessionTimers.minimum
  return settings
}

/// The addresses of the listeners, for whoever waits for them.
private final class OpenedAddresses: Sendable {
  private enum State {
    case pending([CheckedContinuation<[SocketAddress], Never>])
    case open([SocketAddress])
  }

  private let state = Lock(State.pending([]))

  func set(_ addresses: [SocketAddress]) {
    let waiters = state.withLock { state -> [CheckedContinuation<[SocketAddress], Never>] in
      defer { state = .open(addresses) }
      if case .pending(let waiters) = state { return waiters }
      return []
    }
    for waiter in waiters { waiter.resume(returning: addresses) }
  }

  func addresses() async -> [SocketAddress] {
    await withCheckedContinuation { continuation in
      let ready: [SocketAddress]? = state.withLock { state in
        switch state {
        case .open(let addresses): return addresses
        case .pending(let waiters):
          state = .pending(waiters + [continuation])
          return nil
        }
      }
      if let ready { continuation.resume(returning: ready) }
    }
  }
}
