internal import Glibc

/// Tells systemd how the service is (sd_notify(3)): a datagram to the socket that `NOTIFY_SOCKET` names. Without
/// that variable it does nothing.
struct ServiceNotifier: Sendable {
  private let path: String?
  /// How often systemd wants to hear from us, in seconds: half of `WATCHDOG_USEC`.
  let watchdogInterval: Double?

  init(
    _ environment: (String) -> String? = { name in getenv(name).map { String(cString: $0) } },
    processID: Int32 = getpid()
  ) {
    path = environment("NOTIFY_SOCKET")
    let isForUs = environment("WATCHDOG_PID").map { $0 == "\(processID)" } ?? true
    watchdogInterval =
      isForUs ? environment("WATCHDOG_USEC").flatMap(Double.init).map { $0 / 1_000_000 / 2 } : nil
  }

  /// Serving; the status line is what `systemctl status` shows.
  func ready(_ status: String) { send("READY=1\nSTATUS=\(oneLine(status))") }
  /// The routes are being read anew; ``ready(_:)`` ends it.
  func reloading() {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    send("RELOADING=1\nMONOTONIC_USEC=\(now.tv_sec * 1_000_000 + now.tv_nsec / 1000)")
  }
  /// Draining.
  func stopping(_ status: String) { send("STOPPING=1\nSTATUS=\(oneLine(status))") }
  /// Still alive.
  func keepAlive() { send("WATCHDOG=1") }

  private func oneLine(_ text: String) -> String { text.replacing("\n", with: " ") }

  private func send(_ message: String) {
    guard let path, let address = UnixAddress(path) else { return }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    // Lost when systemd's queue is full: it is a courtesy, and must not hold anything up.
    _ = address.withPointer { pointer, length in
      message.withCString { sendto(descriptor, $0, strlen($0), Int32(MSG_DONTWAIT), pointer, length) }
    }
  }
}

/// The address of a Unix socket; a path that begins with `@` is in Linux's abstract name space.
struct UnixAddress: Sendable {
  private var address = sockaddr_un()
  private var length: socklen_t

  /// How long a path may be, in bytes.
  static let maximumLength = 107

  /// `nil` when the path is empty or too long for the system.
  init?(_ path: String) {
    var bytes = Array(path.utf8)
    guard !bytes.isEmpty, bytes.count <= UnixAddress.maximumLength else { return nil }
    let isAbstract = bytes[0] == UInt8(ascii: "@")
    if isAbstract { bytes[0] = 0 }
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    // An abstract name has no end mark: every byte counts.
    let offset = MemoryLayout.size(ofValue: address.sun_family)
    length = socklen_t(offset + bytes.count + (isAbstract ? 0 : 1))
  }

  /// The address in the form that system calls take.
  func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    withUnsafePointer(to: address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
    }
  }
}
