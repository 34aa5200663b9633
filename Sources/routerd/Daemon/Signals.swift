internal import Glibc
internal import RouterCore

/// The signals that routerd listens to.
enum Signal: Sendable, Equatable {
  /// SIGTERM or SIGINT: finish the live calls and end; a second one ends at once.
  case terminate
  /// SIGHUP: read the routes anew.
  case reload
}

/// Signals as a stream. They are blocked in every thread and taken by one that waits for them, so no handler ever
/// interrupts anything.
enum Signals {
  /// Blocks the signals; must be the first thing the program does, so that all threads inherit it.
  static func block() {
    var set = watched()
    pthread_sigmask(SIG_BLOCK, &set, nil)
    signal(SIGPIPE, SIG_IGN)  // a reader that went away is an error of its write, not the end of the program
  }

  /// Every signal from now on. One reader.
  static func stream() -> AsyncStream<Signal> {
    let (signals, continuation) = AsyncStream<Signal>.makeStream(bufferingPolicy: .bufferingOldest(16))
    detachThread {
      var set = watched()
      while true {
        var number: Int32 = 0
        guard sigwait(&set, &number) == 0 else { continue }
        continuation.yield(number == SIGHUP ? .reload : .terminate)
      }
    }
    return signals
  }

  private static func watched() -> sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&set, number) }
    return set
  }
}
