internal import CLibreShim

/// Something that a ``MediaClock`` ticks.
protocol Ticking: AnyObject {
  /// Where the clock keeps it; the clock's alone.
  var place: (phase: Int, index: Int)? { get set }
  /// 20 ms, at a time in µs.
  func tick(at now: Int, _ clock: MediaClock)
  /// Time that nobody will make up for.
  func skip(_ ticks: Int)
}

/// What ticks every 20 ms on one loop, for all calls there.
///
/// Calls are spread over ten phases of two milliseconds, so that packets leave evenly and not in one burst, and the loop
/// is not woken more often than that is worth. Deadlines are start plus n times 20 ms, so nothing drifts. Sockets are
/// read at the tick, not when a packet comes: the jitter buffer would hold it until then anyway, the loop is not woken
/// for each packet, and a flood at one port costs its call no more than one full batch a tick.
/// (docs/decisions/0020-media-clock.md)
final class MediaClock {
  /// Length of a tick, µs.
  static let tick = 20_000
  /// How many ticks are made up for after the loop was held up; more would only be a burst.
  static let maximumCatchUp = 5
  private static let phases = 10

  /// Room for received packets, used by one call after the other.
  let batch: OpaquePointer
  /// Room for a packet that is being made.
  let packet = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)

  private var timer: ExactTimer?
  private var members: [[any Ticking]] = Array(repeating: [], count: phases)
  private var due = Array(repeating: 0, count: phases)
  private var nextPhase = 0
  /// The phase whose turn it is next, and that the timer waits for; `nil` while nobody ticks.
  private var turn: Int?
  /// Whether sessions are being ticked: none may be added or removed then.
  private(set) var isTicking = false
  /// The time, µs, of a clock that a test moves by hand.
  private var manual: Int?

  /// - Parameter isManual: For tests: no timer runs, time begins at 1000 s and passes by ``advance(_:)``.
  init(isManual: Bool = false) {
    guard let batch = shim_batch_new() else { fatalError("no memory for a media clock") }
    self.batch = batch
    if isManual {
      manual = 1_000_000_000
    } else {
      timer = ExactTimer { [unowned self] in run() }
    }
  }

  deinit {
    shim_batch_free(batch)
    packet.deallocate()
  }

  /// The clock of the loop that this runs on.
  static func of(_ loop: EventLoop) -> MediaClock {
    precondition(loop.isCurrent, "a media clock belongs to its loop")
    guard let clock = loop.mediaClock else { preconditionFailure("an event loop that serves has a clock") }
    return clock
  }

  /// The time of every clock that no test moves, µs; from any thread.
  static var steadyNow: Int { Int(shim_now()) }

  /// Microseconds of a clock that never goes back.
  var now: Int { manual ?? Int(shim_now()) }

  /// The wall clock in NTP's form (RFC 3550 section 4).
  var ntp: UInt64 {
    manual.map { UInt64($0 / 1_000_000) << 32 | UInt64($0 % 1_000_000) << 32 / 1_000_000 } ?? shim_ntp_now()
  }

  /// When a datagram came that the kernel has had for `age`.
  func arrival(age: Int) -> Int { manual ?? now - age }

  /// Lets time pass on a manual clock, a millisecond at a time.
  func advance(_ milliseconds: Int) {
    for _ in 0..<milliseconds {
      guard let time = manual else { return }
      manual = time + 1000
      run()
    }
  }

  /// How many calls tick here.
  var count: Int { members.reduce(0) { $0 + $1.count } }

  /// Ticks a session from now on, in the phase that has the fewest.
  func add(_ session: any Ticking) {
    var phase = nextPhase
    for step in 1..<MediaClock.phases {
      let other = (nextPhase + step * 7) % MediaClock.phases
      if members[other].count < members[phase].count { phase = other }
    }
    nextPhase = (nextPhase + 7) % MediaClock.phases  // neighbours in time are taken last
    if members[phase].isEmpty {
      let now = now
      due[phase] = (now / MediaClock.tick + 1) * MediaClock.tick + phase * MediaClock.tick / MediaClock.phases
      while due[phase] - MediaClock.tick > now { due[phase] -= MediaClock.tick }
    }
    session.place = (phase, members[phase].count)
    members[phase].append(session)
    if turn.map({ due[phase] < due[$0] }) ?? true { arm() }
  }

  /// Stops ticking it. Not to be called inside a tick.
  func remove(_ session: any Ticking) {
    guard let (phase, index) = session.place else { return }
    session.place = nil
    // The last one of the phase takes the place. The timer stays as it is: a run that finds nothing to do costs less.
    let last = members[phase].removeLast()
    guard last !== session else { return }
    members[phase][index] = last
    last.place = (phase, index)
  }

  private func arm() {
    turn = nil
    for phase in members.indices where !members[phase].isEmpty {
      if let turn, due[turn] <= due[phase] { continue }
      turn = phase
    }
    if let turn { timer?.start(at: due[turn]) }
  }

  /// One phase at a time: between them, what else the loop has to do gets its turn, however late the clock is.
  private func run() {
    let now = now
    if let turn, due[turn] <= now { tick(turn, at: now) }
    arm()
  }

  private func tick(_ phase: Int, at now: Int) {
    isTicking = true
    defer { isTicking = false }
    let late = (now - due[phase]) / MediaClock.tick + 1
    let ticks = min(late, MediaClock.maximumCatchUp)
    for session in members[phase] {
      if late > ticks { session.skip(late - ticks) }
      for tick in 0..<ticks { session.tick(at: due[phase] + (late - ticks + tick) * MediaClock.tick, self) }
    }
    due[phase] += late * MediaClock.tick
  }
}
