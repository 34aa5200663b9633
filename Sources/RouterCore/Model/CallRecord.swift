public import FoundationEssentials

/// How the audio of one call fared (RFC 3550 section 6.4; MOS estimated by the E-model of ITU-T G.107).
public struct AudioStatistics: Hashable, Sendable, Codable {
  public var codec: String = ""
  public var packetsReceived: Int = 0
  public var packetsSent: Int = 0
  public var packetsLost: Int = 0
  /// Received too late to be played.
  public var packetsLate: Int = 0
  /// Share of the packets that the caller sent and we never had, 0…1.
  public var lossFraction: Double = 0
  /// Interarrival jitter, milliseconds.
  public var jitter: Double = 0
  /// Round-trip time by RTCP, milliseconds; `nil` when the other side sent no reports.
  public var roundTrip: Double?
  /// What the other side reported to have lost of ours, 0…1.
  public var remoteLossFraction: Double?
  /// Estimated mean opinion score, 1…4.5.
  public var mos: Double = 0
  public init() {}
}

/// What stays of a call: one for each, refused ones too.
public struct CallRecord: Sendable, Codable, Identifiable {
  public var id: CallID
  public var channel: ChannelKind
  public var provider: String?
  public var trunk: String?
  public var connection: String?
  public var foreignID: String?
  /// What the calling application calls the person.
  public var externalClientID: String?
  public var sourceAddress: SocketAddress?
  public var from: Party
  public var to: Party
  /// E.164, where the number could be normalised.
  public var fromNumber: String?
  public var toNumber: String?
  public var receivedAt: Date
  public var answeredAt: Date?
  public var endedAt: Date
  /// The decision's identifier, as in the `X-Route-Decision` header.
  public var decisionID: String?
  public var route: String?
  /// Version of the route snapshot that decided.
  public var snapshotVersion: String?
  public var agent: String?
  public var end: CallEnd
  public var transcript: [TranscriptEntry]
  public var audio: AudioStatistics?
  /// The agents that were tried, in order, and what became of them.
  public var attempts: [AgentAttempt] = []
  /// How long the agents' answers took, turn by turn.
  public var timings: [TurnTiming] = []
  /// The stored decision with its trace, for `routerd why`.
  public var decision: WrittenJSON?

  public init(
    call: InboundCall, answeredAt: Date? = nil, endedAt: Date, end: CallEnd,
    transcript: [TranscriptEntry] = [],
    audio: AudioStatistics? = nil
  ) {
    id = call.id
    channel = call.channel
    provider = call.provider
    trunk = call.trunk
    connection = call.connection
    foreignID = call.foreignID
    externalClientID = call.externalClientID
    sourceAddress = call.sourceAddress
    from = call.from
    to = call.to
    receivedAt = call.receivedAt
    self.answeredAt = answeredAt
    self.endedAt = endedAt
    self.end = end
    self.transcript = transcript
    self.audio = audio
  }
}
