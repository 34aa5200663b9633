/// What an offer and its answer agreed on: all that ``RTPMedia`` needs to know.
public struct MediaParameters: Sendable, Hashable {
  /// A payload type that the other side may use towards us.
  public struct ReceiveFormat: Sendable, Hashable {
    public var payloadType: UInt8
    public var codec: AudioCodec
    public init(payloadType: UInt8, codec: AudioCodec) {
      self.payloadType = payloadType
      self.codec = codec
    }
  }

  /// Keys as RTP events (RFC 4733).
  public struct TelephoneEvents: Sendable, Hashable {
    /// The payload type that the other side listed: we send with it.
    public var sendPayloadType: UInt8
    /// The payload type that we listed: the other side sends with it.
    public var receivePayloadType: UInt8
    /// Timestamp units a second.
    public var clockRate: Int
    public init(sendPayloadType: UInt8, receivePayloadType: UInt8, clockRate: Int) {
      self.sendPayloadType = sendPayloadType
      self.receivePayloadType = receivePayloadType
      self.clockRate = clockRate
    }
  }

  /// Where RTP goes. `nil` when the other side named no address that can be used (`c=0.0.0.0` in the first offer, or a
  /// host name): then its first packet tells.
  public var remote: SocketAddress?
  /// Where RTCP goes (`a=rtcp`, else the next port; the RTP address with `a=rtcp-mux`).
  public var remoteRTCP: SocketAddress?
  /// What we send.
  public var codec: AudioCodec
  public var sendPayloadType: UInt8
  /// What we accept, the sent codec's format first.
  public var receive: [ReceiveFormat]
  /// `nil` when no telephone-event was agreed: keys then come in-band or by SIP INFO.
  public var telephoneEvents: TelephoneEvents?
  /// From our side.
  public var direction: MediaDirection
  /// Milliseconds of audio in each packet that we send.
  public var packetTime: Int
  /// RTCP shares the RTP port (RFC 5761).
  public var rtcpMux: Bool
  /// Encrypts what we send; `nil` for plain RTP. Both keys are there or none.
  public var sendKey: SRTPKey?
  /// Decrypts what we receive.
  public var receiveKey: SRTPKey?

  /// Whether the other side put us on hold: we must not send.
  public var isHeld: Bool { !direction.sends }
  /// Whether audio is encrypted.
  public var isEncrypted: Bool { sendKey != nil }

  public init(
    remote: SocketAddress?, remoteRTCP: SocketAddress? = nil, codec: AudioCodec,
    sendPayloadType: UInt8? = nil,
    receive: [ReceiveFormat]? = nil, telephoneEvents: TelephoneEvents? = nil,
    direction: MediaDirection = .sendrecv, packetTime: Int = 20, rtcpMux: Bool = false,
    sendKey: SRTPKey? = nil, receiveKey: SRTPKey? = nil
  ) {
    let payloadType = sendPayloadType ?? codec.staticPayloadType ?? 96
    self.remote = remote
    self.remoteRTCP = remoteRTCP
    self.codec = codec
    self.sendPayloadType = payloadType
    self.receive = receive ?? [ReceiveFormat(payloadType: payloadType, codec: codec)]
    self.telephoneEvents = telephoneEvents
    self.direction = direction
    self.packetTime = packetTime
    self.rtcpMux = rtcpMux
    self.sendKey = sendKey
    self.receiveKey = receiveKey
  }
}

/// Who sends (RFC 3264 section 5.1), seen from whoever says it.
public enum MediaDirection: String, Sendable, Hashable, CaseIterable {
  case sendrecv, sendonly, recvonly, inactive

  public init(sends: Bool, receives: Bool) {
    self = sends ? (receives ? .sendrecv : .sendonly) : (receives ? .recvonly : .inactive)
  }

  public var sends: Bool { self == .sendrecv || self == .sendonly }
  public var receives: Bool { self == .sendrecv || self == .recvonly }
  /// The same from the other side.
  public var reversed: MediaDirection { MediaDirection(sends: receives, receives: sends) }
  /// What both allow.
  public func limited(to other: MediaDirection) -> MediaDirection {
    MediaDirection(sends: sends && other.sends, receives: receives && other.receives)
  }
}
