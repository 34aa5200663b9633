import CLibre
import CLibreShim
import Synchronization
import Testing

/// The wheel behind libre's timers, driven through libre's own `tmr_*` with a clock that stands still.
/// Each test runs on one thread from end to end, and so has that thread's wheel for itself.
@Suite struct TimingWheelTests {
  /// Delays at and around the borders of the wheel's levels: 64, 4096, 262144, … milliseconds.
  static let borders: [UInt64] = (1...7).flatMap { level -> [UInt64] in
    let border = UInt64(1) << (6 * level)
    return [border - 2, border - 1, border, border + 1]
  }

  /// Moments at which timers are started: unaligned, aligned to levels, and just before an aligned one.
  static let starts: [UInt64] = [
    1, 63, 64, 4095, 4096, 262_143, 262_144, (1 << 42) - 1, 1 << 42, 123_456_789,
  ]

  @Test func timersAcrossLevelBordersFireOnTheirMillisecond() {
    for start in TimingWheelTests.starts {
      let wheel = Wheel(at: start)
      for (id, delay) in TimingWheelTests.borders.enumerated() { wheel.start(id, delay) }
      for (id, delay) in TimingWheelTests.borders.enumerated().sorted(by: { $0.element < $1.element }) {
        wheel.advance(to: start + delay)
        #expect(!wheel.fired.contains(id), "early: \(delay) ms from \(start)")
        wheel.advance(to: start + delay + 1)
        #expect(wheel.fired.last == id, "late: \(delay) ms from \(start)")
      }
      #expect(wheel.running == 0)
    }
  }

  @Test func oneLongSleepServesEveryTimerInOrder() {
    for start in TimingWheelTests.starts {
      let wheel = Wheel(at: start)
      let delays = Array(TimingWheelTests.borders.reversed())
      for (id, delay) in delays.enumerated() { wheel.start(id, delay) }
      wheel.advance(to: start + (1 << 45))
      #expect(wheel.fired == Array(delays.indices.reversed()))
    }
  }

  @Test func timersOfOneMillisecondFireInTheOrderOfTheirStart() {
    let wheel = Wheel(at: 10_000)
    let expiry: UInt64 = 10_000 + 5_000
    for id in 0..<50 {  // started from farther and nearer, so through different levels
      wheel.advance(to: 10_000 + UInt64(id) * 99)
      wheel.start(id, expiry - wheel.now)
    }
    wheel.advance(to: expiry + 1)
    #expect(wheel.fired == Array(0..<50))
  }

