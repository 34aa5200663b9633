internal import RouterCore
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

  /// Whether a path is free for a socket: there is nothing, or an old socket.
  static func isSocketOrNothing(_ path: String) -> Bool {
    var facts = stat()
    return lstat(path, &facts) != 0 || facts.st_mode & S_IFMT == S_IFSOCK
  }

  /// What keeps a file from being written; `nil` when nothing does. Nothing is made or changed.
  static func whyNotWritable(_ path: String) -> String? {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let place = exists(path) ? path : folder
    return access(place, W_OK) == 0 ? nil : "\(place): \(ControlSocket.errorText())"
  }

  /// What keeps a file from being made whose folders are made, too; `nil` when nothing does. Nothing is made.
  static func whyNotMakeable(_ path: String) -> String? {
    var folder = SettingObstacle.folder(of: path)
    while !exists(folder), folder != "/", folder != "." { folder = SettingObstacle.folder(of: folder) }
    return SettingObstacle.writing(in: folder, key: "")?.message
  }

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

  /// Bytes of one write: a kernel that is not preemptible lets nobody else run before it has taken them.
  private static let maximumWrite = 128 << 10

  /// Writes a new file.
  static func write(_ bytes: [UInt8], to path: String, mode: mode_t) throws(ControlFailure) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw ControlFailure("\(path): \(ControlSocket.errorText())", .system) }
    defer { close(descriptor) }
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress.map { $0 + written }, min(bytes.count - written, maximumWrite))
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw ControlFailure("\(path): \(ControlSocket.errorText())", .system) }
      written += count
    }
  }

  /// Puts a file in the place of another in one step: a reader sees the old one or the new one.
  static func replace(_ path: String, with bytes: [UInt8], mode: mode_t) throws(ControlFailure) {
    try write(bytes, to: path + ".new", mode: mode)
    guard rename(path + ".new", path) == 0 else {
      throw ControlFailure("\(path): \(ControlSocket.errorText())", .system)
    }
  }
}
