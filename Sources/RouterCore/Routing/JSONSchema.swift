/// The route file language as a JSON Schema (draft 2020-12), for editors. Made from ``RouteSchema``, which the loader
/// reads files by.
public enum JSONSchema {
  /// The schema of a route file.
  ///
  /// - Parameter types: What providers may say besides what all of them may.
  public static func routeFile(types: ProviderTypes = ProviderTypes()) -> JSONValue {
    var writer = SchemaWriter(types: types)
    var root = writer.properties(RouteSchema.file, isPatch: false)
    // An empty section is nothing, and no error.
    if case .object(let properties) = root["properties"] {
      root["properties"] = .object(properties.mapValues { writer.nullable($0) })
    }
    root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    root["title"] = "routerd route file"
    root["$defs"] = .object(writer.definitions)
    return .object(root)
  }
}

private struct SchemaWriter {
  let types: ProviderTypes
  var definitions: [String: JSONValue] = [:]

  /// Editors read plain scalars as YAML does: `0200` is a number to them, `no` a truth value to some. All of them are
  /// text to us.
  private static let scalar: JSONValue = ["string", "number", "boolean"]

  mutating func schema(_ shape: Shape, isPatch: Bool = false) -> JSONValue {
    let plain = plainSchema(shape, isPatch: isPatch)
    return isPatch ? nullable(plain) : plain
  }

  func nullable(_ schema: JSONValue) -> JSONValue { ["anyOf": [schema, ["type": "null"]]] }

  private mutating func plainSchema(_ shape: Shape, isPatch: Bool) -> JSONValue {
    switch shape {
    case .text(let text):
      guard let pattern = text.pattern else { return ["type": Self.scalar] }
      return ["type": "string", "pattern": .string("(\(pattern))|\\$\\{")]
    case .integer(let range):
      return [
        "type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound),
      ]
    case .number(let range):
      return ["type": "number", "minimum": .number(range.lowerBound), "maximum": .number(range.upperBound)]
    case .boolean: return ["type": "boolean"]
    case .choice(let choices): return ["enum": .array(choices.map { .string($0) })]
    case .free: return [:]
    case .list(let element): return ["type": "array", "items": schema(element)]
    case .oneOrMany(let element):
      let one = schema(element, isPatch: isPatch)
      return ["anyOf": [one, ["type": "array", "items": schema(element)]]]
    case .named(let value):
      return [
        "type": "object", "additionalProperties": schema(value, isPatch: isPatch),
        "propertyNames": ["minLength": 1],
      ]
    case .object(let object): return reference(object, isPatch: isPatch)
    case .short(let scalar, let object):
      return ["anyOf": [schema(scalar), reference(object, isPatch: isPatch)]]
    case .shortOrMany(let scalar, let object):
      let one: JSONValue = schema(.short(scalar, object))
      return ["anyOf": [one, ["type": "array", "items": one]]]
    case .patch(let object): return reference(object, isPatch: true)
    }
  }

  /// Objects are written once, under `$defs`.
  private mutating func reference(_ object: ObjectShape, isPatch: Bool) -> JSONValue {
    let key = SchemaWriter.key(object.noun) + (isPatch ? "-patch" : "")
    let pointer: JSONValue = ["$ref": .string("#/$defs/\(key)")]
    if definitions[key] != nil { return pointer }
    definitions[key] = true  // shapes do not refer to themselves, but two may share one
    definitions[key] = .object(properties(object, isPatch: isPatch))
    if object === RouteSchema.provider { definitions[key] = provider(definitions[key]) }
    return pointer
  }

  /// What may stand in a provider depends on its type.
  private mutating func provider(_ general: JSONValue?) -> JSONValue {
    guard case .object(var members) = general else { preconditionFailure("a shape's schema is an object") }
    var cases: [JSONValue] = []
    for type in types.keys.keys.sorted() {
      cases.append([
        "if": ["properties": ["type": ["const": .string(type)]], "required": ["type"]],
        "then": reference(types.shape(of: type), isPatch: false),
      ])
    }
    if !cases.isEmpty { members["allOf"] = .array(cases) }
    return .object(members)
  }

  /// `a share of a split` → `share-of-a-split`.
  private static func key(_ noun: String) -> String {
    let words = noun.split(separator: " ")
    return (["a", "an", "the"].contains(words.first) ? words.dropFirst() : words[...]).joined(separator: "-")
  }

  mutating func properties(_ object: ObjectShape, isPatch: Bool) -> [String: JSONValue] {
    var properties: [String: JSONValue] = [:]
    for field in object.fields {
      var property = schema(field.shape, isPatch: isPatch)
      if case .object(var members) = property {
        members["description"] = .string(field.doc)
        property = .object(members)
      }
      properties[field.name] = property
    }
    var result: [String: JSONValue] = ["type": "object", "properties": .object(properties)]
    if !object.doc.isEmpty { result["description"] = .string(object.doc) }
    result["additionalProperties"] = object.others.map { schema($0, isPatch: isPatch) } ?? false
    if isPatch { return result }
    let required = object.fields.filter(\.isRequired).map { JSONValue.string($0.name) }
    if !required.isEmpty { result["required"] = .array(required) }
    if !object.exactlyOne.isEmpty {
      result["oneOf"] = .array(object.exactlyOne.map { ["required": [.string($0)]] })
    }
    return result
  }
}
