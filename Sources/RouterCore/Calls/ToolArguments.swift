/// Checks what a model gives to a tool, as far as it helps the model to do better: required values, types, choices.
enum ToolArguments {
  /// Faults that are told at once.
  static let maximumFaults = 5

  /// A model that wants to say nothing says it in several ways.
  static func normalised(_ arguments: JSONValue) -> JSONValue {
    switch arguments {
    case .null, .string(""): [:]
    default: arguments
    }
  }

  /// What is wrong with the arguments, for the model; `nil` when nothing is.
  static func fault(in arguments: JSONValue, _ schema: JSONValue) -> String? {
    guard case .object = arguments else { return "the arguments must be a JSON object" }
    var faults: [String] = []
    check(arguments, schema, "", depth: 0, &faults)
    guard !faults.isEmpty else { return nil }
    return "wrong arguments: " + faults.prefix(maximumFaults).joined(separator: "; ")
  }

  private static func check(
    _ value: JSONValue, _ schema: JSONValue, _ path: String, depth: Int, _ faults: inout [String]
  ) {
    guard depth < ToolSchema.maximumDepth, faults.count < maximumFaults else { return }
    let name = path.isEmpty ? "the arguments" : path
    let types = schema["type"].map { $0.string.map { [$0] } ?? $0.array?.compactMap(\.string) ?? [] } ?? []
    if !types.isEmpty, !types.contains(where: { fits(value, $0) }) {
      faults.append("\(name) must be \(types.joined(separator: " or ")), not \(kind(of: value))")
      return
    }
    if let choices = schema["enum"]?.array, !choices.contains(value) {
      let list = choices.prefix(20).map(\.text).joined(separator: ", ")
      faults.append("\(name) must be one of \(list)")
    }
    switch value {
    case .object(let members):
      for key in schema["required"]?.array?.compactMap(\.string) ?? [] where members[key] == nil {
        faults.append("\(path.isEmpty ? key : "\(path).\(key)") is missing")
      }
      let required = Set(schema["required"]?.array?.compactMap(\.string) ?? [])
      for (key, member) in members.sorted(by: { $0.key < $1.key }) {
        guard let inner = schema["properties"]?[key] else { continue }
        if member == .null, !required.contains(key) { continue }  // how some models leave a value out
        check(member, inner, path.isEmpty ? key : "\(path).\(key)", depth: depth + 1, &faults)
      }
    case .array(let elements):
      guard let inner = schema["items"] else { return }
      for (index, element) in elements.enumerated() {
        check(element, inner, "\(name)[\(index)]", depth: depth + 1, &faults)
      }
    default: break
    }
  }

  private static func fits(_ value: JSONValue, _ type: String) -> Bool {
    switch (type, value) {
    case ("object", .object), ("array", .array), ("string", .string), ("boolean", .bool), ("null", .null),
      ("number", .integer), ("number", .number), ("integer", .integer):
      true
    case ("integer", .number): value.integer != nil
    case ("object", _), ("array", _), ("string", _), ("boolean", _), ("null", _), ("number", _),
      ("integer", _):
      false
    default: true  // a type that we do not know
    }
  }

  private static func kind(of value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool: "a boolean"
    case .integer, .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}
