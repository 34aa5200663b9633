internal import RouterCore

/// What a call's media needs, ready before anything is opened.
struct SessionPlan: Sendable {
  var media: MediaSettings
  /// With an offer, it has answered it already, but for the port.
  var negotiation: SDPNegotiation
  /// `nil` when the caller asks for ours (late offer).
  var offer: SessionDescription?
  /// What the wire is going to carry: the codec that we would answer with, or our first when the caller asks for ours.
  var expectedFormat: AudioFormat
}

/// How RTP is done, the same for every call of the channel (they share the port range).
func mediaSettings(_ configuration: SIPChannel.Configuration) -> MediaSettings {
  let media = configuration.media
  return MediaSettings(
    bindAddress: mediaAddress(configuration), ports: RTPPorts(media.ports), symmetric: media.symmetric,
    timeout: media.timeoutSeconds == 0 ? nil : .seconds(media.timeoutSeconds),
    inbandDigits: media.inbandDigits)
}

/// Without a word about it, RTP serves the families that SIP serves.
private func mediaAddress(_ configuration: SIPChannel.Configuration) -> String {
  if let address = configuration.media.address { return address }
  return configuration.listen.contains { isIPv6($0.host) } ? "::" : "0.0.0.0"
}

/// What we ask for in SDP. The port is not known yet: 9 stands for it (RFC 4566 calls it discard), until media is open.
func wish(_ configuration: SIPChannel.Configuration, _ arrival: SIPArrival) -> SDPNegotiation.Wish {
  let media = configuration.media
  return SDPNegotiation.Wish(
    addresses: mediaAddresses(configuration, arrival), port: 9, codecs: media.codecs,
    encryption: media.srtp.wish)
}

/// The addresses to name, one of each family at most: what is configured, then what the caller himself reached us by.
private func mediaAddresses(_ configuration: SIPChannel.Configuration, _ arrival: SIPArrival) -> [String] {
  let bound = mediaAddress(configuration)
  let isBoundToOne = bound != "0.0.0.0" && bound != "::"
  let candidates = [
    configuration.media.advertise, isBoundToOne ? bound : nil, arrival.advertisedHost, arrival.local.ip,
  ]
  var addresses: [String] = []
  for case let address? in candidates {
    let family = isIPv6(address)
    if family, bound == "0.0.0.0" { continue }
    if addresses.contains(where: { isIPv6($0) == family }) { continue }
    if AddressPrefix.bits(of: address) != nil { addresses.append(address) }
  }
  // An offer of ours names the first one: it should be of the family that the caller is known to speak.
  if addresses.count > 1, isIPv6(addresses[0]) != isIPv6(arrival.source.ip) { addresses.swapAt(0, 1) }
  return addresses
}

private func isIPv6(_ address: String) -> Bool { address.utf8.contains(UInt8(ascii: ":")) }
