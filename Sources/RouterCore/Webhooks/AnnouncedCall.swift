extension InboundCall {
  /// Fields that go along with a call for routes to look at, at most; and bytes of them.
  private static let maximumFields = 64
  private static let maximumFieldBytes = 16 << 10

  /// A call as a provider's webhook announced it.
  /// - Parameters:
  ///   - id: The provider's name of it.
  ///   - fields: What routes may look at, each as a header of its name; as many as there is room for.
  ///   - agent: Whose own address the request came to.
  public init(
    announcedBy provider: String, id: String, from: Party, to: Party, fields: [(name: String, value: String)],
    _ request: HTTPServerRequest, agent: String?
  ) {
    self.init(channel: .voip, from: from, to: to, provider: provider)
    headers = InboundCall.bounded(fields)
    sourceAddress = request.remote
    foreignID = id
    defaultAgent = agent
  }

  /// As many of the fields as a route may look at.
  static func bounded(_ fields: [(name: String, value: String)]) -> [Header] {
    var bytes = 0
    return Array(
      fields.prefix(maximumFields).prefix { field in
        bytes += field.name.utf8.count + field.value.utf8.count
        return bytes <= maximumFieldBytes
      }.map { Header($0.name, $0.value) })
  }
}

extension Party {
  /// What providers send as the number of somebody who has none to show: words, and the same words on a telephone's keys.
  private static let nobody: Set<String> = [
    "", "anonymous", "restricted", "unavailable", "unknown", "blocked", "private", "withheld", "+266696687",
    "+7378742833", "+2562533", "+8656696", "+86282452253",
  ]

  /// A caller or a called as a provider writes them: a number, `sip:user@host`, `client:name`, `user@host`.
  public init(announced text: String, name: String? = nil) {
    let lower = text.lowercased()
    let scheme = ["sip:", "sips:", "client:"].first { lower.hasPrefix($0) }
    let rest = scheme.map { text.dropFirst($0.count).prefix { !";?>".contains($0) } } ?? text[...]
    let parts = rest.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    let user = parts.first.map(String.init) ?? ""
    let host = parts.count == 2 ? String(parts[1]) : ""
    self.init(
      user: user, host: host, uri: scheme == nil ? nil : text,
      displayName: name.flatMap { $0.isEmpty ? nil : $0 },
      isAnonymous: Party.nobody.contains(user.lowercased()) || host.lowercased() == "anonymous.invalid")
  }
}
