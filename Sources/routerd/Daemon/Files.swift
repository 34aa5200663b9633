internal import FoundationEssentials
internal import Glibc

/// Small reads and writes of whole files.
enum Files {
  /// The bytes of a file. Throws ``ControlFailure`` with the system's words.
  static func read(_ path: String) throws(ControlFailure) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw ControlFailure("\(path): \(ControlSocket.errorText())", .notFound) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw ControlFailure("\(path): \(ControlSocket.errorText())", .system) }
      if count == 0 { return bytes }
      bytes += chunk[..<count]
    }
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Makes the folder that a file is to be in, if it is missing.
  static func makeParent(of path: String) throws(ControlFailure) {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
    let folder = String(path[..<slash])
    if exists(folder) { return }
    try makeParent(of: folder)
    guard mkdir(folder, 0o750) == 0 || errno == EEXIST else {
      throw ControlFailure("cannot make the folder \(folder): \(ControlSocket.errorText())", .system)
    }
  }

  /// Most files that a fingerprint looks at.
  private static let maximumFiles = 100_000

  /// Name, size, time and number of every file below a folder: it changes whenever any of them does.
  static func fingerprint(of folder: String) -> [String] {
    // A folder that cannot be read has no files.
    let names = (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
    return names.sorted().prefix(maximumFiles).map { name in
      var facts = stat()
      guard stat("\(folder)/\(name)", &facts) == 0 else { return name }
      return "\(name) \(facts.st_size) \(facts.st_mtim.tv_sec).\(facts.st_mtim.tv_nsec) \(facts.st_ino)"
    }
  }
}
