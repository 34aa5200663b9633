import RouterCore
import Testing

/// Offers of ours, their answers, and re-offers.
@Suite struct SDPOfferTests {
  static let wish = SDPNegotiation.Wish(addresses: ["203.0.113.9"], port: 20000)

  static func answer(_ lines: String...) throws -> SessionDescription {
    try SessionDescription(
      parsing: (["v=0", "o=- 5 5 IN IP4 x", "c=IN IP4 198.51.100.7"] + lines).joined(separator: "\n"))
  }

  @Test func offersEverything() {
    var negotiation = SDPNegotiation(Self.wish)
    let offer = negotiation.offer()
    #expect(offer.media.count == 1)
    #expect(offer.media[0].formats.prefix(4) == ["0", "8", "9", "111"])
    #expect(offer.media[0].transport == "RTP/AVP")
    #expect(offer.media[0].values("rtpmap").contains("111 opus/48000/2"))
    #expect(offer.media[0].values("rtpmap").filter { $0.contains("telephone-event/8000") }.count == 1)
    #expect(offer.media[0].values("rtpmap").filter { $0.contains("telephone-event/48000") }.count == 1)
    #expect(Set(offer.media[0].formats).count == offer.media[0].formats.count)
  }

  @Test func oneSideOffersTheOtherAnswers() throws {
    for codec in AudioCodec.allCases {
      var wish = Self.wish
      wish.codecs = [codec]
      var caller = SDPNegotiation(wish)
      wish.codecs = AudioCodec.allCases
      wish.addresses = ["198.51.100.7"]
      wish.port = 4000
      var callee = SDPNegotiation(wish)
      let answer = try callee.answer(to: SessionDescription(parsing: caller.offer().text))
      try caller.accept(SessionDescription(parsing: answer.text))
      let (a, b) = (try #require(caller.parameters), try #require(callee.parameters))
      #expect(a.codec == codec && b.codec == codec)
      #expect(a.remote == SocketAddress(ip: "198.51.100.7", port: 4000))
      #expect(b.remote == SocketAddress(ip: "203.0.113.9", port: 20000))
      #expect(a.sendPayloadType == b.receive[0].payloadType)
      #expect(a.telephoneEvents == b.telephoneEvents)
      #expect(a.telephoneEvents?.clockRate == codec.clockRate)
    }
  }

  @Test func payloadTypesMayDiffer() throws {
    var wish = Self.wish
    wish.codecs = [.opus]
    var negotiation = SDPNegotiation(wish)
    _ = negotiation.offer()
    try negotiation.accept(
      Self.answer(
        "m=audio 4000 RTP/AVP 120 121", "a=rtpmap:120 opus/48000/2", "a=rtpmap:121 telephone-event/48000"))
    let parameters = try #require(negotiation.parameters)
    #expect(parameters.sendPayloadType == 120)
    #expect(parameters.receive == [.init(payloadType: 111, codec: .opus)])
    #expect(parameters.telephoneEvents?.sendPayloadType == 121)
    #expect(parameters.telephoneEvents?.receivePayloadType == 101)
  }

  @Test func severalAnsweredCodecsMayCome() throws {
    var negotiation = SDPNegotiation(Self.wish)
    _ = negotiation.offer()
    try negotiation.accept(Self.answer("m=audio 4000 RTP/AVP 8 0"))
    #expect(negotiation.parameters?.codec == .pcma)
    #expect(negotiation.parameters?.receive.map(\.codec) == [.pcma, .pcmu])
    #expect(negotiation.parameters?.telephoneEvents == nil)
  }

  @Test(arguments: [
    (["m=audio 0 RTP/AVP 0"], SDPError.noAudio("port 0")), (["m=audio 4000 RTP/AVP 18"], .noCommonCodec),
    (["m=video 4000 RTP/AVP 0"], .answer("our m=audio is missing")), ([], .answer("our m=audio is missing")),
  ])
  func refusesAnswers(_ lines: [String], _ expected: SDPError) throws {
    var negotiation = SDPNegotiation(Self.wish)
    _ = negotiation.offer()
    let text = "v=0\no=- 5 5 IN IP4 x\nc=IN IP4 198.51.100.7\n" + lines.joined(separator: "\n")
    let answer = try SessionDescription(parsing: text)
    #expect(throws: expected) { try negotiation.accept(answer) }
    #expect(negotiation.parameters == nil)
  }

  @Test func anAnswerNeedsAnOffer() throws {
    var negotiation = SDPNegotiation(Self.wish)
    let answer = try Self.answer("m=audio 4000 RTP/AVP 0")
    #expect(throws: SDPError.answer("there was no offer")) { try negotiation.accept(answer) }
    _ = try negotiation.answer(to: answer)
    #expect(throws: SDPError.answer("there was no offer")) { try negotiation.accept(answer) }
  }

  /// Both a 183 and a 200 may carry an answer; the later one counts.
  @Test func aSecondAnswerReplacesTheFirst() throws {
    var negotiation = SDPNegotiation(Self.wish)
    _ = negotiation.offer()
    try negotiation.accept(Self.answer("m=audio 4000 RTP/AVP 0"))
    try negotiation.accept(Self.answer("m=audio 5000 RTP/AVP 8"))
    #expect(negotiation.parameters?.remote?.port == 5000)
    #expect(negotiation.parameters?.codec == .pcma)
  }

  /// A re-INVITE without SDP gets our whole wish, also on hold (versatica/JsSIP#612), and keeps what was numbered.
  @Test func aReofferIsTheFullWishInTheOldFrame() throws {
    var negotiation = SDPNegotiation(Self.wish)
    let first = try negotiation.answer(
      to: Self.answer(
        "m=video 5000 RTP/AVP 99", "m=audio 4000 RTP/AVP 98 97", "a=rtpmap:98 opus/48000/2",
        "a=rtpmap:97 telephone-event/48000", "a=sendonly"))
    #expect(negotiation.parameters?.isHeld == true)
    let again = negotiation.offer()
    #expect(again.media.map(\.kind) == ["video", "audio"])
    #expect(again.media.map(\.port) == [0, 20000])
    #expect(again.media[1].attributes.contains(.init("sendrecv")))
    #expect(again.media[1].values("rtpmap").contains("98 opus/48000/2"))
    #expect(again.media[1].values("rtpmap").contains("97 telephone-event/48000"))
    #expect(Set(again.media[1].formats).count == again.media[1].formats.count)
    #expect(again.media[1].formats.count == 6)
    #expect(again.origin.version == first.origin.version + 1)
    try negotiation.accept(
      Self.answer("m=video 0 RTP/AVP 99", "m=audio 4000 RTP/AVP 98", "a=rtpmap:98 opus/48000/2"))
    #expect(negotiation.parameters?.isHeld == false)
    #expect(negotiation.parameters?.codec == .opus)
  }

  @Test func aHoldOfOurs() throws {
    var negotiation = SDPNegotiation(Self.wish)
    _ = negotiation.offer()
    try negotiation.accept(Self.answer("m=audio 4000 RTP/AVP 0"))
    negotiation.wish.direction = .sendonly
    let hold = negotiation.offer()
    #expect(hold.media[0].attributes.contains(.init("sendonly")))
    try negotiation.accept(Self.answer("m=audio 4000 RTP/AVP 0", "a=recvonly"))
    #expect(negotiation.parameters?.direction == .sendonly)
  }

  @Test func aRefreshRepeatsItselfAndTakesAnAnswer() throws {
    var negotiation = SDPNegotiation(Self.wish)
    let first = try negotiation.answer(to: Self.answer("m=audio 4000 RTP/AVP 0"))
    #expect(negotiation.refreshOffer() == first)
    try negotiation.accept(Self.answer("m=audio 4002 RTP/AVP 0"))
    #expect(negotiation.parameters?.remote?.port == 4002)
    #expect(negotiation.local == first)
  }
}
