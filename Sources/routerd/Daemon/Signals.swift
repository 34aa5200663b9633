internal import Glibc
internal import RouterCore

/// The signals that routerd listens to.
enum Signal: Sendable, Equatable {
  /// SIGTERM or SIGINT: finish the live calls and end; a second one ends at once.
  case terminate
  /// SIGHUP: read the routes anew.
  case reload
}

/// Signals as a stream. They are blocked in every thread and taken by the main thread, which waits for them, so no
/// handler ever interrupts anything.
enum Signals {
  /// Signals that nobody has read yet.
  private static let maximumWaiting = 16

  private static let reader = Lock<AsyncStream<Signal>.Continuation?>(nil)

  /// Blocks the signals; must be the first thing the program does, so that all threads inherit it.
  static func block() {
    var set = watched()
    pthread_sigmask(SIG_BLOCK, &set, nil)
    signal(SIGPIPE, SIG_IGN)  // a reader that went away is an error of its write, not the end of the program
  }

  /// Takes signals until the program ends. Without a reader they do what they do in any program: they end it.
  static func take() -> Never {
    var set = watched()
    while true {
      var number: Int32 = 0
      guard sigwait(&set, &number) == 0 else { continue }
      let reader = reader.withLock { $0 }
      guard let reader else { Program.end(128 + number) }
      reader.yield(number == SIGHUP ? .reload : .terminate)
    }
  }

  /// Every signal from now on. One reader.
  static func stream() -> AsyncStream<Signal> {
    let (signals, continuation) = AsyncStream<Signal>.makeStream(
      bufferingPolicy: .bufferingOldest(maximumWaiting))
    reader.withLock { $0 = continuation }
    return signals
  }

  private static func watched() -> sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&set, number) }
    return set
  }
}
