internal import RouterCore

/// What a value may be; a strict reading of somebody's schema.
indirect enum Rule: Sendable {
  case any
  case bool
  case text
  case textOf(maximum: Int)
  case choice(Set<String>)
  case integer(ClosedRange<Int>)
  case number(ClosedRange<Double>)
  case null
  case list(Rule)
  /// Members by name; one that is not named is a fault.
  case object([String: Member])
  /// An object with any members.
  case free
  case either([Rule])
  /// Which rule holds is told by a member of the object.
  case tagged(String, [String: Rule])

  struct Member: Sendable {
    var rule: Rule
    var isRequired: Bool
  }

  static func required(_ rule: Rule) -> Member { Member(rule: rule, isRequired: true) }
  static func optional(_ rule: Rule) -> Member { Member(rule: rule, isRequired: false) }

  /// What is wrong with a value, the first thing; `nil` when nothing is.
  func fault(_ value: JSONValue, at path: String = "") -> Fault? {
    switch self {
    case .any: return nil
    case .bool: return value.bool == nil ? wrong(value, "a boolean", path) : nil
    case .text: return value.string == nil ? wrong(value, "a string", path) : nil
    case .textOf(let maximum):
      guard let text = value.string else { return wrong(value, "a string", path) }
      return text.count > maximum ? wrong(value, "a string of at most \(maximum) characters", path) : nil
    case .choice(let choices):
      guard let text = value.string, choices.contains(text) else {
        return wrong(value, "one of \(choices.sorted().joined(separator: ", "))", path)
      }
      return nil
    case .integer(let range):
      guard case .integer(let number) = value, range.contains(number) else {
        return wrong(value, "an integer from \(range.lowerBound) to \(range.upperBound)", path)
      }
      return nil
    case .number(let range):
      guard let number = value.number, range.contains(number) else {
        return wrong(value, "a number from \(range.lowerBound) to \(range.upperBound)", path)
      }
      return nil
    case .null: return value == .null ? nil : wrong(value, "null", path)
    case .list(let rule):
      guard let elements = value.array else { return wrong(value, "an array", path) }
      for (index, element) in elements.enumerated() {
        if let fault = rule.fault(element, at: "\(path)[\(index)]") { return fault }
      }
      return nil
    case .object(let members): return fault(members, value, path)
    case .free: return value.object == nil ? wrong(value, "an object", path) : nil
    case .either(let rules):
      var last: Fault?
      for rule in rules {
        guard let fault = rule.fault(value, at: path) else { return nil }
        last = fault
      }
      return last
    case .tagged(let tag, let rules):
      guard let name = value[tag]?.string else {
        return value.object == nil
          ? wrong(value, "an object", path) : Fault(.missing, Rule.path(path, tag), "it is required")
      }
      guard let rule = rules[name] else {
        return wrong(
          .string(name), "one of \(rules.keys.sorted().joined(separator: ", "))", Rule.path(path, tag))
      }
      return rule.fault(value, at: path)
    }
  }

  private func fault(_ members: [String: Member], _ value: JSONValue, _ path: String) -> Fault? {
    guard let given = value.object else { return wrong(value, "an object", path) }
    for name in given.keys.sorted() where members[name] == nil {
      return Fault(.unknown, Rule.path(path, name), "unknown parameter")
    }
    for (name, member) in members.sorted(by: { $0.key < $1.key }) {
      guard let element = given[name] else {
        if member.isRequired { return Fault(.missing, Rule.path(path, name), "it is required") }
        continue
      }
      if let fault = member.rule.fault(element, at: Rule.path(path, name)) { return fault }
    }
    return nil
  }

  private static func path(_ path: String, _ name: String) -> String {
    path.isEmpty ? name : "\(path).\(name)"
  }

  private func wrong(_ value: JSONValue, _ wanted: String, _ path: String) -> Fault {
    Fault(.invalid, path, "wanted \(wanted), got \(value.text.prefix(80))")
  }

  /// Where and how a value breaks its rule.
  struct Fault: Hashable, Sendable {
    enum Kind: Sendable { case unknown, missing, invalid }
    var kind: Kind
    var path: String
    var message: String

    init(_ kind: Kind, _ path: String, _ message: String) {
      self.kind = kind
      self.path = path
      self.message = message
    }
  }
}
