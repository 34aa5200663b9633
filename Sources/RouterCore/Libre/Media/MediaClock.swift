internal import CLibreShim

/// Something that a ``MediaClock`` ticks.
protocol Ticking: AnyObject {
  /// Where the clock keeps it; the clock's alone.
  var place: (phase: Int, index: Int)? { get set }
  /// Takes what came since the last tick.
  func read(_ clock: MediaClock)
  /// 20 ms, at a time in µs. What is to be sent goes into the clock's outbox.
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
  /// How many ticks are made up for after the loop was held up; with more, everything would be late from then on.
  static let maximumCatchUp = 5
  private static let phases = 10
  /// So many calls are read, then ticked, then their packets sent: three short ways of code that are walked often, instead
  /// of a long one for each call, which the processor's caches do not hold. What so many calls touch, they do.
  private static let group = 32
  /// Of a session, roughly, what a tick touches.
  private static let sessionBytes = 1024

  /// Room for received packets, used by one call after the other.
  let batch: OpaquePointer
  /// Room for a packet that is being made.
  let packet = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
  /// Packets of the calls that tick together.
  let outbox: OpaquePointer

  private var timer: ExactTimer?
  private var members: [[any Ticking]] = Array(repeating: [], count: phases)
  private var due = Array(repeating: 0, count: phases)
  private var nextPhase = 0
  /// The phase whose turn it is next, and that the timer waits for; `nil` while nobody ticks.
  private var next: Int?
  /// Whether sessions are being ticked: none may be added or removed then.
  private(set) var isTicking = false
  /// The time, µs, of a clock that a test moves by hand.
  private var manual: Int?
  /// Whether it is; how long packets have waited says nothing then.
  var isManual: Bool { manual != nil }

  /// - Parameter isManual: For tests: no timer runs, time begins at 1000 s and passes by ``advance(_:)``.
  init(isManual: Bool = false) {
    guard let batch = shim_batch_new(), let outbox = shim_outbox_new() else {
      fatalError("no memory for a media clock")
    }
    self.batch = batch
    self.outbox = outbox
    if isManual {
      manual = 1_000_000_000
    } else {
      timer = ExactTimer { [unowned self] in turn() }
    }
  }

  deinit {
    shim_batch_free(batch)
    shim_outbox_free(outbox)
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

  /// When a datagram came.
  func arrival(of datagram: shim_datagram) -> Int { manual ?? Int(datagram.arrival) }

  /// Lets time pass on a manual clock, a millisecond at a time.
  func advance(_ milliseconds: Int) {
    for _ in 0..<milliseconds {
      jump(1)
      turn()
    }
  }

  /// Lets time pass on a manual clock, in which the loop does something else.
  func jump(_ milliseconds: Int) { manual = manual.map { $0 + milliseconds * 1000 } }

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
    if next.map({ due[phase] < due[$0] }) ?? true { arm() }
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
    next = nil
    for phase in members.indices where !members[phase].isEmpty {
      if let next, due[next] <= due[phase] { continue }
      next = phase
    }
    if let next { timer?.start(at: due[next]) }
  }

  /// One turn of the loop: one phase at most. Between them, what else the loop has to do gets its turn, however late the
  /// clock is.
  func turn() {
    let now = now
    if let next, due[next] <= now { tick(next, at: now) }
    arm()
  }

  /// The next tick of a phase. Of a clock that is late, each phase has its next tick before any has the one after: packets
  /// are late then, but do not leave in pairs. Of one that is later still they do, since two ticks at once take less time.
  private func tick(_ phase: Int, at now: Int) {
    isTicking = true
    defer { isTicking = false }
    let sessions = members[phase]
    var late = (now - due[phase]) / MediaClock.tick
    if late > MediaClock.maximumCatchUp {
      for session in sessions { session.skip(late - MediaClock.maximumCatchUp) }
      due[phase] += (late - MediaClock.maximumCatchUp) * MediaClock.tick
      late = MediaClock.maximumCatchUp
    }
    let times = due[phase]...(late < 2 ? due[phase] : due[phase] + MediaClock.tick)
    for start in stride(from: 0, to: sessions.count, by: MediaClock.group) {
      let group = sessions[start..<min(start + MediaClock.group, sessions.count)]
      for time in stride(from: times.lowerBound, through: times.upperBound, by: MediaClock.tick) {
        tick(group, at: time)
      }
    }
    due[phase] = times.upperBound + MediaClock.tick
  }

  private func tick(_ group: ArraySlice<any Ticking>, at time: Int) {
    shim_batch_begin(batch)
    for index in group.indices {
      // While the kernel reads for one call, the next one's memory comes into the caches.
      if index + 1 < group.endIndex {
        shim_prefetch(
          Unmanaged<AnyObject>.passUnretained(group[index + 1]).toOpaque(), MediaClock.sessionBytes)
      }
      group[index].read(self)
    }
    for session in group { session.tick(at: time, self) }
    shim_outbox_send(outbox)
  }
}
