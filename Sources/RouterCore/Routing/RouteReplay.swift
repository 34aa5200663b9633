public import FoundationEssentials

/// Recorded calls, asked again: which of them would go elsewhere under another table.
public struct RouteReplay: Sendable {
  public struct Moved: Sendable, Hashable {
    public var call: CallID
    public var from: String
    public var to: String
    public var receivedAt: Date
    /// What the table in force says of the call, and what the other one says.
    public var before: String
    public var after: String
  }

  /// How many calls were asked.
  public private(set) var count = 0
  public private(set) var moved: [Moved] = []

  /// Asks both tables about each recorded call.
  public init(_ records: [CallRecord], from old: RouteSnapshot, to new: RouteSnapshot) {
    for record in records {
      count += 1
      let call = InboundCall(replaying: record)
      let (before, after) = (old.resolve(call), new.resolve(call))
      if before.route == after.route && before.targets.map(\.words) == after.targets.map(\.words) { continue }
      moved.append(
        Moved(
          call: record.id, from: record.fromNumber ?? record.from.user, to: record.toNumber ?? record.to.user,
          receivedAt: record.receivedAt, before: before.summary, after: after.summary))
    }
  }

  /// For a terminal.
  public var lines: [String] {
    if moved.isEmpty { return ["all \(count) calls would go where they go now"] }
    return ["\(moved.count) of \(count) calls would go elsewhere"]
      + moved.flatMap {
        ["\($0.call) \($0.from) → \($0.to)", "    now  \($0.before)", "    then \($0.after)"]
      }
  }

  /// For programs.
  public var json: JSONValue {
    [
      "calls": .integer(count),
      "moved": .array(
        moved.map {
          [
            "call": .string($0.call.text), "from": .string($0.from), "to": .string($0.to),
            "before": .string($0.before), "after": .string($0.after),
          ]
        }),
    ]
  }
}

extension InboundCall {
  /// A recorded call, as far as its record tells: what routes looked at is in the trace, other headers are not.
  public init(replaying record: CallRecord) {
    self.init(
      id: record.id, channel: record.channel, from: record.from, to: record.to, provider: record.provider,
      trunk: record.trunk, connection: record.connection, sourceAddress: record.sourceAddress,
      receivedAt: record.receivedAt, foreignID: record.foreignID)
    guard let decision = record.decision?.value, let call = decision["trace"]?["call"] ?? decision["call"]
    else { return }
    language = call["language"]?.string
    attestation = call["attestation"]?.string.flatMap(Attestation.init)
    defaultAgent = call["defaultAgent"]?.string
    diversion = call["diversion"]?.array?.compactMap(\.string).map { Party(user: $0) } ?? []
    headers = (call["headers"]?.array ?? []).compactMap { header in
      guard let name = header["name"]?.string, let value = header["value"]?.string else { return nil }
      return Header(name, value)
    }
  }

  /// What ``init(replaying:)`` needs besides the record's own fields. Of the headers only `names`: others may hold
  /// what is nobody's business.
  func replayable(headers names: Set<String>) -> JSONValue {
    var object: [String: JSONValue] = [:]
    object["language"] = language.map { .string($0) }
    object["attestation"] = attestation.map { .string($0.rawValue) }
    object["defaultAgent"] = defaultAgent.map { .string($0) }
    if !diversion.isEmpty { object["diversion"] = .array(diversion.prefix(16).map { .string($0.user) }) }
    let kept = headers.filter { names.contains($0.name.lowercased()) }.prefix(32)
    if !kept.isEmpty {
      object["headers"] = .array(
        kept.map { ["name": .string($0.name), "value": .string(String($0.value.prefix(512)))] })
    }
    return .object(object)
  }
}
