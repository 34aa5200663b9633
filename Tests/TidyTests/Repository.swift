import Foundation

/// A file of the repository, as a rule sees it.
struct SourceFile {
  /// Relative to the repository, e.g. `Sources/RouterCore/Model/Party.swift`.
  let path: String
  let text: String
  let lines: [String]
  /// The same lines with comments and the insides of strings blanked out (as far as it is Swift).
  let code: [String]

  init(path: String, text: String) {
    self.path = path
    self.text = text
    lines = SourceFile.split(text)
    code = SourceFile.split(maskedSwift(text))
  }

  private static func split(_ text: String) -> [String] {
    text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  /// The modules that the file imports, with their line numbers.
  var imports: [(module: String, line: Int)] {
    code.enumerated().compactMap { index, line in
      let words = line.split(separator: " ")
      guard let position = words.firstIndex(of: "import"), position + 1 < words.count,
        words[..<position].allSatisfy(SourceFile.importModifiers.contains)
      else { return nil }
      return (String(words[words.count - 1]), index + 1)
    }
  }

  private static let importModifiers: Set<Substring> = [
    "public", "internal", "package", "private", "fileprivate", "@_exported", "@testable", "@preconcurrency",
  ]
}

/// Something that a rule found.
struct Violation: CustomStringConvertible, Equatable {
  var path: String
  var line: Int?
  var message: String
  var description: String { line.map { "\(path):\($0): \(message)" } ?? "\(path): \(message)" }
}

/// The tree that is tested.
enum Repository {
  static let root: URL = {
    var url = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { url.deleteLastPathComponent() }
    return url
  }()

  /// Every file below `folders` whose name ends in one of `endings`, in path order.
  static func files(_ folders: [String], _ endings: [String]) throws -> [SourceFile] {
    var found: [SourceFile] = []
    for folder in folders {
      let names = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)
      while let name = names?.nextObject() as? String {
        guard endings.contains(where: name.hasSuffix) else { continue }
        let path = folder + "/" + name
        let text = try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
        found.append(SourceFile(path: path, text: text))
      }
    }
    return found.sorted { $0.path < $1.path }
  }

  /// One file; `nil` when there is none.
  static func file(_ path: String) throws -> SourceFile? {
    let url = root.appendingPathComponent(path)
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    return SourceFile(path: path, text: try String(contentsOf: url, encoding: .utf8))
  }

  /// The folders directly below `path`.
  static func folders(_ path: String) throws -> [String] {
    let url = root.appendingPathComponent(path)
    return try FileManager.default.contentsOfDirectory(atPath: url.path).filter { name in
      var isDirectory: ObjCBool = false
      let full = url.appendingPathComponent(name).path
      return FileManager.default.fileExists(atPath: full, isDirectory: &isDirectory) && isDirectory.boolValue
    }.sorted()
  }

  static func swift() throws -> [SourceFile] { try files(["Sources", "Tests"], [".swift"]) }
}
