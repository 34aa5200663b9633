import Testing

@testable import RouterCore

/// What a provider holds of our sound: time in milliseconds here.
@Suite struct RemotePlayoutTests {
  private struct Provider {
    var playout = RemotePlayout()
    var marks: [String] = []

    mutating func send(_ frames: Int, from start: Int, every step: Int = 20) {
      for frame in 0..<frames {
        if let mark = playout.send(20, at: (start + frame * step) * 1000) { marks.append(mark) }
      }
    }
  }

  @Test func theLeadIsKept() {
    var provider = Provider()
    #expect(provider.playout.level(at: 0) == 0)
    provider.send(8, from: 1000, every: 0)
    #expect(provider.playout.level(at: 1_000_000) == 160)
    #expect(provider.playout.level(at: 1_100_000) == 60)
    #expect(provider.playout.level(at: 9_000_000) == 0)
    provider.send(1, from: 9000)  // after a pause, time that passed is not owed
    #expect(provider.playout.level(at: 9_000_000) == 20)
  }

  @Test func aTurnEndsWhenItsMarkComesBack() {
    var provider = Provider()
    provider.playout.begin(TurnID(1))
    provider.send(30, from: 0)
    let end = provider.playout.finish(TurnID(1), at: 600_000)
    #expect(provider.marks.count == 3, "a mark for each 200 ms")
    #expect(provider.playout.echoed(provider.marks[0], at: 300_000) == [])
    #expect(
      provider.playout.echoed(end, at: 700_000) == [TurnID(1)], "marks before it that were lost do not matter"
    )
    #expect(provider.playout.echoed(end, at: 701_000) == [], "a mark counts once")
    #expect(provider.playout.flush(at: 800_000) == PlayedAudio())
  }

  @Test func aMarkThatNeverComesIsGivenUp() {
    var provider = Provider()
    provider.playout.begin(TurnID(1))
    provider.send(5, from: 0)
    _ = provider.playout.finish(TurnID(1), at: 100_000)
    #expect(provider.playout.overdue(at: 2_000_000) == [])
    #expect(provider.playout.overdue(at: 2_100_000) == [TurnID(1)])
    provider.playout.hasMarks = false
    _ = provider.playout.finish(TurnID(2), at: 3_000_000)
    #expect(provider.playout.overdue(at: 3_000_000) == [TurnID(2)], "without marks, time alone tells")
  }

  @Test func aFlushTellsWhatWasHeard() {
    var provider = Provider()
    provider.playout.begin(TurnID(1))
    provider.send(100, from: 0, every: 0)
    #expect(provider.playout.echoed(provider.marks[1], at: 700_000) == [])  // 400 ms were played at 700
    #expect(provider.playout.flush(at: 750_000) == PlayedAudio(turn: TurnID(1), milliseconds: 450))
    #expect(provider.playout.level(at: 750_000) == 0)
    #expect(provider.playout.flush(at: 760_000) == PlayedAudio())
    // `clear` brings the old marks back: they are of another generation.
    provider.playout.begin(TurnID(2))
    provider.send(10, from: 800)
    for mark in provider.marks.prefix(10) { #expect(provider.playout.echoed(mark, at: 900_000) == []) }
    #expect(provider.playout.flush(at: 900_000).turn == TurnID(2))
  }

  @Test func theTurnThatIsHeardIsNamed() {
    var provider = Provider()
    provider.playout.begin(TurnID(1))
    provider.send(10, from: 0, every: 0)
    _ = provider.playout.finish(TurnID(1), at: 0)
    provider.playout.begin(TurnID(2))
    provider.send(10, from: 0, every: 0)
    var early = provider.playout
    #expect(early.flush(at: 100_000) == PlayedAudio(turn: TurnID(1), milliseconds: 100))
    #expect(provider.playout.flush(at: 300_000) == PlayedAudio(turn: TurnID(2), milliseconds: 100))
  }

  @Test func marksAreBounded() {
    var provider = Provider()
    provider.playout.begin(TurnID(1))
    provider.send(100_000, from: 0, every: 0)
    #expect(provider.marks.count == 64)
  }

  @Test func anotherSocketBeginsAnew() {
    var provider = Provider()
    provider.playout.begin(TurnID(1))
    provider.send(10, from: 0, every: 0)
    _ = provider.playout.finish(TurnID(1), at: 0)
    provider.playout.begin(TurnID(2))
    provider.send(10, from: 0, every: 0)
    #expect(provider.playout.restart() == [TurnID(1)])
    #expect(provider.playout.level(at: 0) == 0)
    #expect(provider.playout.flush(at: 0) == PlayedAudio(turn: TurnID(2), milliseconds: 0))
  }

  @Test(arguments: [
    ([1, 2, 3], [1, 2, 3], 0), ([1, 3, 2, 4], [1, 2, 3, 4], 0), ([1, 1, 2, 2], [1, 2], 0),
    ([1, 3, 4, 5, 6, 7, 2], [1, 3, 4, 5, 6, 7], 1), ([5, 4, 6], [5, 6], 0),
    ([1, 2, 9000, 9001], [1, 2, 9000, 9001], 0), ([.max, .max, -3, 1], [.max, .max, -3, 1], 0),
    ([9, 1 << 59, 10], [9, 1 << 59, 10], 0),
  ])
  func framesArePutRight(numbers: [Int], expected: [Int], lost: Int) {
    var order = FrameOrder()
    var given: [Int] = []
    for number in numbers {
      withUnsafeBytes(of: number) { order.take($0, number: number) { given.append($0.load(as: Int.self)) } }
    }
    #expect(given == expected)
    #expect(order.lost == lost)
  }
}
