internal import FoundationEssentials
internal import Glibc

/// The files of a route directory, with all that a table may read besides.
public struct RouteSource: Sendable {
  /// A file of the table.
  public struct File: Sendable {
    /// As messages name it, e.g. `routes/main.yaml`.
    public var path: String
    public var bytes: [UInt8]
    public init(path: String, bytes: [UInt8]) {
      self.path = path
      // Editors of some systems begin a file with a byte order mark, which belongs to no document (RFC 3629 section 6).
      self.bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    }
    /// A file from text.
    public init(_ path: String, _ text: String) { self.init(path: path, bytes: Array(text.utf8)) }
  }

  /// What paths of files begin with, e.g. `routes`; it does not count for the version.
  public var root: String
  /// In the order of their paths.
  public var files: [File]
  /// What is wrong with the directory; the files that there are are checked all the same.
  public var faults = DiagnosticList()
  /// Reads a caller list; a relative path starts at the route directory.
  public var read: @Sendable (String) throws -> [UInt8]
  /// Reads a secret, as `read` does.
  public var readSecret: @Sendable (String) throws -> [UInt8]
  /// The files that a path with `*` and `?` stands for; `nil` where nobody looks.
  public var find: (@Sendable (String) -> [String])?
  /// Where a document lies for those who read it later, by the path that the table names it by; where that says if `nil`.
  public var place: (@Sendable (String) -> String?)?
  /// An environment variable.
  public var environment: @Sendable (String) -> String?
  /// The file of a time zone; `nil` when there is none of this name.
  public var timeZone: @Sendable (String) -> [UInt8]?

  public init(
    root: String = "", files: [File],
    read: @escaping @Sendable (String) throws -> [UInt8] = { throw ReadFailure("\($0): no such file") },
    find: (@Sendable (String) -> [String])? = nil,
    environment: @escaping @Sendable (String) -> String? = { _ in nil },
    timeZone: @escaping @Sendable (String) -> [UInt8]? = RouteSource.systemTimeZone
  ) {
    self.root = root
    self.files = files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    self.read = read
    readSecret = read
    self.find = find
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
      // A city alone.
      ?? names.first { $0.lowercased().hasSuffix("/" + name.lowercased().replacing(" ", with: "_")) }
  }

  /// Reads the route files of a directory and its subfolders, or a single file (see ``RouteDirectory``).
  public static func directory(_ path: String) throws(DiagnosticList) -> RouteSource {
    let directory = try RouteDirectory(path)
    var files: [File] = []
    var faults = directory.faults
    for path in directory.files {
      if let data = FileManager.default.contents(atPath: path) {
        files.append(File(path: path, bytes: [UInt8](data)))
      } else {
        faults.append(Diagnostic(.error, "\(path) cannot be read"))
      }
    }
    var source = RouteSource(root: directory.root, files: files).reading(in: directory.root)
    source.faults = faults
    return source
  }

  /// The same files, with everything that they refer to read from a directory and the environment.
  public func reading(in root: String) -> RouteSource {
    RouteSource(
      root: self.root, files: files, read: { try RouteSource.read($0, in: root) },
      find: { FilePattern.files($0, in: root) }, environment: { ProcessInfo.processInfo.environment[$0] },
      timeZone: timeZone)
  }

  private static func read(_ path: String, in root: String) throws -> [UInt8] {
    let full = RouteDirectory.absolute(path, in: root)
    guard let data = FileManager.default.contents(atPath: full) else {
      throw ReadFailure(FileManager.default.fileExists(atPath: full) ? "no permission" : "no such file")
    }
    return [UInt8](data)
  }
}
