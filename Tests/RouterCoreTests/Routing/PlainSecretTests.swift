import Testing

@testable import RouterCore

/// Passwords and keys in plain words: warned of, with their place, and never shown.
@Suite struct PlainSecretTests {
  @Test(arguments: [
    ("trunks: {t: {auth: {username: gw, password: hunter2}}}", "the 'password' of the trunk 't'", 1, 45),
    (
      "trunks:\n  t:\n    auth:\n      username: gw\n      password:\n        hunter2\n",
      "the 'password' of the trunk 't'", 5, 7
    ),
    (
      "agents: {a: {}}\nconnections: {c: {agentId: a, settings: {server: s, domain: d, username: u, password: hunter2}}}",
      "the 'password' of the connection 'c'", 2, 87
    ),
    ("providers: {p: {type: chat, apiKey: hunter2}}", "the 'apiKey' of the provider 'p'", 1, 37),
    (
      "providers: {p: {type: chat, headers: {Authorization: Bearer hunter2}}}",
      "the 'Authorization' of the provider 'p'", 1, 54
    ),
    (
      "functions: {f: {flow: explicit, url: https://x, secret: hunter2, data: {description: x}}}",
      "the 'secret' of the function 'f'", 1, 57
    ),
    (
      "functions: {f: {flow: explicit, url: https://x, headers: {X-Api-Key: hunter2}, data: {description: x}}}",
      "the 'X-Api-Key' of the function 'f'", 1, 70
    ),
    (
      "mcpServers: {m: {url: https://x, headers: {Cookie: hunter2}}}", "the 'Cookie' of the MCP server 'm'",
      1, 52
    ),
    ("routes: [{reject: 404, hook: {url: https://x, secret: hunter2}}]", "the 'secret' of the hook", 1, 55),
  ])
  func isWarnedOf(table: String, words: String, line: Int, column: Int) throws {
    let found = try Fixture.snapshot(table).warnings.all.filter { $0.message.contains("for all to read") }
    let warning = try #require(found.first)
    #expect(found.count == 1)
    #expect(warning.severity == .warning)
    #expect(warning.message == "\(words) stands here for all to read")
    #expect(warning.hint == "write ${env:NAME} or ${file:PATH}")
    #expect(warning.location == SourceLocation(file: "routes/main.yaml", line: line, column: column))
    // As the command shows it, with lines that are known by their numbers alone.
    let source = Fixture.source([("routes/main.yaml", table)])
    let shown = [warning.rendered, source.quoting(DiagnosticList([warning])).rendered]
    #expect(shown.allSatisfy { !$0.contains("hunter2") })
  }

  @Test(arguments: [
    "trunks: {t: {auth: {username: gw, password: \"${env:WORD}\"}}}",
    "providers: {p: {type: chat, apiKey: \"${env:WORD}\", publicKey: x, monkey: {a: b}, max_tokens: 3}}",
    "providers: {p: {type: chat, apiKey: x, baseURL: \"http://127.0.0.1:11434/v1\"}}",
    "providers: {p: {type: hook, secret: x, url: \"http://localhost:8000/\"}}",
    "functions: {f: {flow: implicit, data: {description: x, parameters: {properties: {token: {type: string}}}}}}",
    "agents: {a: {}}\nroutes: [{agent: a, limit: {calls: 1, key: seats}}]",
  ])
  func isNot(table: String) throws {
    let warnings = try Fixture.snapshot(table, environment: ["WORD": "hunter2"]).warnings
    #expect(!warnings.rendered.contains("for all to read"), "\(warnings.rendered)")
  }
}
