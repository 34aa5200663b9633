extension JSONValue {
  /// Merges a JSON Merge Patch into this value (RFC 7396 section 2): objects merge key by key, everything else
  /// replaces, `null` takes a member away.
  public func merging(_ patch: JSONValue) -> JSONValue {
    guard case .object(let changes) = patch else { return patch }
    var members = object ?? [:]
    for (key, change) in changes {
      if change == .null {
        members.removeValue(forKey: key)
      } else {
        members[key] = (members[key] ?? .null).merging(change)
      }
    }
    return .object(members)
  }
}
