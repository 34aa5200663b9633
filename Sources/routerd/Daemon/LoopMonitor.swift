internal import RouterCore

/// Measures how late the event loops are: some times a second, and closely while routes are exchanged. `routerd status`, `routerd_loop_delay_seconds` and `routerd_loop_delay_longest_seconds` (of the last
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

  private let started = ContinuousClock.now
  private let loops: [EventLoop]
  /// The longest of each second, newest last.
  private let history: Lock<[[Second]]>
  private let notifier: ServiceNotifier
  private let metrics: Metrics

  init(_ loops: EventLoops, notifier: ServiceNotifier, metrics: Metrics) {
    self.loops = [loops.signalling] + loops.media.filter { $0 !== loops.signalling }
    history = Lock(self.loops.map { _ in [] })
    self.notifier = notifier
    self.metrics = metrics
  }

  /// How often the loops beat in general, and while something is measured closely.
  private static let interval = Duration.milliseconds(200)
  private static let closeInterval = Duration.milliseconds(2)

  /// Measures until cancelled.
  func run() async {
    let pulses = await beating(every: LoopMonitor.interval)
    while !Task.isCancelled {
      for (index, pulse) in pulses.enumerated() {
        note(await pulse.read(), index)
        let name = loops[index].name
        metrics.set("routerd_loop_delay_seconds", delays[index].last / 1000, ["loop": name])
        metrics.set("routerd_loop_delay_longest_seconds", delays[index].longest / 1000, ["loop": name])
      }
      if notifier.watchdogInterval != nil { notifier.keepAlive() }
      // Cancelled: the loop's condition ends it.
      try? await Task.sleep(for: min(LoopMonitor.interval, .seconds(notifier.watchdogInterval ?? 1)))
    }
    for pulse in pulses { await pulse.stop() }
  }

  /// Does something and measures the loops closely meanwhile. Returns the longest that one was late, in milliseconds.
  func longestDelay<Value: Sendable>(
    during body: @escaping @Sendable () async -> Value
  ) async -> (Value, Double) {
    let pulses = await beating(every: LoopMonitor.closeInterval)
    let value = await body()
    var longest = Duration.zero
    for (index, pulse) in pulses.enumerated() {
      let reading = await pulse.read()
      note(reading, index)
      longest = max(longest, reading.longest)
      await pulse.stop()
    }
    return (value, longest / .milliseconds(1))
  }

  private func beating(every interval: Duration) async -> [LoopPulse] {
    let pulses = loops.map { LoopPulse($0, every: interval) }
    for pulse in pulses { await pulse.start() }
    return pulses
  }

  /// Keeps what a loop's pulse told.
  private func note(_ reading: LoopPulse.Reading, _ index: Int) {
    let (last, longest) = (reading.last / .milliseconds(1), reading.longest / .milliseconds(1))
    let number = (ContinuousClock.now - started).components.seconds
    history.withLock { history in
      var seconds = history[index]
      if var current = seconds.last, current.number == number {
        (current.last, current.longest) = (last, max(longest, current.longest))
        seconds[seconds.count - 1] = current
      } else {
        seconds.append(Second(number: number, last: last, longest: longest))
        seconds.removeAll { $0.number <= number - Int64(LoopMonitor.seconds) }
      }
      history[index] = seconds
    }
  }

  /// What was measured.
  var delays: [Delay] {
    history.withLock { history in
      zip(loops, history).map { loop, seconds in
        Delay(
          name: loop.name, last: seconds.last?.last ?? 0, longest: seconds.lazy.map(\.longest).max() ?? 0)
      }
    }
  }
}
