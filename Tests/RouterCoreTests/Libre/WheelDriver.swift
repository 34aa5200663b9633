import CLibre
import CLibreShim
import Glibc

/// The calling thread's timing wheel with numbered timers, and what they did.
final class Wheel {
  private var timers: [Int: UnsafeMutablePointer<Entry>] = [:]
  /// The numbers of the timers that fired, in order, and when.
  private(set) var fired: [Int] = []
  private(set) var firedAt: [UInt64] = []
  /// Called in the timer's handler, after it was noted.
  var onFire: ((Wheel, Int) -> Void)?

  private struct Entry {
    var timer = tmr()
    var id: Int
    unowned let wheel: Wheel
  }

  /// - Parameter now: The clock's first millisecond; it moves by ``advance(to:)`` alone. `nil` is the real clock.
  init(at now: UInt64?) {
    precondition(shim_timers_running() == 0, "another test left timers on this thread")
    shim_timers_set_clock(now ?? 0)
  }

  deinit {
    for entry in timers.values {
      tmr_cancel(Wheel.timer(entry))
      entry.deinitialize(count: 1)
      entry.deallocate()
    }
    shim_timers_set_clock(0)
  }

  var now: UInt64 { tmr_jiffies() }
  var running: Int { Int(shim_timers_running()) }
  var timeout: UInt64 { tmr_next_timeout(nil) }

  func start(_ id: Int, _ delay: UInt64) {
    let entry = entry(id)
    let handler: @convention(c) (UnsafeMutableRawPointer?) -> Void = { argument in
      guard let entry = argument?.assumingMemoryBound(to: Entry.self) else { return }
      entry.pointee.wheel.note(entry.pointee.id)
    }
    tmr_start(Wheel.timer(entry), delay, handler, entry)
  }

  func cancel(_ id: Int) { tmr_cancel(Wheel.timer(entry(id))) }

  func remaining(_ id: Int) -> UInt64 { tmr_get_expire(Wheel.timer(entry(id))) }

  func advance(to now: UInt64) {
    shim_timers_set_clock(now)
    poll()
  }

  func poll() { tmr_poll(nil) }

  private func note(_ id: Int) {
    fired.append(id)
    firedAt.append(now)
    onFire?(self, id)
  }

  private func entry(_ id: Int) -> UnsafeMutablePointer<Entry> {
    if let entry = timers[id] { return entry }
    let entry = UnsafeMutablePointer<Entry>.allocate(capacity: 1)
    entry.initialize(to: Entry(id: id, wheel: self))
    timers[id] = entry
    return entry
  }

  private static func timer(_ entry: UnsafeMutablePointer<Entry>) -> UnsafeMutablePointer<tmr>? {
    UnsafeMutableRawPointer(entry).assumingMemoryBound(to: tmr.self)
  }
}

/// What the wheel must be indistinguishable from: a list of timers sorted by expiry, then by start.
struct SortedModel {
  private var running: [Int: (expiry: UInt64, sequence: Int)] = [:]
  private var sequence = 0

  var count: Int { running.count }
  var earliest: UInt64? { running.values.map(\.expiry).min() }

  mutating func start(_ id: Int, at expiry: UInt64) {
    sequence += 1
    running[id] = (expiry, sequence)
  }

  mutating func cancel(_ id: Int) { running[id] = nil }

  mutating func takeDue(at now: UInt64) -> [Int] {
    let due = running.filter { $0.value.expiry <= now }
      .sorted { ($0.value.expiry, $0.value.sequence) < ($1.value.expiry, $1.value.sequence) }
      .map(\.key)
    for id in due { running[id] = nil }
    return due
  }
}

/// A generator with a seed, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

/// Runs a body on a thread of its own and waits for it.
func runOnNewThread(_ body: @escaping @Sendable () -> Void) {
  final class Box: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  var thread = pthread_t()
  let created = pthread_create(
    &thread, nil,
    { argument in
      guard let argument else { return nil }
      Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
      return nil
    }, Unmanaged.passRetained(Box(body)).toOpaque())
  precondition(created == 0, "no thread")
  pthread_join(thread, nil)
}
