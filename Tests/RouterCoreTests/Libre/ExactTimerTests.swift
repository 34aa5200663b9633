import Testing

@testable import RouterCore

@Suite struct ExactTimerTests {
  /// Runs on the loop, and keeps what it needs until it is let go there.
  private final class Bench: @unchecked Sendable {
    let loop = EventLoop(name: "test")
    var timer: ExactTimer?
    var fired: [Int] = []

    func onLoop<T: Sendable>(_ body: @escaping @Sendable (Bench) -> T) async -> T {
      await withCheckedContinuation { done in loop.execute { done.resume(returning: body(self)) } }
    }

    /// A timer that notes when it fires, and starts itself again so often, each time this much later.
    func make(again: Int = 0, after pause: Int = 0, _ done: OneShot<Void>) async {
      await onLoop { bench in
        bench.timer = ExactTimer { [unowned bench] in
          bench.fired.append(MediaClock.steadyNow)
          if bench.fired.count <= again {
            bench.timer?.start(at: MediaClock.steadyNow + pause)
          } else {
            done.resolve(())
          }
        }
      }
    }

    func stop() async {
      await onLoop { $0.timer = nil }
      loop.stop()
    }
  }

  /// Turns of the loop that nothing else asks for: what would fire once too often, does so in them.
  private func wait(_ bench: Bench) async {
    let done = OneShot<Void>()
    await bench.onLoop { bench in
      let timer = LoopTimer()
      timer.start(30) {
        timer.cancel()
        done.resolve(())
      }
    }
    await done.value(cancelled: ())
  }

  @Test(arguments: [3000, 0, -1_000_000]) func firesOnceAndNotEarly(_ delay: Int) async {
    let (bench, done) = (Bench(), OneShot<Void>())
    await bench.make(done)
    let due = await bench.onLoop { bench in
      let due = MediaClock.steadyNow + delay
      bench.timer?.start(at: due)
      return due
    }
    await done.value(cancelled: ())
    await wait(bench)
    let fired = await bench.onLoop { $0.fired }
    #expect(fired.count == 1)
    #expect(fired.allSatisfy { $0 >= due })
    await bench.stop()
  }

  @Test func startsItselfAgain() async {
    let (bench, done) = (Bench(), OneShot<Void>())
    await bench.make(again: 20, after: 500, done)
    await bench.onLoop { $0.timer?.start(at: 0) }
    await done.value(cancelled: ())
    await wait(bench)
    #expect(await bench.onLoop { $0.fired }.count == 21)
    await bench.stop()
  }

  @Test func whatIsForgottenDoesNotFire() async {
    let (bench, done) = (Bench(), OneShot<Void>())
    await bench.make(done)
    await bench.onLoop { bench in
      bench.timer?.start(at: MediaClock.steadyNow + 2000)
      bench.timer?.cancel()
    }
    await wait(bench)
    #expect(await bench.onLoop { $0.fired }.isEmpty)
    // A later start takes the place of an earlier one.
    let later = await bench.onLoop { bench in
      bench.timer?.start(at: MediaClock.steadyNow)
      let later = MediaClock.steadyNow + 10_000
      bench.timer?.start(at: later)
      return later
    }
    await done.value(cancelled: ())
    let fired = await bench.onLoop { $0.fired }
    #expect(fired.count == 1)
    #expect(fired.allSatisfy { $0 >= later })
    await bench.stop()
  }

  /// The clock of a loop takes a descriptor: not when the first call comes, and none may be left.
  @Test func aLoopHasItsClockFromTheStart() async {
    let bench = Bench()
    #expect(await bench.onLoop { $0.loop.mediaClock != nil })
    await bench.stop()
  }
}
