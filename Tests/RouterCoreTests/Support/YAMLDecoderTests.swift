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
    ("listeners: [1]", "s.yaml:1:13: error: keys and values are wanted here, not '1'"),
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

  struct Rule: Decodable {
    enum CodingKeys: CodingKey { case from, to, names }
    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      let names = try values.decodeIfPresent([String: Int].self, forKey: .names) ?? [:]
      let from = try values.decodeIfPresent(Int.self, forKey: .from) ?? 0
      let to = try values.decodeIfPresent(Int.self, forKey: .to) ?? 0
      if names["x"] == 0 {
        throw DecodingError.dataCorruptedError(forKey: .names, in: values, debugDescription: "x is 0")
      }
      if from > to {
        throw DecodingError.dataCorruptedError(forKey: .from, in: values, debugDescription: "backwards")
      }
    }
  }

  /// One thing that is wrong hides no other; what only follows from it is not said.
  @Test(arguments: [
    (
      "name: [a]\nlevel: hihg\nlisteners: [{address: a, port: x}, {prot: 1}, 5]\nzzz: 1",
      ["1:7", "2:8", "3:32", "3:36", "3:47", "4:1"]
    ),
    ("name: [a]\nlistenrs: []", ["1:1", "1:7"]),
    ("listeners: {a: 1}\nlevel: max\nzzz: 1", ["1:12", "2:8"]),
  ])
  func everythingIsSaidAtOnce(text: String, places: [String]) throws {
    #expect(try self.places(Settings.self, text) == places)
  }

  @Test(arguments: [
    ("{from: 3, to: 1}", ["1:8"]),
    ("{from: x, to: y, names: {a: b, c: d}}", ["1:8", "1:15", "1:29", "1:35"]),
    ("{from: 3, to: x}", ["1:15"]), ("{from: 3, to: 1, names: {x: 0}, zzz: 1}", ["1:25"]),
    ("{from: 3, to: 4, zzz: 1}", ["1:18"]),
  ])
  func whatFollowsIsNotSaid(text: String, places: [String]) throws {
    #expect(try self.places(Rule.self, text) == places)
  }

  private func places<T: Decodable>(_ type: T.Type, _ text: String) throws -> [String] {
    let node = try #require(try YAML.parse(text, file: "s.yaml"))
    do { _ = try YAMLDecoder.decode(type, from: node) } catch {
      return error.all.map { "\($0.location?.line ?? 0):\($0.location?.column ?? 0)" }
    }
    return []
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
