import Testing

@testable import RouterCore

/// Schemas as people and servers write them, and as models take them.
@Suite struct ToolSchemaTests {
  static let text: JSONValue = ["type": "string"]

  static let cases: [(name: String, schema: JSONValue, accepted: JSONValue?)] = [
    ("nothing", .null, ToolSchema.empty), ("anything", .bool(true), ToolSchema.empty),
    ("empty", [:], ToolSchema.empty),
    ("no properties", ["type": "object"], ToolSchema.empty),
    ("a dialect", ["$schema": "x", "$id": "y", "$comment": "z", "type": "object"], ToolSchema.empty),
    ("a list", ["type": "array"], nil), ("a text", "object", nil), ("false", .bool(false), nil),
    ("null", ["type": "null"], nil),
    ("object or null", ["type": ["object", "null"]], ToolSchema.empty),
    (
      "malformed properties", ["type": "object", "properties": ["type": "object", "a": ["type": "string"]]],
      ["type": "object", "properties": ["a": text]]
    ),
    ("properties that are a list", ["properties": [["a": text]]], ToolSchema.empty),
    (
      "required that is not there", ["properties": ["a": text], "required": ["a", "b", "a", 3]],
      ["type": "object", "properties": ["a": text], "required": ["a"]]
    ),
    (
      "empty required", ["type": "object", "properties": ["a": text], "required": []],
      ["type": "object", "properties": ["a": text]]
    ),
    (
      "a reference", ["$defs": ["t": text], "properties": ["a": ["$ref": "#/$defs/t", "description": "d"]]],
      ["type": "object", "properties": ["a": ["type": "string", "description": "d"]]]
    ),
    (
      "a reference with escapes",
      ["definitions": ["a/b~c": text], "properties": ["a": ["$ref": "#/definitions/a~1b~0c"]]],
      ["type": "object", "properties": ["a": text]]
    ),
    (
      "a reference elsewhere",
      ["properties": ["a": ["$ref": "https://x.example/s.json", "description": "d"]]],
      ["type": "object", "properties": ["a": ["description": "d"]]]
    ),
    (
      "a tree",
      [
        "$defs": ["n": ["type": "object", "properties": ["next": ["$ref": "#/$defs/n"]]]],
        "properties": ["root": ["$ref": "#/$defs/n"]],
      ],
      ["type": "object", "properties": ["root": ["type": "object", "properties": ["next": [:]]]]]
    ),
    (
      "all of", ["allOf": [["properties": ["a": text], "required": ["a"]], ["properties": ["b": text]]]],
      ["type": "object", "properties": ["a": text, "b": text], "required": ["a"]]
    ),
    (
      "one of",
      [
        "type": "object",
        "oneOf": [["properties": ["a": text], "required": ["a"]], ["properties": ["b": text]]],
      ],
      ["type": "object", "properties": ["a": text, "b": text]]
    ),
    (
      "a list without items", ["properties": ["a": ["type": "array"]]],
      ["type": "object", "properties": ["a": ["type": "array", "items": [:]]]]
    ),
    (
      "true as a property", ["properties": ["a": true, "b": false, "": ["type": "string"]]],
      ["type": "object", "properties": ["a": [:]]]
    ),
    (
      "nothing else", ["properties": ["a": text], "additionalProperties": false],
      ["type": "object", "properties": ["a": text], "additionalProperties": false]
    ),
  ]

  @Test(arguments: cases) func schemasAreRepaired(name: String, schema: JSONValue, accepted: JSONValue?) {
    #expect(ToolSchema.acceptable(schema) == accepted, "\(name)")
  }

  @Test func hugeSchemasAreNoTools() {
    var deep: JSONValue = ["type": "string"]
    for _ in 0..<200 { deep = ["type": "object", "properties": ["a": deep]] }
    #expect(ToolSchema.acceptable(deep) != nil, "cut, but there")
    let wide = JSONValue.object(
      Dictionary(uniqueKeysWithValues: (0..<3000).map { ("p\($0)", ["type": "string"] as JSONValue) }))
    #expect(ToolSchema.acceptable(["properties": wide]) == nil)
    // References that double at each level.
    var definitions: [String: JSONValue] = ["d0": ["type": "string"]]
    for level in 1...30 {
      let reference: JSONValue = ["$ref": .string("#/$defs/d\(level - 1)")]
      definitions["d\(level)"] = ["type": "object", "properties": ["a": reference, "b": reference]]
    }
    #expect(
      ToolSchema.acceptable(["$defs": .object(definitions), "properties": ["a": ["$ref": "#/$defs/d30"]]])
        == nil)
  }

  static let schema: JSONValue = [
    "type": "object",
    "properties": [
      "n": ["type": "integer"], "x": ["type": "number"], "s": ["type": "string", "enum": ["a", "b"]],
      "flag": ["type": ["boolean", "null"]], "list": ["type": "array", "items": ["type": "string"]],
      "inner": ["type": "object", "properties": ["k": ["type": "string"]], "required": ["k"]],
    ],
    "required": ["n"],
  ]

  static let arguments: [(value: JSONValue, fault: String?)] = [
    (["n": 1], nil), (["n": 1.0], nil),
    (["n": 1, "x": 2, "s": "a", "flag": .null, "list": ["u"], "inner": ["k": "v"]], nil),
    (["n": 1, "unknown": 5], nil), (["n": 1, "s": .null], nil),
    ([:], "wrong arguments: n is missing"), (["n": .null], "wrong arguments: n must be integer, not null"),
    (["n": "1"], "wrong arguments: n must be integer, not a string"),
    (["n": 1.5], "wrong arguments: n must be integer, not a number"),
    (["n": 1, "s": "c"], "wrong arguments: s must be one of \"a\", \"b\""),
    (["n": 1, "list": ["u", 2]], "wrong arguments: list[1] must be string, not a number"),
    (["n": 1, "inner": [:]], "wrong arguments: inner.k is missing"),
    (["n": 1, "flag": 3], "wrong arguments: flag must be boolean or null, not a number"),
    ("n=1", "the arguments must be a JSON object"), ([1], "the arguments must be a JSON object"),
  ]

  @Test(arguments: arguments) func argumentsAreChecked(value: JSONValue, fault: String?) {
    #expect(ToolArguments.fault(in: value, ToolSchemaTests.schema) == fault)
  }

  @Test func sayingNothingIsNoFault() {
    #expect(ToolArguments.normalised(.null) == [:] && ToolArguments.normalised("") == [:])
  }

  @Test func namesAreLegalAndTheirOwn() {
    var taken: Set<String> = ["hang_up", "look"]
    func name(_ name: String, _ key: String = "shop") -> String {
      let legal = ToolName.legal(name, of: key) { !taken.contains($0) }
      taken.insert(legal)
      return legal
    }
    #expect(name("find_part") == "find_part")
    #expect(name("look") == "shop_look")
    #expect(name("look") == "shop_look_2")
    #expect(name("a.b/c d") == "a_b_c_d")
    #expect(name("日本語") == "___")
    #expect(name("") == "tool")
    let long = name(String(repeating: "x", count: 100))
    let longer = name(String(repeating: "x", count: 101))
    #expect(long.count == 64 && longer.count == 64 && long != longer)
  }
}
