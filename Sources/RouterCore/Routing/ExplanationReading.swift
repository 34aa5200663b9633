extension Explanation {
  /// Reads what ``json`` wrote: the trace in a call's record. `nil` when it is none.
  public init?(_ json: JSONValue) {
    guard let version = json["version"]?.string, let summary = json["summary"]?.string,
      let to = json["to"].flatMap(Number.init), let from = json["from"].flatMap(Number.init)
    else { return nil }
    self.to = to
    self.from = from
    self.version = version
    self.summary = summary
    channel = json["channel"]?.string ?? ""
    moment = json["moment"]?.string ?? ""
    candidates = (json["candidates"]?.array ?? []).compactMap(Candidate.init)
    moreCandidates = json["moreCandidates"]?.integer ?? 0
    route = json["route"]?.string
    location = json["location"]?.string
    targets = json["targets"]?.array?.compactMap(\.string) ?? []
    limits = json["limits"]?.array?.compactMap(\.string) ?? []
    hook = json["hook"]?.string
    closest = json["closest"].flatMap(Candidate.init)
    settings = (json["settings"]?.array ?? []).compactMap(ResolvedSetting.init)
    call = json["call"] ?? [:]
  }
}

extension Explanation.Number {
  init?(_ json: JSONValue) {
    guard let raw = json["raw"]?.string else { return nil }
    self.init(
      raw: raw, number: json["number"]?.string, steps: json["steps"]?.array?.compactMap(\.string) ?? [])
  }
}

extension Explanation.Candidate {
  init?(_ json: JSONValue) {
    guard let route = json["route"]?.string, let location = json["location"]?.string else { return nil }
    self.init(
      route: route, location: location, priority: json["priority"]?.integer ?? 0,
      to: json["to"]?.string ?? "",
      passed: json["passed"]?.array?.compactMap(\.string) ?? [], failure: nil)
    guard let failed = json["failed"], let key = failed["key"]?.string else { return }
    failure = .init(
      key: key, expected: failed["expected"]?.string ?? "", actual: failed["actual"]?.string ?? "")
  }
}

extension ResolvedSetting {
  init?(_ json: JSONValue) {
    guard let path = json["path"]?.string, let origin = json["origin"]?.string else { return nil }
    self.init(path: path, value: json["value"] ?? .null, origin: origin)
  }
}
