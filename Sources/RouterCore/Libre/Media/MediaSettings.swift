/// How RTP is done here; the same for all calls of a channel.
public struct MediaSettings: Sendable {
  /// The address that sockets are bound to, numeric: `0.0.0.0`, `::` (both families) or one of the machine's own.
  public var bindAddress: String
  public var ports: RTPPorts
  public var symmetric: SymmetricRTP
  /// How much delay the jitter buffer may add, milliseconds. It adapts in between.
  public var jitterBuffer: ClosedRange<Int>
  /// Nothing received for so long, outside of hold: ``LegEvent/mediaLost``. `nil` never says so. Carriers with silence
  /// suppression send nothing for tens of seconds, so at least a minute is wise.
  public var timeout: Duration?
  /// Listen for key tones in the audio when no telephone-event was agreed.
  public var inbandDigits: Bool
  /// Milliseconds over which a flushed turn fades out; 0 cuts.
  public var fadeOut: Int
  /// DSCP of RTP packets; 46 is expedited forwarding (RFC 4594 section 4.1).
  public var dscp: Int

  public init(
    bindAddress: String = "0.0.0.0", ports: RTPPorts = RTPPorts(), symmetric: SymmetricRTP = .auto,
    jitterBuffer: ClosedRange<Int> = 10...200, timeout: Duration? = .seconds(60), inbandDigits: Bool = false,
    fadeOut: Int = 10, dscp: Int = 46
  ) {
    self.bindAddress = bindAddress
    self.ports = ports
    self.symmetric = symmetric
    self.jitterBuffer = jitterBuffer
    self.timeout = timeout
    self.inbandDigits = inbandDigits
    self.fadeOut = fadeOut
    self.dscp = dscp
  }
}

/// Whether audio goes back to where it comes from (RFC 4961) rather than to where the SDP says.
public enum SymmetricRTP: String, Sendable, Hashable, Codable, CaseIterable {
  /// Only the address and port of the SDP count; anything else is a stranger.
  case off
  /// Retargets when the SDP's address is private, or only its port differs (a peer behind NAT). Audio from another
  /// public host is heard, when nothing comes from the SDP's, but not answered to.
  case auto
  /// The first valid source gets the audio.
  case on
}

/// A media socket could not be had.
public enum MediaError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Every port of the range is in use, or was until a moment ago.
  case noPort(ClosedRange<UInt16>)
  /// Not a numeric address, or not one of this machine.
  case address(String)
  /// The operating system's word, e.g. too many open files.
  case system(String)

  public var description: String {
    switch self {
    case .noPort(let range): "no free RTP port in \(range.lowerBound)–\(range.upperBound)"
    case .address(let address): "cannot bind media to \(address)"
    case .system(let what): "media socket: \(what)"
    }
  }
}
