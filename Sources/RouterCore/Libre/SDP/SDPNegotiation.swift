/// Offer and answer for one audio stream (RFC 3264), as pure state: one value for each dialog, and no I/O.
///
/// A method that throws changes nothing, so a refused re-INVITE leaves the call as it was.
///
/// ```swift
/// var negotiation = SDPNegotiation(wish)                       // INVITE with SDP
/// let answer = try negotiation.answer(to: SessionDescription(parsing: body))
/// if let parameters = negotiation.parameters { media.apply(parameters) }
/// …
/// let offer = negotiation.offer()                              // INVITE without SDP: offer in the 200,
/// try negotiation.accept(SessionDescription(parsing: ack))     // its answer in the ACK
/// ```
public struct SDPNegotiation: Sendable {
  /// What we want.
  public struct Wish: Sendable, Hashable {
    /// Addresses to advertise, numeric, one of each family that the media socket serves; the first one is preferred.
    public var addresses: [String]
    /// Our RTP port. RTCP has the next one, or the same with rtcp-mux.
    public var port: UInt16
    /// In order of preference in our offers; an answer takes the offerer's first that is here.
    public var codecs: [AudioCodec]
    /// RFC 4733 keys.
    public var telephoneEvents: Bool
    /// Milliseconds of audio in a packet, unless the other side asks for another value.
    public var packetTime: Int
    public var encryption: MediaEncryption
    public var direction: MediaDirection
    public init(
      addresses: [String], port: UInt16, codecs: [AudioCodec] = [.pcmu, .pcma, .g722, .opus],
      telephoneEvents: Bool = true, packetTime: Int = 20, encryption: MediaEncryption = .accept,
      direction: MediaDirection = .sendrecv
    ) {
      precondition(!addresses.isEmpty && !codecs.isEmpty, "a wish needs an address and a codec")
      self.addresses = addresses
      self.port = port
      self.codecs = codecs
      self.telephoneEvents = telephoneEvents
      self.packetTime = packetTime
      self.encryption = encryption
      self.direction = direction
    }
  }

  /// What our last description promised, in the terms that an answer to it has to fit.
  struct Ours: Sendable, Hashable {
    var codecs: [MediaParameters.ReceiveFormat] = []
    /// Payload types of telephone-event by clock rate.
    var events: [Int: UInt8] = [:]
    var cryptos: [SDPCrypto] = []
    var direction = MediaDirection.sendrecv
    var transport = "RTP/AVP"
    var rtcpMux = false
    /// Which `m=` line is ours, and all of them with port 0, as they were first offered.
    var audioIndex = 0
    var refused: [SessionDescription.Media] = []
    var family = 0
  }

  /// What was agreed last; `nil` before.
  public internal(set) var parameters: MediaParameters?
  /// What we sent last, for a retransmission.
  public internal(set) var local: SessionDescription?
  /// What we want in the next offer or answer. ``Wish/direction`` changes for a hold of our own.
  public var wish: Wish

  var ours: Ours?
  var isOfferOurs = false
  /// Each codec keeps its payload type for the session (RFC 3264 section 8.3.2).
  var payloadTypes: [AudioCodec: UInt8] = [:]
  private let sessionID: String

  /// A dialog's negotiation, before anything was said.
  public init(_ wish: Wish) {
    self.wish = wish
    sessionID = String(UInt64.random(in: 1_000_000_000...9_999_999_999))
  }

  /// Our last description once more, unchanged and with the same version, as the offer of a session refresh
  /// (RFC 4028 section 7.4). `nil` when there is none yet. ``accept(_:)`` takes its answer.
  public mutating func refreshOffer() -> SessionDescription? {
    if local != nil { isOfferOurs = true }
    return local
  }

  /// The answer that was made last, with the port of ours that was not known then; it must not have been sent. For whoever
  /// tries whether an offer fits before anything is opened for it. `nil` when there is none.
  public mutating func complete(port: UInt16) -> SessionDescription? {
    wish.port = port
    guard let ours, !isOfferOurs, local?.media.indices.contains(ours.audioIndex) == true else { return nil }
    local?.media[ours.audioIndex].port = port
    return local
  }

  /// Puts a description together; its version is one more than the last one's when anything else changed
  /// (RFC 3264 section 8).
  func describe(_ media: [SessionDescription.Media], address: String) -> SessionDescription {
    let connection = SessionDescription.Connection(address)
    var description = SessionDescription(
      origin: SessionDescription.Origin(
        sessionID: sessionID, version: local?.origin.version ?? 1, addressType: connection.addressType,
        address: address),
      connection: connection, media: media)
    if let local, local != description { description.origin.version = local.origin.version + 1 }
    return description
  }

  /// Our `m=audio` with all that belongs to it.
  func audio(_ ours: Ours, packetTime: Int) -> SessionDescription.Media {
    typealias Attribute = SessionDescription.Attribute
    let events = ours.events.sorted { $0.value > $1.value }
    var attributes: [Attribute] = []
    for format in ours.codecs {
      let (type, codec) = (format.payloadType, format.codec)
      let channels = codec.channels == 1 ? "" : "/\(codec.channels)"
      attributes.append(Attribute("rtpmap", "\(type) \(codec.name)/\(codec.clockRate)\(channels)"))
      if let parameters = codec.formatParameters {
        attributes.append(Attribute("fmtp", "\(type) \(parameters)"))
      }
    }
    for (clock, type) in events {
      attributes.append(Attribute("rtpmap", "\(type) telephone-event/\(clock)"))
      attributes.append(Attribute("fmtp", "\(type) 0-16"))
    }
    attributes += ours.cryptos.map(\.attribute)
    attributes.append(Attribute("ptime", String(packetTime)))
    attributes.append(Attribute(ours.direction.rawValue))
    if ours.rtcpMux { attributes.append(Attribute("rtcp-mux")) }
    return SessionDescription.Media(
      kind: "audio", port: wish.port, transport: ours.transport,
      formats: ours.codecs.map { String($0.payloadType) } + events.map { String($0.value) },
      attributes: attributes)
  }

  /// All `m=` lines: ours in its place, the others refused.
  func allMedia(_ ours: Ours, packetTime: Int) -> [SessionDescription.Media] {
    var media = ours.refused
    let audio = audio(ours, packetTime: packetTime)
    if media.indices.contains(ours.audioIndex) { media[ours.audioIndex] = audio } else { media = [audio] }
    return media
  }

  /// Our address of a family.
  func address(ofFamily family: Int) throws(SDPError) -> String {
    guard let address = wish.addresses.first(where: { $0.utf8.contains(SIPByte.colon) == (family == 6) })
    else {
      throw .addressFamily(family)
    }
    return address
  }
}

/// Whether audio is encrypted (SDES, RFC 4568). Keys travel in the SDP: worth nothing unless SIP runs over TLS.
public enum MediaEncryption: String, Sendable, Hashable, Codable {
  /// Plain RTP alone; `RTP/SAVP` is refused.
  case off
  /// Plain in our offers; whatever the other side offers is answered in kind, also RFC 8643's `RTP/AVP` with keys.
  case accept
  /// `RTP/AVP` with keys in our offers (RFC 8643); whatever the other side offers is answered in kind.
  case prefer
  /// `RTP/SAVP` in our offers; an offer without keys is refused.
  case require
}
