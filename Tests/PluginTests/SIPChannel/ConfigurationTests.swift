import RouterCore
import Testing

@testable import SIPChannel

@Suite struct SIPConfigurationTests {
  private func decode(_ text: String) throws -> SIPChannel.Configuration {
    let node = try #require(try YAML.parse(text, file: "routerd.yaml"))
    return try YAMLDecoder.decode(SIPChannel.Configuration.self, from: node)
  }

  @Test func everythingHasADefault() throws {
    let configuration = try decode("{}")
    #expect(configuration.listen.map(\.description) == ["udp:0.0.0.0:5060", "tcp:0.0.0.0:5060"])
    #expect(configuration.unknownSources == .reject)
    #expect(configuration.sessionTimers.expires == 1800)
    #expect(configuration.sessionTimers.minimum == 90)
    #expect(configuration.media.codecs == [.pcmu, .pcma, .g722, .opus])
    #expect(configuration.media.ports == 10000...19999)
  }

  @Test func everythingCanBeSaid() throws {
    let configuration = try decode(
      """
      listen: [udp:192.0.2.1:5062, "tcp:[2001:db8::1]:5062", "tls:[::]", tcp:0.0.0.0]
      advertise: sip.example.com:5070
      certificate: sip.pem
      privateKey: sip.key
      unknownSources: ignore
      userAgent: ""
      media:
        address: 192.0.2.1
        advertise: 203.0.113.7
        ports: 30000-30999
        timeoutSeconds: 0
        symmetric: on
        codecs: [opus, pcma]
        srtp: required
        inbandDigits: true
      limits: {messageBytes: 8192, connections: 10, connectionsPerAddress: 3, invitesPerSecondPerAddress: 7, callsPerTrunk: 5,
        delayMilliseconds: 50}
      sessionTimers: {expires: 600, minimum: 120}
      """)
    #expect(
      configuration.listen.map(\.description) == [
        "udp:192.0.2.1:5062", "tcp:[2001:db8::1]:5062", "tls:[::]:5061", "tcp:0.0.0.0:5060",
      ])
    #expect(configuration.advertise == "sip.example.com:5070")
    #expect(configuration.unknownSources == .ignore)
    #expect(configuration.media.address == "192.0.2.1")
    #expect(configuration.media.ports == 30000...30999)
    #expect(configuration.media.symmetric == .on)
    #expect(configuration.media.codecs == [.opus, .pcma])
    #expect(configuration.media.srtp == .required)
    #expect(configuration.limits.callsPerTrunk == 5)
    #expect(configuration.limits.delayMilliseconds == 50)
    #expect(configuration.sessionTimers.minimum == 120)
  }

  /// What is wrong, and words that the message must have; the column is that of the value.
  static let wrong: [(String, [String])] = [
    ("listen: [udp:sip.example.com:5060]", ["1:10", "udp:0.0.0.0:5060", "tcp:[::]:5060"]),
    ("listen: [ws:0.0.0.0:80]", ["1:10", "udp, tcp or tls"]),
    ("listen: [udp:0.0.0.0:99999]", ["1:10"]),
    ("listen: [udp:::1]", ["1:10"]),
    ("listen: []", ["1:9", "listen"]),
    ("listen: [tls:0.0.0.0:5061]", ["certificate"]),
    ("{listen: [tls:0.0.0.0:5061], certificate: a.pem}", ["privateKey"]),
    ("unknownSources: refuse", ["1:17", "reject"]),
    ("userAgent: \"a\\nb\"", ["1:12", "userAgent"]),
    ("media: {ports: 20000}", ["1:16", "10000-19999"]),
    ("media: {ports: 20000-10000}", ["1:16"]),
    ("media: {ports: 20-30}", ["1:16", "1024"]),
    ("media: {codecs: [g729]}", ["1:18", "g722"]),
    ("media: {codecs: []}", ["codecs"]),
    ("media: {srtp: yes}", ["1:15", "optional"]),
    ("media: {symmetric: maybe}", ["1:20", "auto"]),
    ("media: {advertise: sip.example.com}", ["1:20", "numeric"]),
    ("media: {timeoutSeconds: -1}", ["1:25", "between 0 and 86400"]),
    ("limits: {callsPerTrunk: 0}", ["1:25", "callsPerTrunk"]),
    ("limits: {callsPerTrunks: 1}", ["1:10", "callsPerTrunk"]),
    ("sessionTimers: {expires: 60}", ["1:26", "90"]),
    ("listeners: []", ["1:1", "listen"]),
  ]

  @Test(arguments: wrong) func mistakesAreNamed(_ text: String, _ words: [String]) throws {
    let error = #expect(throws: DiagnosticList.self) { try decode(text) }
    let message = error.map { $0.all.map(\.rendered).joined() } ?? ""
    for word in words { #expect(message.contains(word), "\(message)") }
  }
}
