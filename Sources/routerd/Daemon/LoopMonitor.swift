internal import RouterCore

/// Measures how late the event loops are: some times a second, and closely while routes are exchanged, a job is sent to
/// each and timed. `routerd status`, `routerd_loop_delay_seconds` and `routerd_loop_delay_longest_seconds` (of the last
/// minute) tell it.
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

  private struct Second {
    var number: Int64
    var last: Double
    var longest: Double
  }

  /// How many seconds are remembered.
  private static let seconds = 60

  /// Something that lives on a loop.
  private actor Resident {
    private let loop: EventLoop
    init(_ loop: EventLoop) { self.loop = loop }
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    func arrive() -> ContinuousClock.Instant { .now }
  }

  private let started = ContinuousClock.now
  private let residents: [(name: String, resident: Resident)]
  /// The longest of each second, newest last.
  private let history: Lock<[[Second]]>
  private let notifier: ServiceNotifier
  private let metrics: Metrics

  init(_ loops: EventLoops, notifier: ServiceNotifier, metrics: Metrics) {
    let all = [loops.signalling] + loops.media.filter { $0 !== loops.signalling }
    residents = all.map { ($0.name, Resident($0)) }
    history = Lock(all.map { _ in [] })
    self.notifier = notifier
    self.metrics = metrics
  }

  /// How often the loops are asked in general, and while something is measured closely.
  private static let interval = 0.2
  private static let closeInterval = Duration.milliseconds(2)

  /// Measures until cancelled.
  func run() async {
    while !Task.isCancelled {
      for (index, (name, _)) in residents.enumerated() {
        let delay = await measure(index)
        metrics.set("routerd_loop_delay_seconds", delay / 1000, ["loop": name])
        metrics.set("routerd_loop_delay_longest_seconds", delays[index].longest / 1000, ["loop": name])
      }
      if notifier.watchdogInterval != nil { notifier.keepAlive() }
      // Cancelled: the loop's condition ends it.
      try? await Task.sleep(for: .seconds(min(LoopMonitor.interval, notifier.watchdogInterval ?? 1)))
    }
  }

  /// How late a loop is now, in milliseconds.
  private func measure(_ index: Int) async -> Double {
    let sent = ContinuousClock.now
    let arrived = await residents[index].resident.arrive()
    let delay = (arrived - sent) / .milliseconds(1)
    let second = (arrived - started).components.seconds
    history.withLock { history in
      var seconds = history[index]
      if var current = seconds.last, current.number == second {
        (current.last, current.longest) = (delay, max(delay, current.longest))
        seconds[seconds.count - 1] = current
      } else {
        seconds.append(Second(number: second, last: delay, longest: delay))
        seconds.removeAll { $0.number <= second - Int64(LoopMonitor.seconds) }
      }
      history[index] = seconds
    }
    return delay
  }

  /// Does something and measures the loops closely meanwhile. Returns the longest that one was late, in milliseconds.
  func longestDelay<Value: Sendable>(
    during body: @escaping @Sendable () async -> Value
  ) async -> (Value, Double) {
    let probe = Task {
      var longest = 0.0
      while !Task.isCancelled {
        for index in residents.indices { longest = max(longest, await measure(index)) }
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
      zip(residents, history).map { resident, seconds in
        Delay(
          name: resident.name, last: seconds.last?.last ?? 0, longest: seconds.lazy.map(\.longest).max() ?? 0)
      }
    }
  }
}
