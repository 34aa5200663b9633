/// How a ``SIPEndpoint`` is set up. Every value has a default that suits a trunk.
public struct SIPSettings: Sendable {
  /// A socket to listen on.
  public struct Listener: Sendable, Hashable {
    public var transport: SIPTransport
    /// A numeric address of this host; `0.0.0.0` and `::` are all of a family.
    public var address: String
    /// `nil` is the usual port of the transport, 0 any free one (``SIPEndpoint/boundAddresses``).
    public var port: UInt16?
    /// `host` or `host:port` that peers reach us by when this host is behind NAT: goes into Contact and Via.
    public var advertise: String?
    /// PEM files for TLS; without them a self-signed certificate (EC P-256) is made at start.
    public var certificateFile: String?
    /// The private key; `nil` when it is in `certificateFile`.
    public var keyFile: String?

    public init(
      _ transport: SIPTransport, address: String = "0.0.0.0", port: UInt16? = nil, advertise: String? = nil,
      certificateFile: String? = nil, keyFile: String? = nil
    ) {
      self.transport = transport
      self.address = address
      self.port = port
      self.advertise = advertise
      self.certificateFile = certificateFile
      self.keyFile = keyFile
    }
  }

  public var listeners: [Listener]
  /// What we say in `Server` and `User-Agent`.
  public var product = "routerd"
  /// Certificate authorities (PEM) for TLS connections that we open.
  public var authorityFile = "/etc/ssl/certs/ca-certificates.crt"
  /// Whether TLS connections that we open check the peer's certificate: its chain and its name.
  public var verifiesServers = true
  public var timers = SIPTimers()
  public var limits = SIPLimits()
  public var sessionTimer = SIPSessionTimerSettings()
  /// DNS servers for SRV, `ip` or `ip:port`; empty takes those of `/etc/resolv.conf`.
  public var nameServers: [String] = []

  public init(listeners: [Listener] = [Listener(.udp), Listener(.tcp)]) { self.listeners = listeners }
}

/// The timers of RFC 3261 section 17 and ours.
public struct SIPTimers: Sendable, Hashable {
  /// Round-trip estimate: the first retransmission.
  public var t1: Duration = .milliseconds(500)
  /// The longest gap between retransmissions.
  public var t2: Duration = .seconds(4)
  /// How long a message may live in the network.
  public var t4: Duration = .seconds(5)
  /// 100 is sent when nothing else was within this time; at most 200 ms (section 17.2.1).
  public var trying: Duration = .milliseconds(100)
  /// How long an incoming call may ring before it is refused with 480.
  public var unanswered: Duration = .seconds(180)
  /// How long a request in a dialog may wait for the answer of our side before it gets 500.
  public var decision: Duration = .seconds(16)
  /// Timer B and F of requests that we send; the next target is tried afterwards.
  public var noResponse: Duration?

  public init() {}

  /// How long a peer may be silent when its name has others that can be asked (RFC 3263 section 4.3).
  var failover: Duration { t1 * 8 }
  /// 64 × T1: the end of a transaction without an answer, and of waiting for ACK.
  public var timeout: Duration { t1 * 64 }
}

/// What strangers can make us hold. Reaching a limit costs the newcomer, never a call that is up.
public struct SIPLimits: Sendable, Hashable {
  /// Bytes of one message; more is 513, and the end of a TCP connection.
  public var messageBytes = 65_535
  /// Header fields of one message; more is 400.
  public var headerFields = 256
  /// TCP and TLS connections in all.
  public var connections = 4096
  /// TCP and TLS connections from one address.
  public var connectionsPerAddress = 64
  /// How long a new connection may take for its TLS handshake and its first whole message.
  public var firstMessage: Duration = .seconds(10)
  /// How long a message may take from its first byte to its last.
  public var partialMessage: Duration = .seconds(10)
  /// How long a connection may say nothing.
  public var idle: Duration = .seconds(3600)
  /// Bytes that may wait for a slow peer on one connection.
  public var sendQueueBytes = 512 * 1024
  /// Calls that wait for an answer, in all; more get 503.
  public var pendingCalls = 2000
  /// Calls in all; more get 503.
  public var calls = 20_000
  /// New calls a second from one address, with as many at once; more get 503, and beyond twice as many nothing.
  /// `nil` is no limit.
  public var invitesPerSecond: Int? = 500
  /// How long datagrams may wait for us; when all wait longer for as long, new calls get 503. Below T1, after which callers
  /// repeat.
  public var delay: Duration = .milliseconds(200)
  /// Transactions that are remembered for retransmissions; more requests get 503.
  public var transactions = 500_000
  /// Addresses whose rate is remembered.
  public var addresses = 65_536

  public init() {}
}

/// Session timers (RFC 4028).
public struct SIPSessionTimerSettings: Sendable, Hashable {
  /// `Session-Expires` that we ask for and agree to at most, in seconds; `nil` asks for none (those of others are
  /// still honoured).
  public var interval: Int? = 1800
  /// The shortest that we accept, in seconds; RFC 4028 section 5 forbids less than 90, tests use less.
  public var minimum = 90

  public init() {}
}
