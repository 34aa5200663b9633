internal import FoundationEssentials
internal import Glibc
internal import RouterCore

/// The secret that agents' webhook addresses are made with: a file that is made at the first start.
enum VoIPSecret {
  static let usualFile = "voip.key"

  /// Where it is kept: what the settings say, else the folder that systemd gives (`StateDirectory=`), else the working
  /// directory.
  static func path(_ settings: WebSettings) -> String {
    if let file = settings.secretFile { return file }
    return (getenv("STATE_DIRECTORY").map { String(cString: $0) + "/" } ?? "") + usualFile
  }

  /// Reads the file, or makes it. Throws ``ControlFailure`` when it can be neither, or is too short.
  static func load(_ path: String) throws(ControlFailure) -> [UInt8] {
    if !Files.exists(path) { try make(path) }
    let bytes = try Files.read(path)
    guard bytes.count >= 32 else {
      throw ControlFailure(
        "\(path): the secret has fewer than 32 characters; take the file away for a new one", .failure)
    }
    return bytes
  }

  /// What would keep ``load(_:)`` from it; nothing is made.
  static func obstacle(_ path: String) -> String? {
    guard Files.exists(path) else { return Files.whyNotMakeable(path) }
    do throws(ControlFailure) { _ = try load(path) } catch { return error.message }
    return nil
  }

  private static func make(_ path: String) throws(ControlFailure) {
    try Files.makeParent(of: path)
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    // Another routerd may have made it a moment ago.
    if descriptor < 0, errno == EEXIST { return }
    guard descriptor >= 0 else {
      throw ControlFailure("cannot make the secret \(path): \(ControlSocket.errorText())", .system)
    }
    defer { close(descriptor) }
    let text = Array((Secret.token() + Secret.token() + "\n").utf8)
    guard write(descriptor, text, text.count) == text.count, fsync(descriptor) == 0 else {
      let words = ControlSocket.errorText()
      unlink(path)
      throw ControlFailure("cannot write the secret \(path): \(words)", .system)
    }
  }
}
