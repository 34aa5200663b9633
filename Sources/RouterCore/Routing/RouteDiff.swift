/// What differs between two tables. Secrets show as references.
public struct RouteDiff: Sendable {
  public struct Change: Sendable, Hashable {
    public enum Kind: String, Sendable {
      case added, removed, changed
    }
    /// `routes`, `agents`, `trunks`, …
    public var section: String
    public var name: String
    public var kind: Kind
    /// For what changed: `agent: support → night-desk`.
    public var details: [String]
  }

  /// More changes are counted, not listed.
  public static let maximumChanges = 1000

  public var oldVersion: String
  public var newVersion: String
  public private(set) var changes: [Change] = []
  public private(set) var moreChanges = 0
  public var isEmpty: Bool { changes.isEmpty }

  /// Compares two snapshots. Routes without a name are compared by what they take.
  public init(from old: RouteSnapshot, to new: RouteSnapshot) {
    oldVersion = old.version
    newVersion = new.version
    compareRoutes(old, new)
    let sections = Set(old.sections.keys).union(new.sections.keys).sorted()
    for section in sections { compare(section, old.sections[section] ?? [:], new.sections[section] ?? [:]) }
  }

  private mutating func append(
    _ section: String, _ name: String, _ kind: Change.Kind, _ details: [String] = []
  ) {
    guard changes.count < RouteDiff.maximumChanges else {
      moreChanges += 1
      return
    }
    changes.append(Change(section: section, name: name, kind: kind, details: details))
  }

  private mutating func compare(_ section: String, _ old: [String: JSONValue], _ new: [String: JSONValue]) {
    for name in Set(old.keys).union(new.keys).sorted() {
      switch (old[name], new[name]) {
      case (nil, .some): append(section, name, .added)
      case (.some, nil): append(section, name, .removed)
      case (let before?, let after?) where before != after:
        append(section, name, .changed, RouteDiff.details(before, after, path: ""))
      default: break
      }
    }
  }

  /// Secrets that stand there in plain words are hidden.
  private static func details(
    _ old: JSONValue, _ new: JSONValue, path: String, isSecret: Bool = false
  ) -> [String] {
    if case .object(let a) = old, case .object(let b) = new {
      return Set(a.keys).union(b.keys).sorted().flatMap { key -> [String] in
        let place = path.isEmpty ? key : "\(path).\(key)"
        let isSecret = isSecret || SecretTexts.isSecret(key)
        switch (a[key], b[key]) {
        case (let x?, let y?): return x == y ? [] : details(x, y, path: place, isSecret: isSecret)
        case (nil, let y?): return ["\(place): added \(words(y, isSecret))"]
        case (let x?, nil): return ["\(place): removed \(words(x, isSecret))"]
        case (nil, nil): return []
        }
      }
    }
    return ["\(path): \(words(old, isSecret)) → \(words(new, isSecret))"]
  }

  private static func words(_ value: JSONValue, _ isSecret: Bool) -> String {
    JSONText.compact(SecretSettings.hidden(value, isSecret: isSecret), limit: 60)
  }

  // MARK: Routes

  private mutating func compareRoutes(_ old: RouteSnapshot, _ new: RouteSnapshot) {
    let before = RouteDiff.keys(old)
    var missing = before
    for route in new.table.routes.indices {
      let key = RouteDiff.key(route, new.table)
      missing[key] = nil
      guard let previous = before[key] else {
        append("routes", key, .added, [new.summary(of: route).targets.joined(separator: ", then ")])
        continue
      }
      if RouteDiff.isSame(previous, old.table, route, new.table) { continue }
      append("routes", key, .changed, RouteDiff.details(old, previous, new, route))
    }
    for (key, _) in missing.sorted(by: { $0.value < $1.value }) { append("routes", key, .removed) }
  }

  private static func keys(_ snapshot: RouteSnapshot) -> [String: Int] {
    var keys: [String: Int] = Dictionary(minimumCapacity: snapshot.table.routes.count)
    for route in snapshot.table.routes.indices { keys[key(route, snapshot.table)] = route }
    return keys
  }

