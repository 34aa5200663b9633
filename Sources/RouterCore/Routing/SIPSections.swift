/// A SIP account that routerd registers, from `connections`.
public struct SIPConnection: Hashable, Sendable {
  public enum Transport: String, Sendable {
    case udp = "UDP"
    case tcp = "TCP"
    case tls = "TLS"
  }

  public var name: String
  /// Who answers its calls when no route matches.
  public var agentId: String
  public var server: String
  public var port: Int
  public var domain: String
  public var username: String
  /// In place of its reference: never log it.
  public var password: String
  public var transport: Transport
  /// The number that calls out show.
  public var callerId: String?
  /// The region of its national numbers.
  public var region: String?
  /// Where it is written.
  var location: SourceLocation
}

extension SIPConnection {
  init(name: String, at location: SourceLocation, _ node: YAMLNode, _ secrets: Secrets) {
    self.location = location
    let settings = node["settings"]
    func text(_ key: String) -> String? { settings?[key]?.text.map(secrets.fill) }
    self.name = name
    agentId = node["agentId"]?.text ?? ""
    server = text("server") ?? ""
    transport = text("transport").flatMap(Transport.init) ?? .udp
    port = settings?["port"]?.integer ?? (transport == .tls ? 5061 : 5060)
    domain = text("domain") ?? ""
    username = text("username") ?? ""
    password = text("password") ?? ""
    callerId = text("callerId")
    region = node["region"]?.text
  }
}

extension Trunk {
  init(name: String, _ node: YAMLNode, _ secrets: Secrets) {
    let sources = node["calledNumberFrom"].map { $0.kind == .sequence ? $0.elements : [$0] } ?? []
    var credentials: Credentials?
    if let auth = node["auth"] {
      credentials = Credentials(
        username: secrets.fill(auth["username"]?.text ?? ""),
        password: secrets.fill(auth["password"]?.text ?? ""))
    }
    self.init(
      name: name, addresses: node["addresses"]?.elements.compactMap(\.text) ?? [], credentials: credentials,
      region: node["region"]?.text,
      calledNumberFrom: sources.isEmpty
        ? [.requestURI] : sources.compactMap { CalledNumberSource($0.text ?? "") },
      maximumCalls: node["limit"].flatMap { $0["calls"]?.integer ?? $0.integer })
  }
}

extension Trunk.CalledNumberSource {
  /// From the word of a route file.
  init?(_ text: String) {
    switch text.lowercased() {
    case "request-uri": self = .requestURI
    case "to": self = .to
    case "p-called-party-id": self = .calledPartyID
    case "diversion": self = .diversion
    case let other where other.hasPrefix("header:") && other.utf8.count > 7:
      self = .header(String(text.dropFirst(7)))
    default: return nil
    }
  }

  static let fault: @Sendable (String) -> TextFault? = { text in
    if Trunk.CalledNumberSource(text) != nil { return nil }
    let known = ["request-uri", "to", "p-called-party-id", "diversion", "header:NAME"]
    let near = Suggestion.nearest(to: text, in: known)
    return TextFault(
      "'\(text)' is no source of the called number",
      hint: near.map { "did you mean '\($0)'?" } ?? "understood are: \(known.joined(separator: ", "))")
  }
}
