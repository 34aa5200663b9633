import Testing

@testable import RouterCore

@Suite struct PlayoutQueueTests {
  /// A queue with what was pulled from it.
  struct Player {
    var queue = PlayoutQueue(format: .muLaw)
    var events: [PlayoutQueue.Event] = []
    var heard: [[UInt8]] = []
    var wasAudio: [Bool] = []

    mutating func play(_ byte: UInt8, count: Int, turn: Int) {
      [UInt8](repeating: byte, count: count).withUnsafeBytes { queue.append($0, turn: TurnID(turn)) }
    }

    mutating func tick(_ times: Int = 1) {
      for _ in 0..<times {
        var frame = [UInt8](repeating: 0xAB, count: 160)
        wasAudio.append(frame.withUnsafeMutableBytes { queue.pull(into: $0, events: &events) })
        heard.append(frame)
      }
    }
  }

  @Test func silenceWhileNobodySpeaks() {
    var player = Player()
    player.tick(3)
    #expect(player.heard == Array(repeating: Array(repeating: 0xFF, count: 160), count: 3))
    #expect(player.wasAudio == [false, false, false] && player.events.isEmpty)
  }

  @Test func aTurnBeginsAndEnds() {
    var player = Player()
    player.play(1, count: 400, turn: 1)
    player.queue.end(TurnID(1))
    player.tick(4)
    #expect(player.heard.flatMap { $0 }.prefix(400).allSatisfy { $0 == 1 })
    #expect(player.heard.flatMap { $0 }.dropFirst(400).allSatisfy { $0 == 0xFF })
    #expect(player.events == [.started(TurnID(1)), .ended(TurnID(1))])
    #expect(player.wasAudio == [true, true, true, false])
  }

  @Test func theEndMayComeLater() {
    var player = Player()
    player.play(1, count: 160, turn: 1)
    player.tick(3)
    #expect(player.events == [.started(TurnID(1))])
    player.play(1, count: 160, turn: 1)
    player.tick()
    #expect(player.events == [.started(TurnID(1))], "a turn that paused does not start again")
    player.queue.end(TurnID(1))
    player.tick()
    #expect(player.events.last == .ended(TurnID(1)))
  }

  @Test func aTurnWithoutAudioEnds() {
    var player = Player()
    player.queue.end(TurnID(4))
    player.tick()
    #expect(player.events == [.ended(TurnID(4))])
  }

  @Test func turnsFollowEachOther() {
    var player = Player()
    player.play(1, count: 200, turn: 1)
    player.queue.end(TurnID(1))
    player.play(2, count: 200, turn: 2)
    player.queue.end(TurnID(2))
    player.tick(3)
    #expect(
      player.heard.flatMap { $0 }.prefix(400)
        == ArraySlice(Array(repeating: 1, count: 200) + Array(repeating: 2, count: 200)))
    #expect(
      player.events == [.started(TurnID(1)), .ended(TurnID(1)), .started(TurnID(2)), .ended(TurnID(2))])
  }

  @Test func anUnfinishedFrameWaitsALittle() {
    var player = Player()
    player.play(1, count: 100, turn: 1)
    player.tick(2)
    #expect(player.wasAudio == [false, false])
    player.play(1, count: 60, turn: 1)
    player.tick()
    #expect(player.heard[2] == Array(repeating: 1, count: 160))
    player.play(2, count: 10, turn: 1)
    player.tick(4)
    #expect(player.wasAudio.suffix(4) == [false, false, false, true], "but not for ever")
  }

  @Test func flushSaysWhatWasHeard() {
    var player = Player()
    player.play(1, count: 8000, turn: 7)
    player.tick(10)
    #expect(player.queue.flush() == PlayedAudio(turn: TurnID(7), milliseconds: 200))
    player.tick()
    #expect(player.wasAudio.last == false)
    player.play(1, count: 800, turn: 7)
    player.play(1, count: 800, turn: 6)
    player.queue.end(TurnID(7))
    player.tick(3)
    #expect(player.wasAudio.suffix(3) == [false, false, false], "late audio of the turn is dropped")
    #expect(player.events == [.started(TurnID(7))], "and nothing is said of it")
    #expect(player.queue.flush() == PlayedAudio())
    player.play(1, count: 160, turn: 8)
    player.tick()
    #expect(player.wasAudio.last == true)
  }

  @Test func flushDropsTurnsThatWaited() {
    var player = Player()
    player.play(1, count: 800, turn: 1)
    player.play(1, count: 800, turn: 2)
    player.tick()
    #expect(player.queue.flush() == PlayedAudio(turn: TurnID(1), milliseconds: 20))
    player.play(1, count: 800, turn: 2)
    player.tick()
    #expect(player.wasAudio.last == false)
  }

  @Test func flushInAPauseStillNamesTheTurn() {
    var player = Player()
    player.play(1, count: 320, turn: 3)
    player.tick(5)
    #expect(player.queue.flush() == PlayedAudio(turn: TurnID(3), milliseconds: 40))
  }

  @Test func flushFadesOut() {
    var player = Player()
    player.play(0x80, count: 8000, turn: 1)  // the loudest sample
    player.tick()
    _ = player.queue.flush(fade: 10)
    player.tick(2)
    let levels = player.heard[1].prefix(80)
    #expect(levels.first == 0x80)
    #expect(zip(levels, levels.dropFirst()).allSatisfy { $0 <= $1 }, "µ-law codes grow as the level falls")
    #expect(player.heard[1].dropFirst(80).allSatisfy { $0 == 0xFF })
    #expect(player.wasAudio == [true, true, false])
    #expect(player.events == [.started(TurnID(1))])
  }

  @Test func itIsBounded() {
    var player = Player()
    let limit = SpeakerLimit.milliseconds * 8
    for _ in 0..<5 { player.play(1, count: limit / 4, turn: 1) }
    #expect(player.queue.milliseconds == SpeakerLimit.milliseconds)
    #expect(player.queue.dropped == limit / 4)
    for turn in 2..<1000 { player.play(1, count: 1, turn: turn) }
    _ = player.queue.flush()
    #expect(player.queue.isEmpty)
  }

  @Test func aChangeOfCodecConvertsWhatWaits() {
    var player = Player()
    player.play(0x80, count: 1600, turn: 1)
    player.queue.end(TurnID(1))
    player.tick(5)
    player.queue.convert(to: .linear16(16000))
    #expect(abs(player.queue.milliseconds - 100) <= 2)
    var frame = [UInt8](repeating: 0, count: 640)
    var count = 0
    while frame.withUnsafeMutableBytes({ player.queue.pull(into: $0, events: &player.events) }) { count += 1 }
    #expect((5...6).contains(count))
    #expect(player.events.last == .ended(TurnID(1)))
  }

  @Test func theRingKeepsItsBytes() {
    var random = SplitMix(seed: 3)
    var ring = ByteRing()
    var model: [UInt8] = []
    for _ in 0..<5000 {
      if Bool.random(using: &random) {
        let new = (0..<Int.random(in: 0...700, using: &random)).map { _ in
          UInt8.random(in: .min ... .max, using: &random)
        }
        new.withUnsafeBytes { ring.append($0) }
        model += new
      } else {
        var taken = [UInt8](repeating: 0, count: Int.random(in: 0...model.count, using: &random))
        taken.withUnsafeMutableBytes { ring.take(into: $0) }
        #expect(taken.elementsEqual(model.prefix(taken.count)))
        model.removeFirst(taken.count)
      }
      #expect(ring.count == model.count)
    }
  }
}