  @Test func followingTheTimeoutIsNeverLate() {
    for start in TimingWheelTests.starts {
      let wheel = Wheel(at: start)
      for (id, delay) in TimingWheelTests.borders.enumerated() { wheel.start(id, delay) }
      var steps = 0
      while wheel.timeout > 0 {
        let timeout = wheel.timeout
        #expect(timeout <= UInt64(Int32.max), "libre's loop takes it as an int")
        wheel.advance(to: wheel.now + timeout)
        steps += 1
      }
      #expect(wheel.running == 0)
      let due = TimingWheelTests.borders.map { start + $0 + 1 }
      for (id, at) in zip(wheel.fired, wheel.firedAt) { #expect(at == due[id]) }
      #expect(steps < 2500, "the loop wakes up a few times a timer, not for every slot")
    }
  }

  @Test func absurdDelaysNeitherWrapNorStopTheOthers() {
    let wheel = Wheel(at: 1 << 41)
    let delays: [UInt64] = [.max, .max - 1, 1 << 63, 1 << 32, 1 << 31]
    for (id, delay) in delays.enumerated() {
      wheel.start(id, delay)
    }
    wheel.start(5, 10)
    #expect(wheel.timeout <= 11)
    wheel.advance(to: wheel.now + 11)
    #expect(wheel.fired == [5])
    #expect((1...UInt64(Int32.max)).contains(wheel.timeout))
    wheel.advance(to: wheel.now + (1 << 33))
    #expect(wheel.fired == [5, 4, 3])
    #expect(wheel.running == 3)
  }

  @Test func handlersMayCancelAndRestartTimersThatAreDueWithThem() {
    let wheel = Wheel(at: 1_000)
    for id in 0..<5 { wheel.start(id, 10) }
    wheel.onFire = { wheel, id in
      guard id == 1 else { return }
      wheel.cancel(0)  // has fired: nothing to cancel
      wheel.cancel(2)  // due in this very round
      wheel.start(3, 0)  // due in this round, now in the next
      wheel.start(1, 20)  // itself
    }
    wheel.advance(to: 1_011)
    #expect(wheel.fired == [0, 1, 4])
    #expect(wheel.timeout == 1)
    wheel.onFire = nil
    wheel.poll()
    #expect(wheel.fired == [0, 1, 4, 3])
    wheel.advance(to: 1_031)
    #expect(wheel.fired == [0, 1, 4, 3])
    wheel.advance(to: 1_032)
    #expect(wheel.fired == [0, 1, 4, 3, 1])
    #expect(wheel.running == 0)
  }

  @Test func aTimerThatRestartsItselfWithoutDelayFiresOnceARound() {
    let wheel = Wheel(at: 77)
    wheel.onFire = { wheel, _ in wheel.start(0, 0) }
    wheel.start(0, 0)
    for round in 1...10 {
      wheel.poll()
      #expect(wheel.fired.count == round)
      #expect(wheel.timeout == 1)
    }
  }

  @Test func expiryIsWhatRemains() {
    let wheel = Wheel(at: 5_000)
    wheel.start(0, 3_600_000)
    #expect(wheel.remaining(0) / 1000 == 3_600)
    wheel.advance(to: 5_000 + 3_599_000)
    #expect(wheel.remaining(0) == 1_001)
    wheel.cancel(0)
    #expect(wheel.remaining(0) == 0)
    #expect(wheel.timeout == 0)
    wheel.cancel(0)  // twice does no harm
    #expect(wheel.running == 0)
  }

  @Test func twoHundredThousandTimersFireInOrder() {
    let count = 200_000
    let wheel = Wheel(at: 1)
    var random = SplitMix(seed: 7)
    var expected: [(expiry: UInt64, id: Int)] = []
    for id in 0..<count {
      let delay = UInt64.random(in: 1...64_000, using: &random)
      wheel.start(id, delay)
      if id % 3 == 0 { wheel.cancel(id) } else { expected.append((1 + delay + 1, id)) }
    }
    #expect(wheel.running == expected.count)
    while wheel.timeout > 0 { wheel.advance(to: wheel.now + wheel.timeout) }
    expected.sort { ($0.expiry, $0.id) < ($1.expiry, $1.id) }
    #expect(wheel.fired == expected.map(\.id))
    #expect(wheel.firedAt == expected.map(\.expiry))
  }

  @Test(arguments: 1...20) func behavesAsASortedListDoes(seed: UInt64) {
    var random = SplitMix(seed: seed)
    let origin = UInt64.random(in: 1...(1 << 43), using: &random)
    let wheel = Wheel(at: origin)
    var model = SortedModel()
    for step in 0..<4_000 {
      let id = Int.random(in: 0..<200, using: &random)
      // Any number of bits is equally likely, so that every level is met.
      let span = UInt64.random(in: 0...(1 << UInt64.random(in: 0...26, using: &random)), using: &random)
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<6:
        wheel.start(id, span)
        model.start(id, at: wheel.now + span + (span > 0 ? 1 : 0))
      case 6..<8:
        wheel.cancel(id)
        model.cancel(id)
      default:
        let seen = wheel.fired.count
        wheel.advance(to: wheel.now + span / 8)
        let due = model.takeDue(at: wheel.now)
        guard Array(wheel.fired[seen...]) == due else {
          Issue.record("seed \(seed), step \(step): \(wheel.fired[seen...]) instead of \(due)")
          return
        }
      }
      #expect(wheel.running == model.count)
      let earliest = model.earliest.map { max(1, $0 > wheel.now ? $0 - wheel.now : 0) } ?? 0
      #expect(wheel.timeout <= earliest && (wheel.timeout > 0) == (earliest > 0))
    }
  }

  @Test func onTheRealClockNothingFiresEarly() {
    let wheel = Wheel(at: nil)
    var started: [ContinuousClock.Instant] = []
    let delays: [UInt64] = (0..<300).map { $0 % 60 }
    for (id, delay) in delays.enumerated() {
      started.append(.now)
      wheel.start(id, delay)
    }
    wheel.onFire = { _, id in
      #expect(.now - started[id] >= .milliseconds(delays[id]))
    }
    while wheel.running > 0 { wheel.poll() }
    #expect(wheel.fired.count == delays.count)
  }

  @Test func eachThreadHasAWheelOfItsOwn() async {
    let wheel = Wheel(at: 50)
    wheel.start(0, 10)
    let elsewhere = Mutex<(running: Int, timeout: UInt64)?>(nil)
    runOnNewThread {
      let other = Wheel(at: 9_000_000)
      other.start(0, 500)
      elsewhere.withLock { $0 = (other.running, other.timeout) }
    }
    let other = elsewhere.withLock { $0 }
    #expect(other?.running == 1)
    #expect((other?.timeout ?? 0) > 0)
    #expect(wheel.running == 1)
    wheel.advance(to: 61)
    #expect(wheel.fired == [0])
  }
}
