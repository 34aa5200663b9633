internal import FoundationEssentials

/// The documents of a knowledge base: patterns become files, each with the digest of its content, so that a changed
/// document is another version of the table and an unchanged one is not read again.
enum KnowledgeFiles {
  /// Files of one base, and bytes of one file.
  static let maximumFiles = 1000
  static let maximumBytes = 50 << 20
  /// What a document may be called; `Plugins/KnowledgeTool` reads these.
  static let endings = ["md", "markdown", "txt", "text", "html", "htm", "pdf", "docx"]

  /// A base with the files that there are: `{"name": …, "files": [{"path": …, "digest": …}]}`.
  /// - Parameter digests: Takes the digests of all files, by path.
  static func resolve(
    _ entry: Definitions.Entry, _ source: RouteSource, _ digests: inout [String: [UInt8]],
    _ check: inout SchemaCheck
  ) -> JSONValue {
    var files: [JSONValue] = []
    var seen: Set<String> = []
    for node in entry.value["files"]?.elements ?? [] where node.text != nil {
      for path in paths(of: node, source, &check) where seen.insert(path).inserted {
        guard files.count < maximumFiles else {
          check.append(entry.key.diagnostic(.error, "'\(entry.name)' has more than \(maximumFiles) files"))
          return [:]
        }
        guard let digest = digest(of: path, node, source, &check) else { continue }
        digests[path] = digest
        let usual = path.hasPrefix("/") || source.root.isEmpty ? path : "\(source.root)/\(path)"
        let full = source.place?(path) ?? usual
        files.append(["path": .string(full), "digest": .string(Digest.hexadecimal(digest))])
      }
    }
    let name = entry.value["name"]?.text ?? entry.name
    return ["name": .string(name), "files": .array(files)]
  }

  private static func paths(
    of node: YAMLNode, _ source: RouteSource, _ check: inout SchemaCheck
  ) -> [String] {
    let pattern = node.text ?? ""
    guard pattern.contains(where: { "*?".contains($0) }) else { return [pattern] }
    let root = source.root.isEmpty ? "" : source.root + "/"
    let paths = (source.find?(pattern) ?? []).map {
      $0.hasPrefix(root) ? String($0.dropFirst(root.count)) : $0
    }
    if paths.isEmpty {
      check.append(
        node.diagnostic(
          .warning, "no file fits \(pattern)", hint: "paths start at the route directory"))
    }
    return paths
  }

  private static func digest(
    of path: String, _ node: YAMLNode, _ source: RouteSource, _ check: inout SchemaCheck
  ) -> [UInt8]? {
    let ending = path.split(separator: "/").last?.split(separator: ".").last.map { $0.lowercased() } ?? ""
    guard endings.contains(ending) else {
      check.append(
        node.diagnostic(
          .error, "\(path) is no document that can be read",
          hint: "documents end with \(endings.map { ".\($0)" }.joined(separator: ", "))"))
      return nil
    }
    do {
      let bytes = try source.read(path)
      if bytes.count <= maximumBytes { return Digest.hash(bytes) }
      check.append(node.diagnostic(.error, "\(path) has more than \(maximumBytes) bytes"))
    } catch {
      check.append(
        node.diagnostic(
          .error, "the document \(path) cannot be read: \(error)", hint: "paths start at the route directory")
      )
    }
    return nil
  }
}
