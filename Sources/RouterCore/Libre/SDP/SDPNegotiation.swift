/// Offer and answer for one audio stream (RFC 3264), as pure state: one value for each dialog, and no I/O.
///
/// A method that throws changes nothing, so a refused re-INVITE leaves the call as it was.
///
/// ```swift
/// var negotiation = SDPNegotiation(wish)                       // INVITE with SDP
/// let answer = try negotiation.answer(to: SessionDescription(parsing: body))
/// media.apply(negotiation.parameters!)
/// …
/// let offer = try negotiation.offer()                          // INVITE without SDP: offer in the 200,
/// try negotiation.accept(SessionDescription(parsing: ack))     // its answer in the ACK
/// ```
public struct SDPNegotiation: Sendable {
  /// What we want. Fixed for the dialog, except ``direction``.
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
      self.addresses = addresses
      self.port = port
      self.codecs = codecs
      self.telephoneEvents = telephoneEvents
      self.packetTime = packetTime
      self.encryption = encryption
      self.direction = direction
    }
  }

  /// What was agreed last; `nil` before.
  public private(set) var parameters: MediaParameters?
  /// What we sent last, for a session refresh or a retransmission.
  public private(set) var local: SessionDescription?
  /// What we want in the next offer or answer; ``Wish/direction`` may be changed for a hold of our own.
  public var wish: Wish

  /// A dialog's negotiation, before anything was said.
  public init(_ wish: Wish) { self.wish = wish }

  /// Answers the first offer or a later one. The answer has every `m=` line of the offer in its order (refused ones
  /// with port 0), one codec and telephone-event (RFC 3264 section 6). The version in `o=` grows when our text changed.
  ///
  /// Throws what ``SDPError/sipStatus`` turns into 488 or 400.
  public mutating func answer(to offer: SessionDescription) throws(SDPError) -> SessionDescription {
    throw .noCommonCodec
  }

  /// Our wish in full, for an INVITE of ours and for an INVITE or re-INVITE without SDP: never a mirror of a hold.
  public mutating func offer() throws(SDPError) -> SessionDescription {
    throw .noCommonCodec
  }

  /// Takes the answer to our last ``offer()``.
  public mutating func accept(_ answer: SessionDescription) throws(SDPError) {
    throw .noCommonCodec
  }
}

/// Whether audio is encrypted (SDES, RFC 4568). Keys travel in the SDP: worth nothing unless SIP runs over TLS.
public enum MediaEncryption: String, Sendable, Hashable, Codable {
  /// Plain RTP alone; `RTP/SAVP` is refused.
  case off
  /// Plain in our offers; whatever the other side offers is answered in kind, also RFC 8643's `RTP/AVP` with keys.
  case accept
  /// `RTP/AVP` with keys in our offers (RFC 8643), whatever the other side offers is answered in kind.
  case prefer
  /// `RTP/SAVP` in our offers; an offer without keys is refused.
  case require
}
