/// A line of a YAML or JSON file as a diagnostic may show it.
enum SecretLine {
  private static let names = ["key", "token", "secret", "password", "authorization", "cookie"]

  /// The line with asterisks for what stands behind the name of a secret: as many, so that a caret below keeps its place. References
  /// (`${env:NAME}`) tell nothing and stay.
  static func hidden(_ line: String) -> String {
    var scalars = Array(line.unicodeScalars)
    var next = 0
    while let colon = scalars[next...].firstIndex(of: ":") {
      next = colon + 1
      guard isSecret(name(before: colon, in: scalars)), let value = value(after: colon, in: scalars) else {
        continue
      }
      if !String(String.UnicodeScalarView(scalars[value])).contains("${") {
        for index in value { scalars[index] = "*" }
      }
      next = max(next, value.upperBound)
    }
    return String(String.UnicodeScalarView(scalars))
  }

  /// Whether what stands behind such a name is a secret.
  static func isSecret(_ name: String) -> Bool {
    let name = name.lowercased()
    return !name.contains("public") && names.contains { name.hasSuffix($0) }
  }

  private static func name(before colon: Int, in scalars: [Unicode.Scalar]) -> String {
    var end = colon
    while end > 0, " \"'".unicodeScalars.contains(scalars[end - 1]) { end -= 1 }
    var start = end
    while start > 0,
      scalars[start - 1].properties.isAlphabetic || "_-".unicodeScalars.contains(scalars[start - 1])
    {
      start -= 1
    }
    return String(String.UnicodeScalarView(scalars[start..<end]))
  }

  /// Without its quotes or brackets; `nil` where none follows, or a whole mapping or block does.
  private static func value(after colon: Int, in scalars: [Unicode.Scalar]) -> Range<Int>? {
    guard let start = scalars[(colon + 1)...].firstIndex(where: { $0 != " " }) else { return nil }
    let first = scalars[start]
    guard start > colon + 1 || "\"'[".unicodeScalars.contains(first), !"{|>#".unicodeScalars.contains(first)
    else { return nil }
    let closing: [Unicode.Scalar: Unicode.Scalar] = ["\"": "\"", "'": "'", "[": "]"]
    if let last = closing[first] {
      return (start + 1)..<(scalars[(start + 1)...].firstIndex(of: last) ?? scalars.count)
    }
    return start..<(scalars[start...].firstIndex { ",}]".unicodeScalars.contains($0) } ?? scalars.count)
  }
}
