import Foundation
import RouterCore
import RouterTesting
import Testing

/// The VoIP providers that have an emulator, one of them in both of its languages.
enum EmulatedProvider: String, CaseIterable, Sendable {
  case twilio, telnyx, texml, vonage

  /// What `routerd emulate` and `providers:` call it.
  var kind: String { self == .texml ? "telnyx" : rawValue }
  /// Who calls there: records are found by it.
  var caller: String { "+1555010000\((EmulatedProvider.allCases.firstIndex(of: self) ?? 0) + 1)" }
}

/// A routerd with a web listener and an account at every provider, each of which is emulated by a process of its own.
final class ProvidersOnStage: Sendable {
  /// An agent that gives callers to a person.
  static let handoff = """
    humanHandoff:
      enabled: true
      transferExtension: 0200
      transferDescription: When the caller asks for a person
    """

  /// A shop that answers questions, and one who tells a story that does not end soon.
  static let routes = """
    agents:
      shop:
        initialSpeech: Hello, this is the shop.
        voiceId: slt
        faqCollections: [shop]
        \(handoff.replacing("\n", with: "\n    "))
      storyteller:
        initialSpeech: >-
          Once upon a time there was a bicycle shop at the end of a very long lane, and in it there lived an old man who knew a
          great many stories about wheels and gears and chains, and who told them to everybody who came by, from the first to the
          last, whether they wanted to hear them or not, until the lamps were lit in the evening.
        faqCollections: [shop]
    faqCollections:
      shop:
        - {question: When are you open?, answer: We are open from nine to five.}
        - {question: Where are you?, answer: "At twelve Mill Lane."}
    routes:
      - {name: shop, match: {channel: voip, to: +15550100002}, agent: shop}
      - {name: stories, match: {channel: voip, to: +15550100003}, agent: storyteller}
    """

  let routerd: ServingRouterd
  private let web: Int
  private let certificate: Certificate?
  private let ports: [EmulatedProvider: Int]

  /// - Parameters:
  ///   - routes: The route file, besides `providers:`, whose other entries are `models`.
  ///   - limits: Of the web listener, in braces.
  ///   - certificate: For a web listener with TLS.
  init(
    routes: String, models: String = "", limits: String = "", certificate: Certificate? = nil
  ) async throws {
    self.certificate = certificate
    let place = try Workplace()
    let keys = try place.rsaKey()
    var ports: [EmulatedProvider: Int] = [:]
    for provider in EmulatedProvider.allCases {
      ports[provider] = try ProvidersOnStage.unusedPort(but: Set(ports.values))
    }
    self.ports = ports
    func url(_ provider: EmulatedProvider) -> String { "\"http://127.0.0.1:\(ports[provider] ?? 0)\"" }
    let key = "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik="
    let accounts = """
      providers:
        twilio: {type: twilio, accountSid: AC00000000000000000000000000000000, authToken: token, apiURL: \(url(.twilio)),
                 transferDomain: pbx.example.com}
        telnyx: {type: telnyx, apiKey: key, publicKey: \(key), connectionId: "1", apiURL: \(url(.telnyx)),
                 transferDomain: pbx.example.com}
        texml: {type: telnyx, apiKey: key, publicKey: \(key), connectionId: "2", apiURL: \(url(.texml)),
                transferDomain: pbx.example.com}
        vonage: {type: vonage, signatureSecret: secret, applicationId: 00000000-0000-0000-0000-000000000000,
                 privateKey: "${file:\(keys.privateKey)}", apiURL: \(url(.vonage)), transferDomain: pbx.example.com}
      """
    let scheme = certificate == nil ? "http" : "https"
    let files = certificate.map { ", certificate: \"\($0.file)\", privateKey: \"\($0.keyFile)\"" } ?? ""
    routerd = try await ServingRouterd(
      routes: ["main.yaml": accounts + "\n" + models + routes],
      settings: "web: {listen: [\"\(scheme):127.0.0.1:0\"], limits: {\(limits)}\(files)}", workplace: place)
    web = try await routerd.port(of: scheme)
  }

  /// A port that nobody listens on, below those that the system gives to whoever connects somewhere.
  private static func unusedPort(but taken: Set<Int>) throws -> Int {
    for _ in 0..<1000 {
      let port = Int.random(in: 20_000..<32_000)
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(descriptor) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = in_port_t(port).bigEndian
      address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
      let bound = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      if bound == 0, !taken.contains(port) { return port }
    }
    throw ServingRouterd.Failure("no port is free")
  }

  /// One whole call by a provider.
  func call(_ provider: EmulatedProvider, _ options: [String]) async throws -> Finished {
    var own = [
      "emulate", provider.kind, "--port", "\(ports[provider] ?? 0)", "--from", provider.caller, "--webhook",
      "\(certificate == nil ? "http" : "https")://127.0.0.1:\(web)/voip/\(provider.kind)", "--seconds", "90",
    ]
    if let certificate { own += ["--authorities", certificate.file] }
    switch provider {
    case .twilio: break
    case .telnyx: own += ["--connection", "1"]
    case .texml: own += ["--connection", "2", "--texml"]
    case .vonage: own += ["--public-key", routerd.workplace.path("public.pem")]
    }
    return try await routerd.workplace.run(own + options)
  }

  /// The same call by every provider, at the same time; what each printed, and its record.
  func everybody(
    _ options: @escaping @Sendable (EmulatedProvider) -> [String]
  ) async throws -> [(provider: EmulatedProvider, call: Finished, record: CallRecord)] {
    let calls = try await withThrowingTaskGroup(of: (EmulatedProvider, Finished).self) { group in
      for provider in EmulatedProvider.allCases {
        group.addTask { (provider, try await self.call(provider, options(provider))) }
      }
      return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    // The call of a caller who was refused may be over for the provider before its record is written.
    var records = try await routerd.records()
    for _ in 0..<100 where records.count < EmulatedProvider.allCases.count {
      try await Task.sleep(for: .milliseconds(50))
      records = try await routerd.records()
    }
    return try EmulatedProvider.allCases.map { provider in
      let call = try #require(calls[provider])
      #expect(call.code == 0, "\(provider): \(call.output)\(call.errors)")
      let record = try #require(
        records.first { $0.from.user == provider.caller }, "\(provider): \(call.output)\(call.errors)")
      #expect(record.channel == .voip && record.provider == provider.kind)
      return (provider, call, record)
    }
  }
}
