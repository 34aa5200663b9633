internal import FoundationEssentials

/// A directory of route files: which files of it count.
///
/// All `*.yaml` and `*.yml` of the directory and its folders do. What begins with a dot is passed over: editors'
/// temporary files, and the hidden folders behind mounted configurations. So are folders called `examples`, which may
/// then lie beside a table that works.
public struct RouteDirectory: Sendable {
  /// Where paths in the files begin; without a slash at its end.
  public let root: String
  /// The route files.
  public private(set) var files: [String] = []
  /// The folders that they lie in, and those where others would count.
  public private(set) var folders: [String] = []
  /// Links that lead nowhere and would be route files.
  public private(set) var dangling: [String] = []
  /// What is wrong with it, when it is there: what cannot be read, links that lead nowhere, too many files.
  public private(set) var faults = DiagnosticList()

  /// More files than this are refused.
  static let maximumFiles = 10_000
  /// How deep folders may stand in each other.
  static let maximumFolderDepth = 8
  static let extensions = [".yaml", ".yml"]

  /// Looks into a directory; a single file may be named in its place. Throws when there is none.
  public init(_ path: String) throws(DiagnosticList) {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    var isDirectory = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw DiagnosticList([
        Diagnostic(
          .error, "there is no directory \(path)",
          hint: "name the directory of your route files with --routes DIR")
      ])
    }
    root = isDirectory ? path : RouteDirectory.folder(of: path)
    guard isDirectory else {
      files = [path]
      return
    }
    collect(root, depth: 0)
  }

  /// The folder that a file is in.
  public static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// A path as it stands in a route file, from the working directory.
  public static func absolute(_ path: String, in root: String) -> String {
    path.hasPrefix("/") ? path : "\(root)/\(path)"
  }

  private mutating func collect(_ directory: String, depth: Int) {
    // Why it cannot be read, Foundation says in too many words.
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory).sorted() else {
      faults.append(Diagnostic(.error, "\(directory) cannot be read"))
      return
    }
    folders.append(directory)
    for name in names where !name.hasPrefix(".") {
      let path = "\(directory)/\(name)"
      var isDirectory = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
        if RouteDirectory.extensions.contains(where: name.hasSuffix),
          // A file that has just gone is no link.
          let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path)
        {
          dangling.append(path)
          faults.append(
            Diagnostic(
              .error, "\(path) is a link to \(target), which is not there",
              hint: "mend the link, or take it out of the directory"))
        }
        continue
      }
      if isDirectory, name == "examples" { continue }
      if isDirectory, depth < RouteDirectory.maximumFolderDepth {
        collect(path, depth: depth + 1)
      } else if !isDirectory, RouteDirectory.extensions.contains(where: name.hasSuffix) {
        if files.count == RouteDirectory.maximumFiles {
          faults.append(
            Diagnostic(.error, "more than \(RouteDirectory.maximumFiles) route files in \(root)"))
          return
        }
        files.append(path)
      }
    }
  }
}

/// A path in which `*` and `?` stand for parts of names: `knowledge/*.md`.
public enum FilePattern {
  /// More files than this are not looked for.
  public static let maximumFiles = 10_000

  /// The files that a path stands for, sorted; a relative one starts at `root`. Hidden files need their dot written.
  public static func files(_ pattern: String, in root: String) -> [String] {
    let full = RouteDirectory.absolute(pattern, in: root)
    var found = [full.hasPrefix("/") ? "/" : "."]
    for part in full.split(separator: "/").map(String.init) {
      found = found.flatMap { expand(part, in: $0) }
      if found.count > maximumFiles { found.removeLast(found.count - maximumFiles) }
    }
    return found.filter { path in
      var isDirectory = false
      return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && !isDirectory
    }
    .map {
      !full.hasPrefix("/") && !full.hasPrefix("./") && $0.hasPrefix("./") ? String($0.dropFirst(2)) : $0
    }
    .sorted()
  }

  /// Whether a path, from the same root, is one that a pattern stands for; nothing is looked up.
  public static func matches(_ path: String, _ pattern: String) -> Bool {
    let (parts, wanted) = (path.split(separator: "/"), pattern.split(separator: "/"))
    return parts.count == wanted.count && zip(parts, wanted).allSatisfy { fits(String($0), String($1)) }
  }

  private static func expand(_ part: String, in folder: String) -> [String] {
    let prefix = folder == "/" ? "/" : folder + "/"
    guard part.contains("*") || part.contains("?") else { return [prefix + part] }
    // A folder that cannot be read holds nothing.
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { fits($0, part) }.map { prefix + $0 }
  }

  private static func fits(_ name: String, _ part: String) -> Bool {
    (!name.hasPrefix(".") || part.hasPrefix("."))
      && matches(Array(name.unicodeScalars)[...], Array(part.unicodeScalars)[...])
  }

  /// Whether a name fits. Takes time in proportion to both, whatever they are: only the last `*` is gone back to.
  private static func matches(_ name: ArraySlice<Unicode.Scalar>, _ pattern: ArraySlice<Unicode.Scalar>)
    -> Bool
  {
    var (at, wanted) = (name.startIndex, pattern.startIndex)
    var retry: (at: Int, wanted: Int)?
    while at < name.endIndex {
      if wanted < pattern.endIndex, pattern[wanted] == "*" {
        retry = (at, wanted + 1)
        wanted += 1
      } else if wanted < pattern.endIndex, pattern[wanted] == "?" || pattern[wanted] == name[at] {
        at += 1
        wanted += 1
      } else if let last = retry {
        retry = (last.at + 1, last.wanted)
        (at, wanted) = (last.at + 1, last.wanted)
      } else {
        return false
      }
    }
    return pattern[wanted...].allSatisfy { $0 == "*" }
  }
}

extension RouteSource {
  /// Names a table by its content: the first 12 hexadecimal digits of a SHA-256 over the names and contents of the
  /// files, caller lists among them. Secrets do not count: a version is shown everywhere.
  /// - Parameter lists: SHA-256 of each caller list's file, by the path that the table names it by.
  public func version(lists: [String: [UInt8]]) -> String {
    var all: [UInt8] = []
    for file in files {
      let name = file.path.hasPrefix(root) ? file.path.dropFirst(root.count) : file.path[...]
      all += Array(name.utf8) + [0] + Digest.hash(file.bytes)
    }
    for (path, digest) in lists.sorted(by: { $0.key < $1.key }) { all += Array(path.utf8) + [0] + digest }
    return String(Digest.hexadecimal(Digest.hash(all)).prefix(12))
  }
}
