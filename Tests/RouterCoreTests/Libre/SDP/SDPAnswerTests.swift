import RouterCore
import Testing

/// Offers as peers write them, and what must come back (RFC 3264, RFC 8866).
@Suite struct SDPAnswerTests {
  static let wish = SDPNegotiation.Wish(addresses: ["203.0.113.9", "2001:db8::9"], port: 20000)

  /// An offer from `c=` and the media lines; everything else is the same each time.
  static func offer(_ connection: String = "IN IP4 198.51.100.7", _ lines: String...) throws
    -> SessionDescription
  {
    try SessionDescription(
      parsing: (["v=0", "o=- 5 5 IN IP4 198.51.100.7", "s=-", "c=\(connection)", "t=0 0"] + lines)
        .joined(separator: "\r\n"))
  }

  @Test(arguments: [
    (["m=audio 4000 RTP/AVP 0 8 101", "a=rtpmap:101 telephone-event/8000"], AudioCodec.pcmu, "0 101"),
    (["m=audio 4000 RTP/AVP 8 0 101", "a=rtpmap:101 telephone-event/8000"], .pcma, "8 101"),
    (["m=audio 4000 RTP/AVP 18 9 0"], .g722, "9"),  // static types need no rtpmap
    (["m=audio 4000 RTP/AVP 97 0", "a=rtpmap:97 pcma/8000/1"], .pcma, "97"),  // one channel is the default
    (["m=audio 4000 RTP/AVP 0", "a=rtpmap:0 PCMA/8000"], .pcma, "0"),  // the map wins over the number
    (["m=audio 4000 RTP/AVP 111 0", "a=rtpmap:111 opus/48000/2"], .opus, "111"),
    (
      [
        "m=audio 4000 RTP/AVP 111 0 101 110", "a=rtpmap:111 OPUS/48000/2",
        "a=rtpmap:101 telephone-event/8000", "a=rtpmap:110 telephone-event/48000",
      ], .opus, "111 110"
    ),
    (
      ["m=audio 4000 RTP/AVP 111 101", "a=rtpmap:111 opus/48000/2", "a=rtpmap:101 telephone-event/8000"],
      .opus, "111 101"
    ),
    (["m=audio 4000 RTP/AVP 96 13 0", "a=rtpmap:96 speex/8000"], .pcmu, "0"),  // CN is never taken
    (["m=audio 4000 RTP/AVPF 0"], .pcmu, "0"),
  ])
  func takesOneCodecAndEvents(_ lines: [String], _ codec: AudioCodec, _ formats: String) throws {
    var negotiation = SDPNegotiation(Self.wish)
    let offer = try SessionDescription(
      parsing: "v=0\no=- 5 5 IN IP4 x\nc=IN IP4 198.51.100.7\n" + lines.joined(separator: "\n"))
    let answer = try negotiation.answer(to: offer)
    #expect(answer.media[0].formats.joined(separator: " ") == formats)
    #expect(answer.media[0].port == 20000)
    #expect(answer.media[0].transport == offer.media[0].transport)
    #expect(answer.connection?.address == "203.0.113.9")
    let parameters = try #require(negotiation.parameters)
    #expect(parameters.codec == codec)
    #expect(parameters.remote == SocketAddress(ip: "198.51.100.7", port: 4000))
    #expect(parameters.remoteRTCP == SocketAddress(ip: "198.51.100.7", port: 4001))
    #expect(String(parameters.sendPayloadType) == answer.media[0].formats.first)
    #expect(
      parameters.telephoneEvents.map { String($0.sendPayloadType) }
        == (answer.media[0].formats.count == 2 ? answer.media[0].formats[1] : nil))
  }

  @Test func eventsFollowTheCodecsClock() throws {
    var negotiation = SDPNegotiation(Self.wish)
    _ = try negotiation.answer(
      to: Self.offer(
        "IN IP4 198.51.100.7", "m=audio 4000 RTP/AVP 111 101 110", "a=rtpmap:111 opus/48000/2",
        "a=rtpmap:101 telephone-event/8000", "a=rtpmap:110 telephone-event/48000"))
    #expect(negotiation.parameters?.telephoneEvents?.clockRate == 48000)
    #expect(negotiation.parameters?.telephoneEvents?.sendPayloadType == 110)
  }

  @Test func answersEveryStreamInOrder() throws {
    var negotiation = SDPNegotiation(Self.wish)
    let answer = try negotiation.answer(
      to: Self.offer(
        "IN IP4 198.51.100.7", "m=video 5000 RTP/AVP 99", "a=rtpmap:99 H264/90000", "m=audio 4000 RTP/AVP 0",
        "m=image 6000 udptl t38", "m=audio 4100 RTP/AVP 8"))
    #expect(answer.media.map(\.kind) == ["video", "audio", "image", "audio"])
    #expect(answer.media.map(\.port) == [0, 20000, 0, 0])
    #expect(answer.media.map(\.transport) == ["RTP/AVP", "RTP/AVP", "udptl", "RTP/AVP"])
    #expect(answer.media[2].formats == ["t38"])
  }

  @Test func takesTheAudioThatFits() throws {
    var negotiation = SDPNegotiation(Self.wish)
    let answer = try negotiation.answer(
      to: Self.offer("IN IP4 198.51.100.7", "m=audio 4000 UDP/TLS/RTP/SAVPF 0", "m=audio 4100 RTP/AVP 8"))
    #expect(answer.media.map(\.port) == [0, 20000])
    #expect(negotiation.parameters?.remote?.port == 4100)
  }

  @Test(arguments: [
    ("sendrecv", "sendrecv", false), ("sendonly", "recvonly", true), ("recvonly", "sendonly", false),
    ("inactive", "inactive", true),
  ])
  func mirrorsTheDirection(_ offered: String, _ answered: String, _ isHeld: Bool) throws {
    for atSession in [false, true] {
      var negotiation = SDPNegotiation(Self.wish)
      let answer = try negotiation.answer(
        to: atSession
          ? Self.offer("IN IP4 198.51.100.7", "a=\(offered)", "m=audio 4000 RTP/AVP 0")
          : Self.offer("IN IP4 198.51.100.7", "m=audio 4000 RTP/AVP 0", "a=\(offered)"))
      #expect(answer.media[0].attributes.contains(.init(answered)))
      #expect(negotiation.parameters?.isHeld == isHeld)
    }
  }

  @Test func oldStyleHoldKeepsTheAddress() throws {
    var negotiation = SDPNegotiation(Self.wish)
    let first = try negotiation.answer(to: Self.offer("IN IP4 198.51.100.7", "m=audio 4000 RTP/AVP 0"))
    let held = try negotiation.answer(to: Self.offer("IN IP4 0.0.0.0", "m=audio 4000 RTP/AVP 0"))
    #expect(negotiation.parameters?.isHeld == true)
    #expect(negotiation.parameters?.remote?.ip == "198.51.100.7")
    #expect(held.media[0].attributes.contains(.init("recvonly")))
    #expect(held.origin.version == first.origin.version + 1)
    _ = try negotiation.answer(to: Self.offer("IN IP4 198.51.100.7", "m=audio 4002 RTP/AVP 0"))
    #expect(negotiation.parameters?.isHeld == false)
    #expect(negotiation.parameters?.remote?.port == 4002)
  }

  @Test func aFirstOfferMayBeOnHold() throws {
    var negotiation = SDPNegotiation(Self.wish)
    _ = try negotiation.answer(to: Self.offer("IN IP4 0.0.0.0", "m=audio 4000 RTP/AVP 0"))
    #expect(negotiation.parameters?.remote == nil)
    #expect(negotiation.parameters?.isHeld == true)
  }

  @Test func aHostNameIsLearntFromPackets() throws {
    var negotiation = SDPNegotiation(Self.wish)
    _ = try negotiation.answer(to: Self.offer("IN IP4 media.example.com", "m=audio 4000 RTP/AVP 0"))
    #expect(negotiation.parameters?.remote == nil)
    #expect(negotiation.parameters?.isHeld == false)
  }

  @Test func theVersionGrowsOnlyWithAChange() throws {
    var negotiation = SDPNegotiation(Self.wish)
    let offer = try Self.offer("IN IP4 198.51.100.7", "m=audio 4000 RTP/AVP 0")
    let first = try negotiation.answer(to: offer)
    #expect(try negotiation.answer(to: offer) == first)
    #expect(negotiation.refreshOffer() == first)
    let held = try negotiation.answer(
      to: Self.offer("IN IP4 198.51.100.7", "m=audio 4000 RTP/AVP 0", "a=sendonly"))
    #expect(held.origin.version == first.origin.version + 1)
    #expect(held.origin.sessionID == first.origin.sessionID)
  }

  @Test(arguments: [
    (["m=audio 4000 RTP/AVP 0"], 20), (["m=audio 4000 RTP/AVP 0", "a=ptime:30"], 30),
    (["m=audio 4000 RTP/AVP 0", "a=ptime:40"], 40), (["m=audio 4000 RTP/AVP 0", "a=ptime:10"], 10),
    (["m=audio 4000 RTP/AVP 0", "a=maxptime:10"], 10), (["m=audio 4000 RTP/AVP 0", "a=ptime:200"], 60),
    (["m=audio 4000 RTP/AVP 0", "a=ptime:40", "a=maxptime:30"], 30),
    (["m=audio 4000 RTP/AVP 0", "a=ptime:0"], 20),
    (["m=audio 4000 RTP/AVP 0", "a=ptime:x"], 20), (["m=audio 4000 RTP/AVP 0", "a=ptime:25.5"], 20),
    (["m=audio 4000 RTP/AVP 96", "a=rtpmap:96 opus/48000/2", "a=ptime:30"], 20),
  ])
  func obeysPacketTimes(_ lines: [String], _ expected: Int) throws {
    var negotiation = SDPNegotiation(Self.wish)
    let text = "v=0\no=- 5 5 IN IP4 x\nc=IN IP4 198.51.100.7\n" + lines.joined(separator: "\n")
    _ = try negotiation.answer(to: SessionDescription(parsing: text))
    #expect(negotiation.parameters?.packetTime == expected)
  }

  @Test func readsRTCPAddresses() throws {
    var negotiation = SDPNegotiation(Self.wish)
    var answer = try negotiation.answer(
      to: Self.offer("IN IP4 198.51.100.7", "m=audio 4000 RTP/AVP 0", "a=rtcp:4500 IN IP4 198.51.100.8"))
    #expect(negotiation.parameters?.remoteRTCP == SocketAddress(ip: "198.51.100.8", port: 4500))
    #expect(!answer.media[0].attributes.contains(.init("rtcp-mux")))
    answer = try negotiation.answer(
      to: Self.offer("IN IP4 198.51.100.7", "m=audio 4000 RTP/AVP 0", "a=rtcp:4500", "a=rtcp-mux"))
    #expect(negotiation.parameters?.remoteRTCP == SocketAddress(ip: "198.51.100.7", port: 4000))
    #expect(negotiation.parameters?.rtcpMux == true)
    #expect(answer.media[0].attributes.contains(.init("rtcp-mux")))
  }

  @Test func answersInTheOfferersFamily() throws {
    var negotiation = SDPNegotiation(Self.wish)
    let answer = try negotiation.answer(to: Self.offer("IN IP6 2001:db8::1", "m=audio 4000 RTP/AVP 0"))
    #expect(answer.connection?.addressType == "IP6")
    #expect(answer.connection?.address == "2001:db8::9")
    #expect(answer.text.contains("c=IN IP6 2001:db8::9\r\n"))
    #expect(negotiation.parameters?.remote?.ip == "2001:db8::1")
  }

  @Test(arguments: [
    (["m=audio 4000 RTP/AVP 18 3"], SDPError.noCommonCodec),
    (["m=audio 4000 RTP/AVP 13 101"], .noCommonCodec),
    (["m=audio 4000 RTP/AVP 96", "a=rtpmap:96 L16/44100/2"], .noCommonCodec),
    (["m=audio 4000 RTP/AVP 300 -1 abc"], .noCommonCodec),
    (["m=audio 0 RTP/AVP 0"], .noAudio("no m=audio with a port")),
    (["m=image 4000 udptl t38"], .noAudio("no m=audio with a port")),
    ([], .noAudio("no m=audio with a port")),
    (["m=audio 4000 udptl 0"], .noAudio("transport is not RTP over UDP")),
    (["m=audio 4000 UDP/TLS/RTP/SAVPF 0"], .encryption("DTLS-SRTP is not supported")),
    (["m=audio 4000 RTP/SAVP 0"], .encryption("RTP/SAVP without a usable a=crypto line")),
    (["m=audio 4000 RTP/AVP 0", "c=IN IP6 2001:db8::1"], .addressFamily(6)),
  ])
  func refuses(_ lines: [String], _ expected: SDPError) throws {
    var wish = Self.wish
    wish.addresses = ["203.0.113.9"]
    var negotiation = SDPNegotiation(wish)
    let text = "v=0\no=- 5 5 IN IP4 x\nc=IN IP4 198.51.100.7\n" + lines.joined(separator: "\n")
    let offer = try SessionDescription(parsing: text)
    #expect(throws: expected) { try negotiation.answer(to: offer) }
    #expect(expected.sipStatus == 488)
    #expect(negotiation.parameters == nil && negotiation.local == nil)
  }

  @Test func aMissingAddressIsRefused() throws {
    var negotiation = SDPNegotiation(Self.wish)
    let offer = try SessionDescription(parsing: "v=0\no=- 5 5 IN IP4 x\nm=audio 4000 RTP/AVP 0")
    #expect(throws: SDPError.noAudio("no c= line")) { try negotiation.answer(to: offer) }
  }

  @Test func aRefusedReofferChangesNothing() throws {
    var negotiation = SDPNegotiation(Self.wish)
    let first = try negotiation.answer(to: Self.offer("IN IP4 198.51.100.7", "m=audio 4000 RTP/AVP 0"))
    let agreed = negotiation.parameters
    let fax = try Self.offer("IN IP4 198.51.100.7", "m=image 4000 udptl t38")
    #expect(throws: SDPError.self) { try negotiation.answer(to: fax) }
    #expect(negotiation.parameters == agreed)
    #expect(negotiation.local == first)
  }
}
