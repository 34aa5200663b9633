internal import CLibre
internal import CLibreShim
internal import Glibc

/// A timer of a loop that is as exact as the kernel's. ``LoopTimer`` counts whole milliseconds, and a loop that is
/// behind sleeps for one more before it fires; this one wakes the loop as a packet does. It takes a descriptor.
final class ExactTimer {
  private let descriptor = shim_timer_open()
  private let body: () -> Void
  private var isRunning = false

  /// A timer at rest. On its loop, like everything here.
  ///
  /// - Parameter body: Called at each time that is set.
  init(_ body: @escaping () -> Void) {
    self.body = body
    let handler: @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void = { _, argument in
      guard let argument else { return }
      Unmanaged<ExactTimer>.fromOpaque(argument).takeUnretainedValue().fire()
    }
    let error = fd_listen(descriptor, Int32(FD_READ), handler, Unmanaged.passUnretained(self).toOpaque())
    precondition(error == 0, "an event loop cannot watch a timer, descriptor \(descriptor): error \(error)")
  }

  deinit {
    fd_close(descriptor)
    close(descriptor)
  }

  /// Fires once, at a time of ``MediaClock/steadyNow``, µs, or at once when that has passed. An earlier start is
  /// forgotten.
  func start(at time: Int) {
    isRunning = true
    shim_timer_set(descriptor, Int64(max(time, 1)))
  }

  /// Forgets the start.
  func cancel() {
    isRunning = false
    shim_timer_set(descriptor, 0)
  }

  private func fire() {
    isRunning = false
    body()
    if !isRunning { cancel() }  // else it would stay readable, and fire for ever
  }
}
