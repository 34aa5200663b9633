import CLibre
import Foundation
import RouterCore
import Testing

@Suite struct EventLoopTests {
  /// An actor that lives on a loop, as SIP and RTP do.
  private actor Resident {
    let loop: EventLoop
    var visits = 0
    init(_ loop: EventLoop) { self.loop = loop }
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    func visit() -> Bool {
      visits += 1
      return loop.isCurrent
    }
    private var isResting = false
    func queueForEver() { if !isResting { Task { queueForEver() } } }
    func rest() {
      isResting = true
      timer.deallocate()
    }

    private let timer = UnsafeMutablePointer<tmr>.allocate(capacity: 1)
    private var fire: @Sendable () -> Void = {}
    func startTimer(_ fire: @escaping @Sendable () -> Void) {
      self.fire = fire
      tmr_init(timer)
      tmr_start(
        timer, 1,
        { argument in
          guard let argument else { return }
          let resident = Unmanaged<Resident>.fromOpaque(argument).takeUnretainedValue()
          resident.assumeIsolated { $0.fire() }
        }, Unmanaged.passUnretained(self).toOpaque())
    }

    func isWheelInForce() -> Bool { isTimingWheelInForce() }
  }

  @Test func actorsRunOnTheirLoop() async {
    let loop = EventLoop(name: "test")
    let resident = Resident(loop)
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<1000 { group.addTask { await resident.visit() } }
      for await isOnLoop in group { #expect(isOnLoop) }
    }
    #expect(await resident.visits == 1000)
    #expect(!loop.isCurrent)
    loop.stop()
  }

  /// A loop that was held says so, once.
  @Test func aPulseTellsHowLateALoopWas() async {
    let loop = EventLoop(name: "test")
    let pulse = LoopPulse(loop, every: .milliseconds(2))
    await pulse.start()
    #expect(await pulse.read().longest < .seconds(5))
    loop.execute { usleep(60_000) }
    // The pulse is read behind what holds the loop.
    #expect(await pulse.read().longest > .milliseconds(50))
    #expect(await pulse.read().longest < .milliseconds(50))
    await pulse.stop()
    loop.stop()
  }

  @Test func severalLoopsLiveSideBySide() async {
    let loops = EventLoops(mediaLoops: 2)
    let first = loops.nextMediaLoop()
    let second = loops.nextMediaLoop()
    #expect(first !== second)
    #expect(loops.nextMediaLoop() === first)
    #expect(await Resident(first).visit())
    #expect(await Resident(second).visit())
    #expect(await Resident(loops.signalling).visit())
    loops.stop()
  }

  /// Jobs that queue jobs run on without a turn of libre's loop, but not for ever.
  @Test func jobsThatQueueJobsStarveNobody() async throws {
    let loop = EventLoop(name: "test")
    let resident = Resident(loop)
    let fired = OneShot<Void>()
    await resident.queueForEver()
    await resident.startTimer { fired.resolve(()) }
    await fired.value(cancelled: ())
    await resident.rest()
    loop.stop()
  }

  /// One descriptor for jobs and one for polling: a loop that is forgotten leaves none behind, nor its thread.
  @Test func aForgottenLoopEndsByItself() async throws {
    func threads() throws -> Int {
      let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")
      return tasks.count {
        (try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8)) == "forgotten\n"
      }
    }
    for _ in 0..<20 {
      let resident = Resident(EventLoop(name: "forgotten"))
      #expect(await resident.visit())
      await resident.rest()
    }
    for _ in 0..<200 where try threads() > 0 { try await Task.sleep(for: .milliseconds(50)) }
    #expect(try threads() == 0)
  }

  @Test func libreUsesTheTimingWheel() async {
    let loop = EventLoop(name: "test")
    #expect(await Resident(loop).isWheelInForce())
    loop.stop()
  }
}
