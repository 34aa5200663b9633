/// A timer that beats on an event loop and knows how late each beat was: as long as a packet that came meanwhile had to
/// wait for the loop. Only the loop's own lateness counts, not that of the threads that ask.
public actor LoopPulse {
  /// Beats that were late.
  public struct Reading: Sendable, Hashable {
    /// How late the last beat was; libre's timers have a grain of a millisecond.
    public internal(set) var last = Duration.zero
    /// The longest since the last reading.
    public internal(set) var longest = Duration.zero
  }

  public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  private let loop: EventLoop
  private let interval: Duration
  private let timer = LoopTimer()
  private var due: ContinuousClock.Instant?
  private var reading = Reading()

  /// A pulse at rest.
  /// - Parameter interval: From one beat to the next, whole milliseconds; a pause that is shorter may pass unseen.
  public init(_ loop: EventLoop, every interval: Duration) {
    self.loop = loop
    self.interval = interval
  }

  /// Beats until ``stop()``, which must come before the loop ends.
  public func start() {
    due = .now + interval
    timer.start(after: interval) { [weak self] in self?.assumeIsolated { $0.beat() } }
  }

  /// Beats no more.
  public func stop() {
    timer.cancel()
    due = nil
  }

  /// How late the loop was since the last reading; a beat that is overdue now counts.
  public func read() -> Reading {
    if let due, due < .now { beat() }
    defer { reading.longest = .zero }
    return reading
  }

  private func beat() {
    if let due { note(.now - due) }
    start()
  }

  private func note(_ lateness: Duration) {
    reading.last = lateness
    reading.longest = max(reading.longest, lateness)
  }
}
