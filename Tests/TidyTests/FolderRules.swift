/// The arrows inside RouterCore. It is one module, so the compiler does not keep them: types are looked up by name.
enum FolderRules {
  /// Whose types the files of a folder may mention, besides their own.
  static let arrows: [String: Set<String>] = [
    "Model": [],
    "Support": ["Model"],
    "Routing": ["Model", "Support"],
    "SIP": ["Model", "Support", "Libre"],
    "Libre": ["Model", "Support", "SIP", "Adapters"],
    "Adapters": ["Model", "Support", "Routing"],
    "Calls": ["Model", "Support", "Routing", "Adapters"],
    "Voice": ["Model", "Support", "Routing", "Adapters"],
    "Webhooks": ["Model", "Support", "Adapters", "Libre"],
  ]

  /// Plain values, and types that live with libre and show nothing of its pointers: anybody may mention them.
  static let harmless: Set<String> = [
    "AudioConverter", "Digest", "EventLoop", "EventLoops", "G711", "HTTPClient", "HTTPClients", "SIPURI",
    "WebSocket", "WebSocketClose", "WebSocketMessage", "WebSocketSettings",
  ]

  static func arrowsHold(_ files: [SourceFile]) -> [Violation] {
    var owners: [String: Set<String>] = [:]
    var declared: [String: Set<String>] = [:]
    let core = files.compactMap { file in folder(of: file).map { (folder: $0, file: file) } }
    for (folder, file) in core {
      for line in file.code {
        guard let name = declaredType(line) else { continue }
        declared[folder, default: []].insert(name)
        if line.first != " " { owners[name, default: []].insert(folder) }
      }
    }
    return core.flatMap { folder, file -> [Violation] in
      guard let allowed = arrows[folder] else {
        return [
          Violation(path: file.path, line: nil, message: "a folder without arrows: add it to FolderRules")
        ]
      }
      let own = declared[folder] ?? []
      return file.code.enumerated().flatMap { index, line -> [Violation] in
        words(line).compactMap { word in
          guard let homes = owners[word], !own.contains(word), !harmless.contains(word),
            homes.isDisjoint(with: allowed)
          else { return nil }
          return Violation(
            path: file.path, line: index + 1,
            message: "\(folder) may not know \(word), which is in \(homes.sorted().joined(separator: ", "))")
        }
      }
    }
  }

  private static func folder(of file: SourceFile) -> String? {
    let parts = file.path.split(separator: "/")
    guard parts.count > 3, parts[0] == "Sources", parts[1] == "RouterCore" else { return nil }
    return String(parts[2])
  }

  private static let kinds: Set<Substring> = ["class", "struct", "enum", "actor", "protocol", "typealias"]

  /// The type that a line declares, nested or not.
  private static func declaredType(_ line: String) -> String? {
    let words = line.split(whereSeparator: { !$0.isLetter && !$0.isNumber && $0 != "_" })
    guard let kind = words.firstIndex(where: kinds.contains), kind + 1 < words.count,
      words[kind + 1].first?.isUppercase == true
    else { return nil }
    return String(words[kind + 1])
  }

  private static func words(_ line: String) -> Set<String> {
    Set(
      line.split(whereSeparator: { !$0.isLetter && !$0.isNumber && $0 != "_" })
        .filter { $0.first?.isUppercase == true }.map(String.init))
  }
}
