internal import Glibc
internal import RouterCore

/// Bytes over a Unix stream socket, in lines, blocking with time limits.
struct ControlSocket {
  let descriptor: Int32
  private var buffer: [UInt8] = []

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  /// Connects to a routerd. Throws ``ControlFailure`` when none listens there.
  static func connect(_ path: String) throws(ControlFailure) -> ControlSocket {
    guard let address = UnixAddress(path) else {
      throw ControlFailure("the path of the control socket is empty or too long: \(path)", .usage)
    }
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw ControlFailure("no socket: \(errorText())", .system) }
    guard address.withPointer({ Glibc.connect(descriptor, $0, $1) }) == 0 else {
      let code = errno
      close(descriptor)
      if code == EACCES {
        throw ControlFailure("you may not speak to the routerd at \(path); try as its user or root", .system)
      }
      throw ControlFailure("no routerd listens at \(path) (\(errorText(code)))", .unavailable)
    }
    return ControlSocket(descriptor)
  }

  /// How long a read or a write may wait; 0 waits for ever.
  func limit(reading: Int = 0, writing: Int) {
    for (option, seconds) in [(SO_RCVTIMEO, reading), (SO_SNDTIMEO, writing)] {
      var time = timeval(tv_sec: seconds, tv_usec: 0)
      setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout.size(ofValue: time)))
    }
  }

  /// The next line without its end; `nil` at the end, on an error, after the time limit and for a line that is longer
  /// than `maximum`.
  mutating func readLine(maximum: Int) -> [UInt8]? {
    var scanned = 0
    while true {
      if let end = buffer[scanned...].firstIndex(of: 10) {
        defer { buffer.removeSubrange(...end) }
        return Array(buffer[..<end])
      }
      scanned = buffer.count
      guard buffer.count <= maximum else { return nil }
      var chunk = [UInt8](repeating: 0, count: 16_384)
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return nil }
      buffer += chunk[..<count]
    }
  }

  /// Writes a line. Returns whether the other side took all of it in time.
  func write(_ line: String) -> Bool {
    var line = line + "\n"
    return line.withUTF8 { bytes in
      var done = 0
      while done < bytes.count, let base = bytes.baseAddress {
        let count = send(descriptor, base + done, bytes.count - done, Int32(MSG_NOSIGNAL))
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        done += count
      }
      return true
    }
  }

  /// Whether the other side closed the connection.
  var isGone: Bool {
    var byte: UInt8 = 0
    return recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) == 0
  }

  /// What the system calls an error.
  static func errorText(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }
}
