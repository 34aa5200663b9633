import RouterCore
import Testing

@Suite struct SessionDescriptionTests {
  static let typical = """
    v=0\r
    o=FreeSWITCH 1700000000 1700000001 IN IP4 198.51.100.7\r
    s=FreeSWITCH\r
    c=IN IP4 198.51.100.7\r
    t=0 0\r
    m=audio 16384 RTP/AVP 102 9 0 8 101\r
    a=rtpmap:102 opus/48000/2\r
    a=fmtp:102 useinbandfec=1; maxaveragebitrate=30000\r
    a=rtpmap:101 telephone-event/8000\r
    a=fmtp:101 0-16\r
    a=sendrecv\r
    a=ptime:20\r

    """

  @Test func readsWhatItSays() throws {
    let session = try SessionDescription(parsing: Self.typical)
    #expect(session.origin.username == "FreeSWITCH")
    #expect(session.origin.version == 1_700_000_001)
    #expect(session.connection?.address == "198.51.100.7")
    #expect(session.media.count == 1)
    #expect(session.media[0].kind == "audio")
    #expect(session.media[0].port == 16384)
    #expect(session.media[0].formats == ["102", "9", "0", "8", "101"])
    #expect(session.media[0].values("rtpmap").count == 2)
    #expect(session.media[0].values("ptime") == ["20"])
  }

  @Test func writesWhatItRead() throws {
    let session = try SessionDescription(parsing: Self.typical)
    #expect(try SessionDescription(parsing: session.text) == session)
    #expect(session.text.hasSuffix("\r\n"))
    #expect(!session.text.replacing("\r\n", with: "").contains("\n"))
  }

  @Test(arguments: [
    (
      "bare line feeds",
      "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\nm=audio 4000 RTP/AVP 0\n"
    ),
    ("no final line end", "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0"),
    (
      "unknown lines",
      "v=0\no=- 1 1 IN IP4 192.0.2.1\nx=?\nc=IN IP4 192.0.2.1\nb=AS:64\nm=audio 4000 RTP/AVP 0\nk=clear:x"
    ),
    ("several blanks", "v=0\no=-  1  1  IN  IP4  192.0.2.1\nc=IN  IP4 192.0.2.1\nm=audio  4000  RTP/AVP  0 "),
    ("empty lines", "v=0\n\no=- 1 1 IN IP4 192.0.2.1\nc=IN IP4 192.0.2.1/127\nm=audio 4000/1 RTP/AVP 0\n\n"),
    (
      "a huge session id",
      "v=0\no=- 99999999999999999999999 99999999999999999999999 IN IP4 192.0.2.1\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0"
    ),
  ])
  func isLenient(_ name: String, _ text: String) throws {
    let session = try SessionDescription(parsing: text)
    #expect(session.connection?.address == "192.0.2.1", "\(name)")
    #expect(session.media.first?.port == 4000, "\(name)")
    #expect(session.media.first?.formats == ["0"], "\(name)")
  }

  @Test(arguments: [
    ("", SDPError.malformed(line: 1, "no o= line")),
    ("\0\0\0", .malformed(line: 1, "control character")),
    ("hello", .malformed(line: 1, "not of the form x=…")),
    ("v=1\no=- 1 1 IN IP4 1.2.3.4", .malformed(line: 1, "not v=0")),
    ("o=- 1 1 IN IP4 1.2.3.4\nv=0", .malformed(line: 1, "not v=0")),
    ("v=0\no=- 1 1", .malformed(line: 2, "o= with fewer than six words")),
    ("v=0\no=- 1 1 IN IP4 a\nc=IN", .malformed(line: 3, "c= with fewer than three words")),
    ("v=0\no=- 1 1 IN IP4 a\nc=ATM NSAP 47", .malformed(line: 3, "c= of an unknown network")),
    ("v=0\no=- 1 1 IN IP4 a\nm=audio", .malformed(line: 3, "m= with fewer than four words")),
    ("v=0\no=- 1 1 IN IP4 a\nm=audio 70000 RTP/AVP 0", .malformed(line: 3, "m= with a bad port")),
    ("v=0\no=- 1 1 IN IP4 a\nm=audio -1 RTP/AVP 0", .malformed(line: 3, "m= with a bad port")),
    ("v=0\no=- 1 1 IN IP4 a\nm=audio 1 RTP\rAVP 0", .malformed(line: 3, "control character")),
  ])
  func namesTheLine(_ text: String, _ expected: SDPError) {
    #expect(throws: expected) { try SessionDescription(parsing: text) }
  }

  /// Made of a pattern and a count, so that a failing run does not print a bomb.
  @Test(arguments: [
    ("bytes", "", "a=x\n", 10_000), ("lines", "", "a=x\n", 1100), ("characters in a line", "a=", "x", 5000),
    ("media", "", "m=audio 1 RTP/AVP 0\n", 17), ("formats", "m=audio 1 RTP/AVP", " 0", 1200),
  ])
  func refusesBombs(_ what: String, _ start: String, _ pattern: String, _ count: Int) {
    let text = "v=0\no=- 1 1 IN IP4 a\n" + start + String(repeating: pattern, count: count)
    #expect(throws: SDPError.tooLarge(what)) { try SessionDescription(parsing: text) }
  }

  /// Any bytes at all end in a value or an error, never in a crash.
  @Test func survivesMutations() {
    var random = SplitMix(seed: 7)
    let good = Array(Self.typical.utf8)
    for _ in 0..<3000 {
      var bytes = good
      for _ in 0..<Int.random(in: 1...12, using: &random) {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        switch UInt8.random(in: 0...2, using: &random) {
        case 0: bytes[at] = .random(in: .min ... .max, using: &random)
        case 1: bytes.remove(at: at)
        default: bytes.insert(bytes[Int.random(in: 0..<bytes.count, using: &random)], at: at)
        }
      }
      guard let offer = try? SessionDescription(parsing: bytes) else { continue }  // an error is fine here
      var negotiation = SDPNegotiation(.init(addresses: ["192.0.2.9"], port: 4000))
      guard let answer = try? negotiation.answer(to: offer) else { continue }  // and here
      #expect(answer.media.count == offer.media.count)
      #expect((try? SessionDescription(parsing: answer.text)) == answer)
    }
  }
}
