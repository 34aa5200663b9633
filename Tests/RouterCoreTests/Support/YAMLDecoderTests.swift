import RouterCore
import Testing

@Suite struct YAMLDecoderTests {
  struct Listener: Decodable, Equatable {
    var address: String
    var port: UInt16
    var tls: Bool?
    var tags: [String: String]?
    var extra: JSONValue?
  }
  struct Settings: Decodable, Equatable {
    enum Level: String, Decodable, CaseIterable { case low, high }
    var name: String?
    var level: Level?
    var listeners: [Listener]
  }

  private func decode<T: Decodable>(_ type: T.Type, _ text: String) throws -> T {
    try YAMLDecoder.decode(type, from: try #require(try YAML.parse(text, file: "s.yaml")))
  }

  private func failure<T: Decodable>(_ type: T.Type, _ text: String) throws -> String {
    let node = try #require(try YAML.parse(text, file: "s.yaml"))
    do {
      _ = try YAMLDecoder.decode(type, from: node)
      return "no error"
    } catch {
      return error.rendered
    }
  }

  @Test func scalarsAreReadByTheTypeThatIsWanted() throws {
    let settings = try decode(
      Settings.self,
      """
      name: 0123
      level: high
      listeners:
        - {address: 127.0.0.1, port: 5060, tls: true, tags: {a: no, b: 12}}
        - {address: "::1", port: 5061, tls: ~, extra: {threshold: 0.5, list: [1, x]}}
      """)
    #expect(settings.name == "0123")
    #expect(settings.level == .high)
    #expect(
      settings.listeners == [
        Listener(address: "127.0.0.1", port: 5060, tls: true, tags: ["a": "no", "b": "12"], extra: nil),
        Listener(
          address: "::1", port: 5061, tls: nil, tags: nil, extra: ["threshold": 0.5, "list": [1, "x"]]),
      ])
  }

  @Test(arguments: [
    ("listeners: [{address: a, prot: 1}]", "s.yaml:1:13: error: 'port' is missing here"),
    ("listeners: [{address: a, prot: 1}]", "hint: 'prot' is not known: did you mean 'port'?"),
    ("listeners: []\nlistenres: []", "s.yaml:2:1: error: unknown key 'listenres' here"),
    ("listeners: []\nlistenres: []", "hint: did you mean 'listeners'?"),
    ("listeners: []\nzzzzzz: 1", "hint: understood are: level, listeners, name"),
    ("listeners: [{address: a, port: 70000}]", "s.yaml:1:32: error: 70000 is not from 0 to 65535"),
    ("listeners: [{address: a, port: '5060'}]", "a whole number is wanted here, not text in quotes"),
    ("listeners: [{address: a, port: '5060'}]", "hint: write it without quotes"),
    ("listeners: [{address: a, port: 1, tls: yes}]", "true or false is wanted here, not 'yes'"),
    ("listeners: [{address: a, port: 1, tls: yes}]", "hint: write true"),
    ("listeners: {a: 1}", "a list is wanted here, not keys and values"),
    ("listeners: [1]", "s.yaml:1:13: error: keys and values is wanted here, not '1'"),
    ("name: [a]\nlisteners: []", "text is wanted here, not a list"),
    (
      "level: hihg\nlisteners: []",
      "s.yaml:1:8: error: 'hihg' is not understood here\n"
    ),
    ("level: hihg\nlisteners: []", "hint: did you mean 'high'?"),
    ("level: max\nlisteners: []", "hint: understood are: low, high"),
    ("listeners: [{address: , port: 1}]", "text is wanted here, not nothing"),
  ])
  func whatIsWrongIsSaidWithItsPlace(text: String, expected: String) throws {
    let message = try failure(Settings.self, text)
    #expect(message.contains(expected), "\(message)")
  }

  @Test func stringsGoThroughTheTransform() throws {
    struct Leak: Error, CustomStringConvertible { var description: String { "no such variable" } }
    let decoder = YAMLDecoder { text in
      if text == "${bad}" { throw Leak() }
      return text == "${pw}" ? "secret" : text
    }
    let good = try #require(try YAML.parse("{a: \"${pw}\", b: plain}", file: "s.yaml"))
    #expect(try decoder.decode([String: String].self, from: good) == ["a": "secret", "b": "plain"])
    #expect(try decoder.decode(JSONValue.self, from: good) == ["a": "secret", "b": "plain"])
    let bad = try #require(try YAML.parse("a: \"${bad}\"", file: "s.yaml"))
    #expect(throws: DiagnosticList.self) { try decoder.decode([String: String].self, from: bad) }
  }
}
