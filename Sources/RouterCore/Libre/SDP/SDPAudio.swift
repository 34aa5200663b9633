internal import CLibre
internal import Glibc

/// What one `m=audio` of the other side says, in our words: the part of reading that offers and answers share.
struct SDPAudio {
  struct Format {
    var payloadType: UInt8
    var name: String  // upper case
    var clockRate: Int

    var codec: AudioCodec? {
      AudioCodec.allCases.first { $0.clockRate == clockRate && $0.upperCaseName == name }
    }
  }

  /// In the order of the `m=` line: the peer's preference.
  var formats: [Format]
  var isSecure: Bool
  var cryptos: [SDPCrypto]
  var remote: SocketAddress?
  var remoteRTCP: SocketAddress?
  /// 4 or 6.
  var family: Int
  /// `c=0.0.0.0`: on hold in the old way; nothing may be sent.
  var isUnspecified: Bool
  /// As the peer said it.
  var direction: MediaDirection
  var packetTime: Int?
  var maximumPacketTime: Int?
  var rtcpMux: Bool

  init(_ media: SessionDescription.Media, in session: SessionDescription) throws(SDPError) {
    switch media.transport == "RTP/AVP" ? media.transport : media.transport.uppercased() {
    case "RTP/AVP", "RTP/AVPF": isSecure = false
    case "RTP/SAVP", "RTP/SAVPF": isSecure = true
    case "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF": throw .encryption("DTLS-SRTP is not supported")
    default: throw .noAudio("transport is not RTP over UDP")
    }
    guard let connection = media.connection ?? session.connection else { throw .noAudio("no c= line") }
    guard media.port != 0 else { throw .noAudio("port 0") }

    formats = SDPAudio.formats(of: media)
    cryptos = media.values("crypto").compactMap(SDPCrypto.init(parsing:))
    let host = SDPAudio.numeric(connection.address)
    family = host?.family ?? (connection.addressType == "IP6" ? 6 : 4)
    isUnspecified = host?.isUnspecified ?? false
    rtcpMux = media.attributes.contains { $0.name == "rtcp-mux" }
    direction =
      SDPAudio.direction(media.attributes) ?? SDPAudio.direction(session.attributes) ?? .sendrecv
    packetTime = SDPAudio.milliseconds("ptime", media, session)
    maximumPacketTime = SDPAudio.milliseconds("maxptime", media, session)
    if let host, host.isUsable {
      remote = SocketAddress(ip: host.text, port: media.port)
      remoteRTCP = rtcpMux ? remote : SDPAudio.rtcpAddress(media, host: host.text)
    }
  }

  /// The peer's telephone-event for a codec: with the codec's clock (RFC 4733 section 2.1), else with any.
  func telephoneEvent(for codec: AudioCodec) -> Format? {
    let events = formats.filter { $0.name == "TELEPHONE-EVENT" && $0.clockRate > 0 }
    return events.first { $0.clockRate == codec.clockRate } ?? events.first
  }

  /// Milliseconds of audio for each packet to this peer: what it asks for, in steps that the codec has.
  func packetTime(for codec: AudioCodec, wish: Int) -> Int {
    let wanted = min(packetTime ?? wish, maximumPacketTime ?? .max)
    let steps = codec == .opus ? [10, 20, 40, 60] : [10, 20, 30, 40, 50, 60]
    return steps.last { $0 <= wanted } ?? 10
  }

  private static func formats(of media: SessionDescription.Media) -> [Format] {
    var maps: [Format] = []
    for attribute in media.attributes where attribute.name == "rtpmap" {
      guard let map = attribute.value.flatMap(SDPAudio.map) else { continue }
      if !maps.contains(where: { $0.payloadType == map.payloadType }) { maps.append(map) }
    }
    return media.formats.compactMap { text in
      guard let type = UInt8(text), type < 128 else { return nil }
      if let map = maps.first(where: { $0.payloadType == type }) { return map }
      return AudioCodec.allCases.first { $0.staticPayloadType == type }.map {
        Format(payloadType: type, name: $0.upperCaseName, clockRate: $0.clockRate)
      }
    }
  }

  /// `0 PCMU/8000` or `111 opus/48000/2`.
  private static func map(_ value: String) -> Format? {
    let words = value.utf8.split(separator: SIPByte.space, maxSplits: 2)
    guard words.count >= 2, let type = UInt8(Substring(words[0])), type < 128 else { return nil }
    let parts = words[1].split(separator: SIPByte.slash, omittingEmptySubsequences: false)
    guard parts.count >= 2, let clock = Int(Substring(parts[1])) else { return nil }
    let name = Substring(parts[0]).uppercased()
    // One channel when none is said; Opus is always written with two, but its decoder takes whatever comes.
    guard parts.count < 3 || parts[2].elementsEqual("1".utf8) || name == "OPUS" else { return nil }
    return Format(payloadType: type, name: name, clockRate: clock)
  }

  private static func direction(_ attributes: [SessionDescription.Attribute]) -> MediaDirection? {
    attributes.lazy.compactMap { MediaDirection(rawValue: $0.name) }.first
  }

  private static func milliseconds(
    _ name: String, _ media: SessionDescription.Media, _ session: SessionDescription
  ) -> Int? {
    let value = media.values(name).first ?? session.attributes.first { $0.name == name }?.value
    guard let value, let number = Int(Substring(value.utf8.prefix { $0 != UInt8(ascii: ".") })), number > 0
    else { return nil }
    return number
  }

  /// `a=rtcp:port [IN IP4 address]` (RFC 3605), else the port after RTP's.
  private static func rtcpAddress(_ media: SessionDescription.Media, host: String) -> SocketAddress? {
    if let value = media.values("rtcp").first {
      let words = value.split(separator: " ")
      if let port = words.first.flatMap({ UInt16($0) }), port != 0 {
        let other = words.count >= 4 ? numeric(String(words[3])) : nil
        return SocketAddress(ip: other.flatMap { $0.isUsable ? $0.text : nil } ?? host, port: port)
      }
    }
    return media.port == .max ? nil : SocketAddress(ip: host, port: media.port + 1)
  }

  /// A numeric address; `nil` for a host name.
  static func numeric(_ text: String) -> (text: String, family: Int, isUnspecified: Bool, isUsable: Bool)? {
    var four = in_addr()
    if inet_pton(AF_INET, text, &four) == 1 {
      let address = UInt32(bigEndian: four.s_addr)
      // 0/8 is nobody, 224/4 is multicast, 240/4 is reserved and has the broadcast address in it.
      return (text, 4, address == 0, address >> 24 != 0 && address >> 28 < 0xE)
    }
    var six = in6_addr()
    guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
    let bytes = withUnsafeBytes(of: six) { Array($0) }
    let isUnspecified = bytes.allSatisfy { $0 == 0 }
    return (text, 6, isUnspecified, !isUnspecified && bytes[0] != 0xFF)
  }
}
