/// Makes the schema of a tool's parameters one that models take. Schemas come from people and from other servers, and one
/// bad tool makes some models refuse all of them: what cannot be repaired is left out alone.
struct ToolSchema {
  /// Schemas in a schema; one with more is not a tool for a telephone.
  static let maximumNodes = 2000
  /// How deep schemas may stand in each other; deeper ones take anything.
  static let maximumDepth = 16

  /// The parameters of a tool without any.
  static let empty: JSONValue = ["type": "object", "properties": [:]]

  /// The schema as models take it; `nil` when its root is not that of an object, or it is too large.
  static func acceptable(_ schema: JSONValue) -> JSONValue? {
    let root: [String: JSONValue]
    switch schema {
    case .object(let members): root = members
    case .null, .bool(true): return empty
    default: return nil
    }
    var cleaning = ToolSchema(root: schema)
    guard case .object(var result)? = cleaning.clean(.object(root), depth: 0, refs: []),
      cleaning.nodes <= maximumNodes
    else { return nil }
    cleaning.liftCombinations(&result)
    switch result["type"] {
    case nil, "object": break
    case .array(let types)? where types.contains("object"): break
    default: return nil
    }
    result["type"] = "object"
    if result["properties"]?.object == nil { result["properties"] = [:] }
    keepRequired(&result)
    return .object(result)
  }

  private let root: JSONValue
  private var nodes = 0

  private init(root: JSONValue) { self.root = root }

  /// Keywords about the schema itself; references are inlined, so nobody needs the definitions.
  private static let dropped: Set<String> = [
    "$schema", "$id", "$anchor", "$comment", "$defs", "definitions", "$dynamicRef", "$dynamicAnchor",
    "$recursiveRef", "$recursiveAnchor", "$vocabulary", "x-mcp-header",
  ]
  private static let single: Set<String> = [
    "items", "additionalProperties", "contains", "not", "if", "then", "else", "propertyNames",
  ]
  private static let many: Set<String> = ["allOf", "anyOf", "oneOf", "prefixItems"]

  /// One schema; `nil` for what is none.
  private mutating func clean(_ schema: JSONValue, depth: Int, refs: Set<String>) -> JSONValue? {
    if case .bool(let anything) = schema { return anything ? [:] : nil }
    guard case .object(var members) = schema else { return nil }
    nodes += 1
    guard nodes <= ToolSchema.maximumNodes, depth <= ToolSchema.maximumDepth else { return [:] }
    var refs = refs
    if let reference = members.removeValue(forKey: "$ref") {
      guard let name = reference.string, !refs.contains(name), let target = resolve(name) else {
        return .object(members.filter { $0.key == "description" })  // of itself, or elsewhere: anything goes
      }
      refs.insert(name)
      members = target.merging(members) { _, own in own }
      if members["$ref"] != nil { return clean(.object(members), depth: depth + 1, refs: refs) }
    }
    var result: [String: JSONValue] = [:]
    for (key, value) in members where !ToolSchema.dropped.contains(key) {
      if key == "properties" || key == "patternProperties" {
        result[key] = properties(value, depth: depth, refs: refs)
      } else if ToolSchema.single.contains(key) {
        if key == "additionalProperties", case .bool = value {
          result[key] = value
        } else {
          result[key] = clean(value, depth: depth + 1, refs: refs)
        }
      } else if ToolSchema.many.contains(key) {
        let parts = value.array?.compactMap { clean($0, depth: depth + 1, refs: refs) } ?? []
        if !parts.isEmpty { result[key] = .array(parts) }
      } else {
        result[key] = value
      }
    }
    if result["type"] == "array", result["items"] == nil { result["items"] = [:] }
    if depth > 0 { ToolSchema.keepRequired(&result) }
    return .object(result)
  }

  private mutating func properties(_ value: JSONValue, depth: Int, refs: Set<String>) -> JSONValue? {
    guard case .object(let members) = value else { return nil }
    var result: [String: JSONValue] = [:]
    for (name, schema) in members.sorted(by: { $0.key < $1.key }) where !name.isEmpty {
      result[name] = clean(schema, depth: depth + 1, refs: refs)
    }
    return .object(result)
  }

  /// What a reference into this schema names (RFC 6901, as a fragment).
  private func resolve(_ reference: String) -> [String: JSONValue]? {
    if reference == "#" { return root.object }
    guard reference.hasPrefix("#/") else { return nil }
    var value = root
    for step in reference.dropFirst(2).split(separator: "/", omittingEmptySubsequences: false) {
      let key = step.replacing("~1", with: "/").replacing("~0", with: "~")
      guard let next = value[String(key)] else { return nil }
      value = next
    }
    return value.object
  }

  /// `allOf` and its kin may not stand at the root: what they say about properties moves up, what they demand only
  /// where all of it is demanded.
  private mutating func liftCombinations(_ schema: inout [String: JSONValue]) {
    var properties = schema["properties"]?.object ?? [:]
    var required = schema["required"]?.array ?? []
    for key in ["allOf", "anyOf", "oneOf"] {
      for part in schema.removeValue(forKey: key)?.array ?? [] {
        properties.merge(part["properties"]?.object ?? [:]) { own, _ in own }
        if key == "allOf" { required += part["required"]?.array ?? [] }
      }
    }
    for key in ["not", "enum", "const", "if", "then", "else"] { schema[key] = nil }
    schema["properties"] = .object(properties)
    schema["required"] = .array(required)
  }

  /// `required` without what is no property, and not empty.
  private static func keepRequired(_ schema: inout [String: JSONValue]) {
    guard let required = schema["required"] else { return }
    let properties = schema["properties"]?.object ?? [:]
    var kept: [JSONValue] = []
    for name in required.array ?? [] where !kept.contains(name) {
      if let text = name.string, properties[text] != nil { kept.append(name) }
    }
    schema["required"] = kept.isEmpty ? nil : .array(kept)
  }
}
