import Testing

@testable import RouterCore

/// What may stand in a provider, its type says: whoever misspells a key learns of it before a key of an account goes to
/// another host than the one that was meant.
@Suite struct ProviderKeyTests {
  private static let types: ProviderTypes = {
    var types = ProviderTypes(conversing: ["model", "silent"], others: ["bell"])
    types.keys = [
      "model": [
        ProviderKey("baseURL", as: .url(["https", "http"]), "Where it is."), ProviderKey("apiKey", ""),
        ProviderKey("retries", as: .integer(0...5), "How often."), ProviderKey("eager", as: .boolean, ""),
        ProviderKey("shape", as: .choice(["ga", "beta"]), ""), ProviderKey("speed", as: .number(0.5...2), ""),
        .headers, ProviderKey("parameters", as: .free, ""),
      ],
      "bell": [ProviderKey("token", as: .texts, needed: true, secret: true, "Signs what it sends.")],
    ]
    return types
  }()

  /// `(errors, warnings)`, by message and hint, of a table with one provider.
  private func findings(_ provider: String) -> (errors: [String], warnings: [String]) {
    let table = "agents: {a: {}}\nproviders:\n  p: \(provider)\nroutes: [{agent: a}]\n"
    let source = RouteSource(files: [.init("main.yaml", table)], environment: { _ in "value" })
    func words(_ list: DiagnosticList) -> [String] {
      list.all.map { [$0.message, $0.hint].compactMap { $0 }.joined(separator: " — ") }
    }
    switch RouteTableLoader.load(source, types: Self.types) {
    case .failure(let faults): return (words(faults), [])
    case .success(let snapshot):
      return ([], words(snapshot.warnings).filter { !$0.contains("nothing refers to") })
    }
  }

  @Test(arguments: [
    "{type: model}",
    "{type: model, baseURL: \"http://127.0.0.1:1\", apiKey: \"${env:KEY}\", retries: 2, eager: true}",
    "{type: model, baseURL: \"${env:KEY}\", shape: beta, speed: 1.5}",
    "{type: model, headers: {X-Count: 5}, parameters: {a: 1, b: [c], d: null, e: {f: g}}}",
    "{type: model, speech: {recognizer: offline}, addresses: [10.0.0.0/8]}",
    "{type: bell, token: [\"${env:KEY}\"]}",
    "{type: silent, whatever: {it: reads}}",
  ])
  func whatIsRead(provider: String) {
    let found = findings(provider)
    #expect(found.errors == [] && found.warnings == [], "\(provider)")
  }

  @Test(arguments: [
    (
      "{type: model, url: \"http://127.0.0.1:1\"}",
      "unknown key 'url' in a provider of type 'model' — did you mean 'baseURL'?"
    ),
    (
      "{type: model, api_key: \"${env:KEY}\"}",
      "unknown key 'api_key' in a provider of type 'model' — did you mean 'apiKey'?"
    ),
    (
      "{type: bell, token: \"${env:KEY}\", colour: red}",
      "unknown key 'colour' in a provider of type 'bell' — understood are: type, speech, addresses, token"
    ),
    (
      "{type: model, baseURL: example.com}",
      "'example.com' is no URL for this place — write https://… or http://…"
    ),
    ("{type: model, retries: often}", "'retries' wants a whole number, not 'often' — How often."),
    ("{type: model, retries: 9}", "'retries' is from 0 to 5, not 9 — How often."),
    ("{type: model, eager: yes}", "'eager' wants true or false, not 'yes' — write true"),
    ("{type: model, shape: alpha}", "'shape' wants one of ga, beta, not 'alpha'"),
    ("{type: model, speed: 3}", "'speed' is from 0.5 to 2, not 3"),
    ("{type: model, apiKey: [a]}", "'apiKey' wants text, not a list"),
    ("{type: model, apiKey: }", "'apiKey' wants text, not nothing"),
  ])
  func whatNobodyReads(provider: String, error: String) {
    let found = findings(provider)
    #expect(
      found.errors.count == 1 && found.errors.first?.hasPrefix(error) == true, "\(provider): \(found.errors)")
  }

  @Test func whatNothingWorksWithout() {
    #expect(
      findings("{type: bell}").warnings == [
        "the provider 'p' has no 'token', and is of no use without — Signs what it sends."
      ])
    // Misspelt, it is one fault and not two.
    #expect(
      findings("{type: bell, tokn: \"${env:KEY}\"}").errors == [
        "unknown key 'tokn' in a provider of type 'bell' — did you mean 'token'?"
      ])
  }

  /// Numbers that look like text and text that looks like numbers arrive as what was asked for.
  @Test func valuesAreReadByTheirKey() throws {
    let table = """
      agents: {a: {provider: p}}
      providers: {p: {type: model, apiKey: 0123, retries: 3, headers: {X-Count: 5}, parameters: {n: 5}}}
      routes: [{agent: a}]
      """
    let snapshot = try RouteTableLoader.load(
      RouteSource(files: [.init("main.yaml", table)]), types: Self.types
    ).get()
    #expect(
      snapshot.providers(ofType: "model").first?.settings == [
        "type": "model", "apiKey": "0123", "retries": 3, "headers": ["X-Count": "5"], "parameters": ["n": 5],
      ])
  }
}