  /// The name; for a route that has none, what it takes.
  private static func key(_ route: Int, _ table: RouteTable) -> String {
    let name = table.texts[table.routes[route].name]
    if !name.isEmpty { return name }
    let conditions = table.conditions[Int(table.routes[route].conditions)].map { "\($0.key) \($0.expected)" }
    let to = table.to(of: route).joined(separator: ", ")
    return "(\(([to.isEmpty ? "any number" : "to \(to)"] + conditions).joined(separator: "; ")))"
  }

  private static func isSame(_ a: Int, _ first: RouteTable, _ b: Int, _ second: RouteTable) -> Bool {
    let (x, y) = (first.routes[a], second.routes[b])
    return x.priority == y.priority && first.texts[x.to] == second.texts[y.to]
      && first.conditions[Int(x.conditions)] == second.conditions[Int(y.conditions)]
      && first.actionContent(Int(x.action)) == second.actionContent(Int(y.action))
  }

  private static func details(_ old: RouteSnapshot, _ a: Int, _ new: RouteSnapshot, _ b: Int) -> [String] {
    let (x, y) = (old.summary(of: a), new.summary(of: b))
    var details: [String] = []
    func compare(_ name: String, _ before: String, _ after: String) {
      if before != after {
        details.append("\(name): \(before.isEmpty ? "none" : before) → \(after.isEmpty ? "none" : after)")
      }
    }
    compare("priority", "\(x.priority)", "\(y.priority)")
    compare("to", x.to.joined(separator: ", "), y.to.joined(separator: ", "))
    compare("match", x.conditions.joined(separator: "; "), y.conditions.joined(separator: "; "))
    compare("goes to", x.targets.joined(separator: ", then "), y.targets.joined(separator: ", then "))
    compare("limit", x.limit ?? "", y.limit ?? "")
    let (before, after) = (
      old.table.actionContent(Int(old.table.routes[a].action)),
      new.table.actionContent(Int(new.table.routes[b].action))
    )
    if before.overrides != after.overrides {
      details += RouteDiff.details(.array(before.overrides), .array(after.overrides), path: "overrides")
    }
    if before.action.hook != after.action.hook { details.append("hook: changed") }
    return details
  }

  /// For a terminal.
  public var lines: [String] {
    if isEmpty { return ["no difference (\(oldVersion) and \(newVersion))"] }
    var lines = ["\(oldVersion) → \(newVersion)"]
    for change in changes {
      let sign = change.kind == .added ? "+" : change.kind == .removed ? "-" : "~"
      lines.append("\(sign) \(change.section) \(change.name)")
      lines += change.details.map { "    \($0)" }
    }
    if moreChanges > 0 { lines.append("… and \(moreChanges) more") }
    return lines
  }

  /// For programs.
  public var json: JSONValue {
    [
      "from": .string(oldVersion), "to": .string(newVersion), "more": .integer(moreChanges),
      "changes": .array(
        changes.map { change in
          [
            "section": .string(change.section), "name": .string(change.name),
            "kind": .string(change.kind.rawValue),
            "details": .array(change.details.map { .string($0) }),
          ]
        }),
    ]
  }
}

extension RouteTable {
  /// An action with its overrides by value: positions mean nothing in another table.
  fileprivate func actionContent(_ index: Int) -> ActionContent {
    var action = actions[index]
    var values: [JSONValue] = []
    func take(_ target: inout RouteAction.Target) {
      switch target {
      case .agent(let name, let positions):
        values += positions.map { overrides[$0].json }
        target = .agent(name, overrides: [])
      case .split(var shares):
        for index in shares.indices {
          values += shares[index].overrides.map { overrides[$0].json }
          shares[index].overrides = []
        }
        target = .split(shares)
      case .transfer, .reject: break
      }
    }
    take(&action.target)
    for index in action.fallback.indices { take(&action.fallback[index]) }
    return ActionContent(action: action, overrides: values)
  }
}

private struct ActionContent: Hashable {
  var action: RouteAction
  var overrides: [JSONValue]
}
