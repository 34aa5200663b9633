/// Where a value comes from.
enum Origin: Hashable, Sendable, CustomStringConvertible {
  case line(file: String, Int)
  /// So many lines below the beginning of the route that holds it. Routes of one shape share their overrides, so a
  /// table of a million of them fits in memory.
  case below(Int)
  /// Something that is no file: an API resource, the session that asked.
  case resource(String)

  var description: String {
    switch self {
    case .line(let file, let line): "\(file):\(line)"
    case .below(let lines): "line +\(lines)"
    case .resource(let name): name
    }
  }
}

/// A JSON value whose leaves know where they were written. Lists are leaves: an override replaces them whole.
indirect enum Sourced: Hashable, Sendable {
  case leaf(JSONValue, Origin)
  case object([String: Sourced], Origin)

  /// Without the places.
  var json: JSONValue {
    switch self {
    case .leaf(let value, _): value
    case .object(let members, _): .object(members.mapValues(\.json))
    }
  }

  /// All of a value from one place.
  init(_ value: JSONValue, from origin: Origin) {
    if case .object(let members) = value {
      self = .object(members.mapValues { Sourced($0, from: origin) }, origin)
    } else {
      self = .leaf(value, origin)
    }
  }

  /// Merges a patch into this value (RFC 7396); leaves keep their places.
  func merging(_ patch: Sourced) -> Sourced {
    guard case .object(let changes, let origin) = patch else { return patch }
    var members: [String: Sourced] = [:]
    var place = origin
    if case .object(let old, let oldPlace) = self { (members, place) = (old, oldPlace) }
    for (key, change) in changes {
      if case .leaf(.null, _) = change {
        members[key] = nil
      } else {
        members[key] = (members[key] ?? .leaf(.null, origin)).merging(change)
      }
    }
    return .object(members, place)
  }

  /// The same value with every origin replaced.
  func replacingOrigins(_ replace: (Origin) -> Origin) -> Sourced {
    switch self {
    case .leaf(let value, let origin): .leaf(value, replace(origin))
    case .object(let members, let origin):
      .object(members.mapValues { $0.replacingOrigins(replace) }, replace(origin))
    }
  }

  /// Every leaf with its path, sorted by path.
  var leaves: [(path: String, value: JSONValue, origin: Origin)] {
    var result: [(path: String, value: JSONValue, origin: Origin)] = []
    collect(into: &result, path: "")
    return result.sorted { $0.path < $1.path }
  }

  private func collect(into result: inout [(path: String, value: JSONValue, origin: Origin)], path: String) {
    switch self {
    case .leaf(let value, let origin): result.append((path, value, origin))
    case .object(let members, let origin):
      if members.isEmpty, !path.isEmpty { result.append((path, [:], origin)) }
      for (key, value) in members {
        value.collect(into: &result, path: path.isEmpty ? key : "\(path).\(key)")
      }
    }
  }
}

extension Sourced {
  /// Reads a node that ``SchemaCheck`` found sound; texts stay what was typed.
  init(_ node: YAMLNode, _ shape: Shape) {
    switch shape {
    case .object(let object), .patch(let object):
      self = Sourced.object(node, object)
    case .short(let scalar, let object):
      self =
        node.kind == .mapping ? Sourced.object(node, object) : .leaf(JSONValue(node, scalar), node.origin)
    case .named(let value):
      var members: [String: Sourced] = [:]
      node.forEachPair { members[$0.text ?? ""] = Sourced($1, value) }
      self = .object(members, node.origin)
    case .free where node.kind == .mapping:
      var members: [String: Sourced] = [:]
      node.forEachPair { members[$0.text ?? ""] = Sourced($1, .free) }
      self = .object(members, node.origin)
    default:
      self = .leaf(JSONValue(node, shape), node.origin)
    }
  }

  private static func object(_ node: YAMLNode, _ shape: ObjectShape) -> Sourced {
    if node.isNull { return .leaf(.null, node.origin) }
    var members: [String: Sourced] = [:]
    node.forEachPair { key, value in
      let field = shape.index(of: key).map { shape.fields[$0].shape }
      members[key.text ?? ""] = Sourced(value, field ?? shape.others ?? .free)
    }
    return .object(members, node.origin)
  }
}

extension JSONValue {
  /// Reads a node that ``SchemaCheck`` found sound; texts stay what was typed.
  init(_ node: YAMLNode, _ shape: Shape) {
    if node.isNull {
      self = .null
      return
    }
    switch shape {
    case .text, .choice: self = .string(node.text ?? "")
    case .list(let element): self = .array(node.elements.map { JSONValue($0, element) })
    case .oneOrMany(let element):
      self = .array((node.kind == .sequence ? node.elements : [node]).map { JSONValue($0, element) })
    case .shortOrMany(let scalar, let object):
      let nodes = node.kind == .sequence ? node.elements : [node]
      self = .array(nodes.map { JSONValue($0, .short(scalar, object)) })
    case .integer, .number, .boolean, .free: self = node.json
    case .named, .object, .short, .patch: self = Sourced(node, shape).json
    }
  }
}

extension YAMLNode {
  var origin: Origin { .line(file: document.file, Int(entry.line)) }
}
