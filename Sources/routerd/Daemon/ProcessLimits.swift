internal import Glibc

/// Limits of this process.
enum ProcessLimits {
  /// Raises the number of files that may be open to what the system allows: a call has four sockets.
  /// - Returns: The limit that is in force now.
  @discardableResult
  static func raiseOpenFiles() -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
    limit.rlim_cur = limit.rlim_max
    if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) != 0 {
      getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
    return limit.rlim_cur > rlim_t(Int32.max) ? Int(Int32.max) : Int(limit.rlim_cur)
  }

  /// How many open files room is made for: half a megabyte of the kernel's memory.
  static let roomyFiles = 65_536

  /// Has the kernel make its table of open files as large as it may need to be. Left alone it doubles when it is full, and a
  /// program with threads then waits until every processor has passed a point of rest (`expand_files` in Linux): an event
  /// loop that opened a socket stood still for 10 to 30 ms.
  static func makeRoom(forFiles count: Int) {
    let some = open("/dev/null", O_RDONLY | O_CLOEXEC)
    guard some >= 0 else { return }  // then there are other worries
    let last = fcntl(some, F_DUPFD_CLOEXEC, Int32(clamping: min(count, roomyFiles) - 1))
    if last >= 0 { close(last) }
    close(some)
  }
}
