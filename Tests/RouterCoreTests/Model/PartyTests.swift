import RouterCore
import Testing

/// Who calls, as the network named them.
@Suite struct PartyTests {
  /// A caller may send 64 KB of name; routes, records and transcripts get a name's worth of it.
  @Test func namesHaveALength() {
    let long = String(repeating: "ü", count: 30_000)
    let party = Party(user: long, host: long, uri: "sip:" + long, displayName: long)
    for text in [party.user, party.host, party.uri, party.displayName ?? ""] {
      #expect((500...512).contains(text.utf8.count))
      #expect(text.unicodeScalars.allSatisfy { $0 != "\u{fffd}" })
    }
    #expect(Party(user: long).uri.utf8.count <= 512)
    let call = InboundCall(
      channel: .sip, from: party, to: party, diversion: Array(repeating: party, count: 1000), language: long,
      foreignID: long)
    #expect(call.diversion.count == 16)
    #expect((call.language ?? "").utf8.count <= 512)
    #expect((call.foreignID ?? "").utf8.count <= 512)
    #expect(CallEnd(.callerHungUp, text: long).text.utf8.count <= 1000)
    let usual = Party(user: "+15550100001", host: "example.com", displayName: "Ann")
    #expect(usual.uri == "sip:+15550100001@example.com")
  }
}
