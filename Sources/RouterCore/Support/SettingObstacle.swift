internal import Glibc

/// Why a setting that is well written cannot be used here and now: a file that cannot be read, a folder that is not there.
public struct SettingObstacle: Error, Sendable, Hashable {
  /// The key to blame, in its section.
  public var key: String
  /// What is wrong, in one line; never a secret.
  public var message: String
  /// What to do about it, in one line.
  public var hint: String?

  public init(_ key: String, _ message: String, hint: String? = nil) {
    self.key = key
    self.message = message
    self.hint = hint
  }

  /// What keeps a file from being read; `nil` when nothing does. It is not read.
  public static func reading(_ path: String, key: String) -> SettingObstacle? {
    // Without waiting for whoever writes to a pipe.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      return SettingObstacle(key, "\(path) cannot be read: \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    return isFolder(path) ? SettingObstacle(key, "\(path) is a folder, not a file") : nil
  }

  /// What keeps files from being made in a folder; `nil` when nothing does. Nothing is made.
  public static func writing(in folder: String, key: String) -> SettingObstacle? {
    guard isFolder(folder) else {
      let isThere = access(folder, F_OK) == 0
      return SettingObstacle(
        key, isThere ? "\(folder) is no folder" : "the folder \(folder) is not there",
        hint: isThere ? nil : "make it, or name another path")
    }
    if access(folder, W_OK | X_OK) == 0 { return nil }
    return SettingObstacle(
      key, "nothing can be written in the folder \(folder): \(String(cString: strerror(errno)))")
  }

  /// The folder that a file is in.
  public static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  public static func isFolder(_ path: String) -> Bool {
    var facts = stat()
    return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
  }
}
