import Foundation
import RouterCore
import RouterTesting
import Testing

/// What the test phone does beyond a plain call: encryption, passwords, certificates, calling somebody else.
@Suite(.serialized) struct PhoneSecurityTests {
  static let routes = """
    trunks:
      local: {addresses: [127.0.0.0/8], auth: {username: ann, password: pass word}}
    providers:
      echo: {type: echo}
    agents:
      echo: {provider: echo}
    routes:
      - {name: echo, match: {to: echo}, agent: echo}
      - {name: desk, match: {to: desk}, transfer: echo}
      - {name: nobody, match: {to: lost}, transfer: nowhere}
    """

  /// Serves UDP and TLS, encrypted audio where the caller wants it.
  private func serve(srtp: String = "optional", auth: Bool = false) async throws -> ServingRouterd {
    let certificate = try await Certificate.selfSigned()
    let routes =
      auth ? Self.routes : Self.routes.replacing(", auth: {username: ann, password: pass word}", with: "")
    return try await ServingRouterd(
      routes: ["main.yaml": routes],
      sip: """
        listen: [udp:127.0.0.1:0, tls:127.0.0.1:0]
        certificate: \(certificate.file)
        privateKey: \(certificate.keyFile)
        media: {ports: 16500-16999, srtp: \(srtp)}
        """)
  }

  private func call(
    _ routerd: ServingRouterd, _ user: String, transport: String = "udp", _ arguments: [String]
  ) async throws -> Finished {
    let port = try await routerd.port(of: transport)
    return try await routerd.workplace.run(
      ["call", "sip:\(user)@127.0.0.1:\(port)", "--transport", transport, "--json", "--patience", "1"]
        + arguments)
  }

  @Test(arguments: ["accept", "prefer", "require"]) func encryptedOverTLS(_ srtp: String) async throws {
    let routerd = try await serve()
    let call = try await call(routerd, "echo", transport: "tls", ["--insecure", "--srtp", srtp])
    #expect(call.code == 0, "\(call.output)\(call.errors)")
    let answered = try #require(call.events("answered").first)
    // An offer without keys is answered without.
    #expect(answered["encrypted"] as? Bool == (srtp != "accept"))
    #expect(call.events("ended").first?["packetsReceived"] as? Int ?? 0 > 20)
  }

  @Test(arguments: [("off", "require", 488), ("required", "off", 488)])
  func encryptionThatOneSideDoesNotWant(_ server: String, _ phone: String, _ status: Int) async throws {
    let routerd = try await serve(srtp: server)
    let call = try await call(routerd, "echo", transport: "tls", ["--insecure", "--srtp", phone])
    #expect(call.code == 3, "\(call.output)\(call.errors)")
    #expect(call.events("ended").first?["status"] as? Int == status)
  }

  @Test func anUnknownCertificateIsNotBelieved() async throws {
    let routerd = try await serve()
    let call = try await call(routerd, "echo", transport: "tls", [])
    #expect(call.code == 69, "\(call.output)\(call.errors)")
  }

  @Test(arguments: [("pass word", 0), ("guess", 3)]) func aPassword(_ password: String, _ code: Int32)
    async throws
  {
    let routerd = try await serve(auth: true)
    let call = try await call(routerd, "echo", ["--user", "ann", "--password", password])
    #expect(call.code == code, "\(call.output)\(call.errors)")
    #expect(!(call.output + call.errors).contains(password))
  }

  @Test func withoutAPassword() async throws {
    let routerd = try await serve(auth: true)
    let call = try await call(routerd, "echo", [])
    #expect(call.code == 3)
    #expect([401, 407].contains(call.events("ended").first?["status"] as? Int))
  }

  @Test(arguments: [("desk", 200), ("lost", 404)]) func itCallsWhomItIsReferredTo(
    _ user: String, _ status: Int
  ) async throws {
    let routerd = try await serve()
    // Extensions live where the caller says that it lives.
    let from = "sip:ann@127.0.0.1:\(try await routerd.port(of: "udp"))"
    let call = try await call(routerd, user, ["--answer-refer", "dial", "--seconds", "20", "--from", from])
    #expect(call.events("dialled").last?["status"] as? Int == status, "\(call.output)\(call.errors)")
    try await routerd.wait(forLiveCalls: 0)
    let records = try await routerd.records()
    #expect(Set(records.compactMap(\.route)).contains(user == "desk" ? "echo" : "nobody"))
    if user == "desk" {
      #expect(records.contains { $0.route == "desk" && $0.end.reason == .transferred })
    }
  }

  @Test(arguments: [("busy", "busy"), ("decline", "decline")])
  func itSaysNo(_ answer: String, _ told: String) async throws {
    let routerd = try await serve()
    let call = try await call(routerd, "desk", ["--answer-refer", answer, "--seconds", "20"])
    #expect(call.events("referred").first?["answer"] as? String == told, "\(call.output)\(call.errors)")
    let record = try #require(try await routerd.records().first { $0.route == "desk" })
    #expect(record.end.reason != .transferred)
  }

  /// An agent that waits for the caller is spoken to all the same.
  @Test func aSilentAgentIsSpokenTo() async throws {
    let routerd = try await serve()
    let port = try await routerd.port(of: "udp")
    let tone = try routerd.workplace.writeTone("tone.wav", seconds: 1)
    let call = try await routerd.workplace.run(
      ["call", "sip:echo@127.0.0.1:\(port)", "--json", "--wav", tone, "--seconds", "20"])
    #expect(call.code == 0, "\(call.output)\(call.errors)")
    // Milliseconds of the call's own clock.
    #expect(call.events("wav").first?["at"] as? Int ?? .max < 6000)
    #expect(call.events("speaks").count == 1)
  }
}
