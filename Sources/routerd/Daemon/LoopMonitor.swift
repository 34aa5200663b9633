internal import RouterCore

/// Measures how late the event loops are: every second a job is sent to each, and timed.
///
/// The service manager's watchdog is fed from here, so a loop that hangs gets routerd restarted.
final class LoopMonitor: Sendable {
  /// How late one loop was.
  struct Delay: Sendable, Codable {
    var name: String
    /// The last measurement, in milliseconds.
    var last: Double
    /// The longest of the last minute.
    var longest: Double
  }

  /// Something that lives on a loop.
  private actor Resident {
    private let loop: EventLoop
    init(_ loop: EventLoop) { self.loop = loop }
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    func arrive() -> ContinuousClock.Instant { .now }
  }

  private let residents: [(name: String, resident: Resident)]
  private let history: Lock<[[Double]]>
  private let notifier: ServiceNotifier

  init(_ loops: EventLoops, notifier: ServiceNotifier) {
    let all = [loops.signalling] + loops.media.filter { $0 !== loops.signalling }
    residents = all.map { ($0.name, Resident($0)) }
    history = Lock(all.map { _ in [] })
    self.notifier = notifier
  }

  /// Measures until cancelled.
  func run() async {
    while !Task.isCancelled {
      for (index, (_, resident)) in residents.enumerated() {
        let sent = ContinuousClock.now
        let arrived = await resident.arrive()
        let milliseconds = (arrived - sent) / .milliseconds(1)
        history.withLock { history in
          history[index].append(milliseconds)
          if history[index].count > 60 { history[index].removeFirst() }
        }
      }
      if notifier.watchdogInterval != nil { notifier.keepAlive() }
      // Cancelled: the loop's condition ends it.
      try? await Task.sleep(for: .seconds(min(1, notifier.watchdogInterval ?? 1)))
    }
  }

  /// How often the loops are asked while something is measured closely.
  private static let closeInterval = Duration.milliseconds(2)

  /// Does something and measures the loops closely meanwhile. Returns the longest that one was late, in milliseconds.
  func longestDelay<Value: Sendable>(
    during body: @escaping @Sendable () async -> Value
  ) async -> (Value, Double) {
    let probe = Task {
      var longest = 0.0
      while !Task.isCancelled {
        for (_, resident) in residents {
          let sent = ContinuousClock.now
          longest = max(longest, (await resident.arrive() - sent) / .milliseconds(1))
        }
        // Cancelled: the loop's condition ends it.
        try? await Task.sleep(for: LoopMonitor.closeInterval)
      }
      return longest
    }
    let value = await body()
    probe.cancel()
    return (value, await probe.value)
  }

  /// What was measured.
  var delays: [Delay] {
    history.withLock { history in
      zip(residents, history).map { Delay(name: $0.name, last: $1.last ?? 0, longest: $1.max() ?? 0) }
    }
  }
}
