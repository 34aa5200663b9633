internal import FoundationEssentials

/// The files of a route directory, with all that a table may read besides.
public struct RouteSource: Sendable {
  /// A file of the table.
  public struct File: Sendable {
    /// As messages name it, e.g. `routes/main.yaml`.
    public var path: String
    public var bytes: [UInt8]
    public init(path: String, bytes: [UInt8]) {
      self.path = path
      self.bytes = bytes
    }
    /// A file from text.
    public init(_ path: String, _ text: String) { self.init(path: path, bytes: Array(text.utf8)) }
  }

  /// What paths of files begin with, e.g. `routes`; it does not count for the version.
  public var root: String
  /// In the order of their paths.
  public var files: [File]
  /// Reads another file (caller lists, secrets); a relative path starts at the route directory.
  public var read: @Sendable (String) throws -> [UInt8]
  /// An environment variable.
  public var environment: @Sendable (String) -> String?
  /// The file of a time zone; `nil` when there is none of this name.
  public var timeZone: @Sendable (String) -> [UInt8]?

  public init(
    root: String = "", files: [File],
    read: @escaping @Sendable (String) throws -> [UInt8] = { throw ReadFailure("\($0): no such file") },
    environment: @escaping @Sendable (String) -> String? = { _ in nil },
    timeZone: @escaping @Sendable (String) -> [UInt8]? = RouteSource.systemTimeZone
  ) {
    self.root = root
    self.files = files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    self.read = read
    self.environment = environment
    self.timeZone = timeZone
  }

  /// Why a file cannot be read.
  public struct ReadFailure: Error, Sendable, CustomStringConvertible {
    public var description: String
    public init(_ description: String) { self.description = description }
  }

  /// A zone of the system's database (`/usr/share/zoneinfo`).
  public static let systemTimeZone: @Sendable (String) -> [UInt8]? = { name in
    let isName = !name.isEmpty && name.utf8.count < 64 && !name.hasPrefix("/") && !name.contains("..")
    guard isName, let data = FileManager.default.contents(atPath: "/usr/share/zoneinfo/\(name)") else {
      return nil
    }
    return [UInt8](data)
  }
}

extension RouteSource {
  /// A time zone's name that is near to a mistyped one.
  static func timeZone(near name: String) -> String? {
    guard let data = FileManager.default.contents(atPath: "/usr/share/zoneinfo/zone1970.tab") else {
      return nil
    }
    let lines = String(decoding: data, as: UTF8.self).split(separator: "\n").filter { !$0.hasPrefix("#") }
    let names = lines.compactMap { $0.split(separator: "\t").dropFirst(2).first.map(String.init) }
    return Suggestion.nearest(to: name, in: names)
  }

  /// Files of a directory that may be route files.
  static let extensions = [".yaml", ".yml"]
  /// More files than this are refused.
  static let maximumFiles = 10_000
  /// How deep folders may stand in each other.
  static let maximumFolderDepth = 8

  /// Reads all `*.yaml` and `*.yml` of a directory and its subfolders, or a single file. What begins with a dot is
  /// passed over: editors' temporary files, and the hidden folders behind mounted configurations. So are folders called
  /// `examples`, which may then lie beside a table that works.
  public static func directory(_ path: String) throws(DiagnosticList) -> RouteSource {
    let root = withoutTrailingSlash(path)
    var isDirectory = false
    guard FileManager.default.fileExists(atPath: root, isDirectory: &isDirectory) else {
      throw DiagnosticList([
        Diagnostic(
          .error, "there is no directory \(path)",
          hint: "name the directory of your route files with --routes DIR")
      ])
    }
    var paths: [String] = []
    var problems = DiagnosticList()
    if isDirectory { collect(root, depth: 0, &paths, &problems) } else { paths = [root] }
    let folder = isDirectory ? root : folder(of: root)
    var files: [File] = []
    for path in paths {
      if let data = FileManager.default.contents(atPath: path) {
        files.append(File(path: path, bytes: [UInt8](data)))
      } else {
        problems.append(Diagnostic(.error, "\(path) cannot be read"))
      }
    }
    if !problems.isEmpty { throw problems }
    return RouteSource(
      root: folder, files: files, read: { try RouteSource.read($0, in: folder) },
      environment: { ProcessInfo.processInfo.environment[$0] })
  }

  private static func withoutTrailingSlash(_ path: String) -> String {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private static func collect(
    _ directory: String, depth: Int, _ paths: inout [String], _ problems: inout DiagnosticList
  ) {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    } catch {
      problems.append(Diagnostic(.error, "\(directory) cannot be read"))
      return
    }
    for name in names where !name.hasPrefix(".") {
      let path = "\(directory)/\(name)"
      var isDirectory = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else { continue }
      if isDirectory, name == "examples" { continue }
      if isDirectory, depth < maximumFolderDepth {
        collect(path, depth: depth + 1, &paths, &problems)
      } else if !isDirectory, extensions.contains(where: name.hasSuffix) {
        if paths.count == maximumFiles {
          problems.append(Diagnostic(.error, "more than \(maximumFiles) route files in \(directory)"))
          return
        }
        paths.append(path)
      }
    }
  }

  private static func read(_ path: String, in root: String) throws -> [UInt8] {
    let full = path.hasPrefix("/") ? path : "\(root)/\(path)"
    guard let data = FileManager.default.contents(atPath: full) else {
      throw ReadFailure(FileManager.default.fileExists(atPath: full) ? "no permission" : "no such file")
    }
    return [UInt8](data)
  }
}
