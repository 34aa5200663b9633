import RouterCore
import RouterTesting
import Testing

/// A softphone as the caller: audio both ways, plain and encrypted.
@Suite(.serialized) struct BaresipTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var settings: String
    var transport: String
    var account = ""
    var codec = "PCMU"
    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "UDP", settings: "listen: [udp:127.0.0.1:0]", transport: "udp"),
    Case(name: "TCP, A-law", settings: "listen: [tcp:127.0.0.1:0]", transport: "tcp", codec: "PCMA"),
    Case(
      name: "TLS and SRTP", settings: "{listen: [tls:127.0.0.1:0], media: {srtp: required}}",
      transport: "tls",
      account: ";mediaenc=srtp-mand"),
    Case(
      name: "SRTP if you like", settings: "listen: [udp:127.0.0.1:0]", transport: "udp",
      account: ";mediaenc=srtp"
    ),
  ]

  @Test(arguments: cases) func soundGoesBothWays(_ each: Case) async throws {
    let heard = Journal<AudioFrame>()
    let certificate = try each.transport == "tls" ? await Certificate.selfSigned() : nil
    let keys = certificate.map { "{certificate: \($0.file), privateKey: \($0.keyFile), listen" }
    let settings = keys.map { each.settings.replacing("{listen", with: $0) } ?? each.settings
    try await Station.open(settings, script: SIPMediaTests.play(heard)) { station in
      var phone = Baresip("sip:600@\(station.addresses[0]);transport=\(each.transport)")
      phone.account = each.account
      phone.codec = each.codec
      let outcome = try await phone.call()
      #expect(outcome.log.contains("Call established"), "\(outcome.log)")
      #expect(Tone.share(of: 1000, in: outcome.heard) > 0.9)
      try await station.journal.over()
      #expect(station.journal.ending?.reason == .callerHungUp)
      if !each.account.isEmpty { #expect(outcome.log.contains("SRTP is Enabled")) }
    }
    #expect(Tone.share(of: 440, in: SIPMediaTests.loud(heard)) > 0.9)
  }

  @Test func plainAudioIsRefusedWhereKeysAreRequired() async throws {
    try await Station.open("media: {srtp: required}") { station in
      var phone = Baresip("sip:600@\(station.udp)")
      phone.seconds = 2
      let outcome = try await phone.call()
      #expect(outcome.log.contains("488"))
      #expect(station.journal.calls.isEmpty)
    }
  }
}
