import Foundation

/// A plugin is a folder, a word in Package.swift, a line in PluginList.swift, a README and a row of the README's
/// table: whoever forgets one is told which.
enum PluginRules {
  static let headings = ["## Name", "## What it does", "## Configuration", "## Example"]

  /// The plugins of Package.swift with the C libraries of each.
  static func manifest(_ package: String) -> [String: [String]] {
    var found: [String: [String]] = [:]
    var isInside = false
    for line in package.components(separatedBy: "\n") {
      if line.hasPrefix("let plugins") { isInside = true }
      if line.hasPrefix("]") { isInside = false }
      let quoted = line.components(separatedBy: "\"").enumerated().filter { $0.offset % 2 == 1 }.map(
        \.element)
      guard isInside, line.hasPrefix("  ("), let name = quoted.first else { continue }
      found[name] = Array(quoted.dropFirst())
    }
    return found
  }

  /// The plugins of PluginList.swift, by its lines `  .kind(Name…`.
  static func list(_ text: String) -> Set<String> {
    Set(
      text.components(separatedBy: "\n").compactMap { line in
        guard line.hasPrefix("  ."), let open = line.firstIndex(of: "(") else { return nil }
        return String(line[open...].dropFirst().prefix { $0.isLetter || $0.isNumber })
      })
  }

  /// The plugins in the README's table: rows that begin with a link into Sources/Plugins.
  static func table(_ readme: String) -> Set<String> {
    Set(
      readme.components(separatedBy: "\n").compactMap { line in
        guard line.hasPrefix("|"), let range = line.range(of: "Sources/Plugins/") else { return nil }
        return String(line[range.upperBound...].prefix { $0.isLetter || $0.isNumber })
      })
  }

  static func registered(
    folders: [String], manifest: Set<String>, list: Set<String>, table: Set<String>?
  ) -> [Violation] {
    var places = [("Package.swift", manifest), ("Sources/routerd/PluginList.swift", list)]
    if let table { places.append(("README.md", table)) }
    return places.flatMap { path, names in
      folders.filter { !names.contains($0) }.map {
        Violation(path: path, line: nil, message: "Sources/Plugins/\($0) is missing here")
      }
        + names.subtracting(folders).sorted().map {
          Violation(path: path, line: nil, message: "\($0) has no folder in Sources/Plugins")
        }
    }
  }

  static func readme(_ file: SourceFile, plugin: String) -> [Violation] {
    let lines = Set(file.lines)
    return (["# \(plugin)"] + headings).filter { !lines.contains($0) }.map {
      Violation(path: file.path, line: nil, message: "no heading '\($0)'")
    }
  }
}
