internal import CLibre

/// One timer of a loop, started and cancelled on that loop.
final class LoopTimer {
  private let timer = UnsafeMutablePointer<tmr>.allocate(capacity: 1)
  private var body: (() -> Void)?

  init() { tmr_init(timer) }

  deinit {
    tmr_cancel(timer)
    timer.deallocate()
  }

  /// Calls `body` once, after at least this many milliseconds; an earlier start is forgotten.
  func start(_ milliseconds: Int, _ body: @escaping () -> Void) {
    self.body = body
    let expired: @convention(c) (UnsafeMutableRawPointer?) -> Void = { me in
      guard let me else { return }
      let timer = Unmanaged<LoopTimer>.fromOpaque(me).takeUnretainedValue()
      let body = timer.body
      timer.body = nil
      body?()
    }
    tmr_start(timer, UInt64(max(0, milliseconds)), expired, Unmanaged.passUnretained(self).toOpaque())
  }

  /// The same with a duration, rounded up to milliseconds.
  func start(after delay: Duration, _ body: @escaping () -> Void) {
    start(Int(clamping: delay.wholeMilliseconds), body)
  }

  /// Whether it was started and has neither fired nor been cancelled.
  var isRunning: Bool { body != nil }

  /// Forgets the start.
  func cancel() {
    tmr_cancel(timer)
    body = nil
  }
}

extension Duration {
  /// Milliseconds, rounded up, never negative.
  var wholeMilliseconds: UInt64 {
    let (seconds, attoseconds) = components
    let milliseconds = seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    return UInt64(max(0, milliseconds))
  }
}
