import Testing

@testable import RouterCore

/// Traces of packets through the buffer, in virtual time.
@Suite struct JitterBufferTests {
  /// A packet on its way. Times in µs.
  struct Sent {
    var sequence: Int
    var timestamp: Int
    var arrival: Int
    var duration = 160
  }

  /// What came out of a run.
  struct Heard {
    var played: [Int] = []
    var lost = 0
    var silent = 0
    var late = 0
    var delays: [Int] = []
    var isOrdered: Bool { zip(played, played.dropFirst()).allSatisfy { $0 < $1 } }
  }

  /// Sends 20 ms packets for `seconds`; `delay` is each one's time on the way, `nil` when it is lost.
  static func trace(
    seconds: Int, clockError: Double = 0, _ delay: (Int) -> Int?
  ) -> [Sent] {
    (0..<seconds * 50).compactMap { index in
      let sent = Int(Double(index) * 20_000 * (1 + clockError))
      return delay(index).map {
        Sent(sequence: 65_500 + index, timestamp: 4_294_900_000 + index * 160, arrival: 1_000_000 + sent + $0)
      }
    }.sorted { $0.arrival < $1.arrival }
  }

  static func run(
    _ trace: [Sent], limits: ClosedRange<Int> = 10...200, phase: Int = 7_000, isQuiet: Bool = true
  ) -> Heard {
    var buffer = JitterBuffer(clockRate: 8000, milliseconds: limits)
    var heard = Heard()
    var waiting = trace[...]
    var now = 1_000_000 + phase
    let end = (trace.last?.arrival ?? now) + 500_000
    while now < end {
      while let packet = waiting.first, packet.arrival <= now {
        waiting = waiting.dropFirst()
        let payload = [UInt8](repeating: UInt8(truncatingIfNeeded: packet.sequence), count: 160)
        _ = payload.withUnsafeBytes {
          buffer.put(
            sequence: UInt16(truncatingIfNeeded: packet.sequence),
            timestamp: UInt32(truncatingIfNeeded: packet.timestamp), duration: packet.duration,
            payloadType: 0,
            payload: $0, arrival: packet.arrival)
        }
      }
      switch buffer.take(at: now, isQuiet: { isQuiet }) {
      case .packet(let packet):
        let number = packet.sequence
        heard.played.append(number)
        heard.delays.append(buffer.currentDelay)
        let isIntact = buffer.withPayload(of: packet) { bytes in
          bytes.count == 160 && bytes.allSatisfy { $0 == UInt8(truncatingIfNeeded: packet.sequence) }
        }
        #expect(isIntact)
      case .lost: heard.lost += 1
      case .nothing: heard.silent += 1
      }
      now += 20_000
    }
    heard.late = buffer.late
    return heard
  }

  @Test(arguments: [0, 1, 7_000, 13_000, 19_999])
  func aCleanStreamPassesAtOnce(phase: Int) {
    let heard = Self.run(Self.trace(seconds: 60) { _ in 0 }, phase: phase)
    #expect(heard.played.count >= 2999)
    #expect(heard.isOrdered && heard.lost == 0 && heard.late == 0)
    // The least delay, what it takes to the next tick, and a little inertia.
    #expect(heard.delays.suffix(1000).allSatisfy { $0 <= 35_000 })
  }

  @Test func lossIsNamedAndNothingElseMoves() {
    var random = SplitMix(seed: 1)
    let trace = Self.trace(seconds: 60) { _ in Int.random(in: 0..<100, using: &random) < 5 ? nil : 0 }
    let heard = Self.run(trace)
    #expect(heard.isOrdered && heard.late == 0)
    // A loss at an empty buffer is heard as a pause of one tick instead.
    #expect(heard.played.count == trace.count)
    #expect(abs(3000 - trace.count - heard.lost) <= heard.silent)
    #expect(heard.lost + heard.silent < 3000 - trace.count + 40)
  }

  @Test func jitterIsAbsorbed() {
    var random = SplitMix(seed: 2)
    let heard = Self.run(Self.trace(seconds: 60) { _ in Int.random(in: 0...60_000, using: &random) })
    #expect(heard.isOrdered)
    let tail = heard.delays.suffix(2000)
    #expect(tail.allSatisfy { $0 <= 110_000 }, "not much more than the jitter")
    #expect(heard.played.count > 2960)
    #expect(heard.late < 30)
  }

  /// A call whose first packets come all at once: what was said first is heard.
  @Test(arguments: [4, 6, 9]) func theStartIsHeard(_ packets: Int) {
    let heard = Self.run(Self.trace(seconds: 4) { max(0, packets - $0) * 20_000 + 500 })
    #expect(heard.played.prefix(packets + 1).map { $0 & 0xffff } == Array(65_500...65_500 + packets))
    #expect(heard.late == 0 && heard.lost == 0)
    #expect(heard.delays.last ?? .max < 60_000, "and the delay goes again")
  }

  @Test func theDelayShrinksAgain() {
    var random = SplitMix(seed: 3)
    let trace = Self.trace(seconds: 60) { index in
      index < 1000 ? Int.random(in: 0...80_000, using: &random) : Int.random(in: 0...1_000, using: &random)
    }
    let heard = Self.run(trace)
    #expect(heard.delays[400..<1000].max() ?? 0 > 60_000)
    #expect(heard.delays.suffix(500).allSatisfy { $0 <= 35_000 })
    #expect(heard.isOrdered)
  }

  @Test func speechIsShortenedToo() {
    // Nobody is ever quiet: the delay still comes down, only slower.
    var random = SplitMix(seed: 4)
    let trace = Self.trace(seconds: 60) { index in
      index < 1000 ? Int.random(in: 0...80_000, using: &random) : 0
    }
    #expect(Self.run(trace, isQuiet: false).delays.suffix(500).allSatisfy { $0 <= 50_000 })
  }

  @Test func reorderingIsPutRight() {
    // Every tenth packet is overtaken by its successor.
    let trace = Self.trace(seconds: 30) { $0 % 10 == 5 ? 25_000 : 0 }
    let heard = Self.run(trace)
    #expect(heard.isOrdered)
    #expect(heard.played.count >= 1490)
    let settled = heard.played.suffix(1000)
    #expect(zip(settled, settled.dropFirst()).allSatisfy { $1 == $0 + 1 })
  }

  @Test func aBurstAfterAStallIsBounded() {
    // The network holds everything for 400 ms, then delivers it at once.
    let trace = Self.trace(seconds: 30) { index in
      (500..<520).contains(index) ? (520 - index) * 20_000 : 0
    }
    let heard = Self.run(trace)
    #expect(heard.isOrdered)
    #expect(heard.late > 0 && heard.late < 20, "what exceeds the limit goes")
    #expect(heard.delays.max() ?? 0 <= 260_000)
    #expect(heard.delays.suffix(200).allSatisfy { $0 <= 50_000 })
  }

  @Test(arguments: [-0.0005, -0.0001, 0.0001, 0.0005])
  func driftIsFollowed(clockError: Double) {
    // 500 ppm over ten minutes are 300 ms: 15 packets too many or too few.
    let trace = Self.trace(seconds: 600, clockError: clockError) { _ in 0 }
    let heard = Self.run(trace)
    #expect(heard.isOrdered)
    #expect(heard.delays.allSatisfy { $0 <= 60_000 })
    #expect(heard.played.count > 30_000 - 25)
    #expect(heard.silent < 60)
  }

  @Test func aPauseIsAPause() {
    // A sender with silence suppression: talks for a second, says nothing for two; timestamps go on.
    var trace: [Sent] = []
    var sequence = 1000
    for spurt in 0..<10 {
      for index in 0..<50 {
        let time = spurt * 150 + index
        trace.append(Sent(sequence: sequence, timestamp: time * 160, arrival: 1_000_000 + time * 20_000))
        sequence += 1
      }
    }
    let heard = Self.run(trace)
    #expect(heard.played.count == 500)
    #expect(heard.lost == 0)
    #expect(heard.late == 0)
    #expect(heard.silent > 850)
  }

  @Test func eventsAreNoLoss() {
    // Three of every hundred sequence numbers are keys.
    var trace = Self.trace(seconds: 20) { _ in 0 }
    for index in trace.indices where (50..<53).contains(index % 100) { trace[index].duration = 0 }
    let heard = Self.run(trace)
    #expect(heard.lost == 0 && heard.late == 0)
    #expect(heard.played.count == 970)
  }

  @Test func jumpsAreFollowed() {
    var trace = Self.trace(seconds: 5) { _ in 0 }
    let restart = (trace.last?.arrival ?? 0) + 20_000
    // The same source counts anew; the first packet is taken for a stray, the second shows that it is not.
    for index in 0..<250 {
      trace.append(
        Sent(sequence: 9_000 + index, timestamp: 77 + index * 160, arrival: restart + index * 20_000))
    }
    let heard = Self.run(trace)
    #expect(heard.played.count >= 250 + 248)
    // Timestamps alone may jump, too.
    var shifted = Self.trace(seconds: 10) { _ in 0 }
    for index in 250..<500 { shifted[index].timestamp += 800_000 }
    #expect(Self.run(shifted).played.count >= 498)
  }

  @Test func strayPacketsAreNot() {
    var trace = Self.trace(seconds: 10) { _ in 0 }
    for index in stride(from: 20, to: 500, by: 40) {
      trace.insert(
        Sent(sequence: 30_000 + index * 50, timestamp: 5, arrival: trace[index].arrival), at: index)
    }
    let heard = Self.run(trace)
    #expect(heard.played.count == 500 && heard.isOrdered)
  }

  @Test func duplicatesAreHeardOnce() {
    let trace = Self.trace(seconds: 10) { _ in 0 }
    let heard = Self.run(trace.flatMap { [$0, $0] })
    #expect(heard.played.count == 500 && heard.isOrdered)
  }

  @Test func aFloodIsBounded() {
    // A hundred times as many packets as there should be.
    let trace = (0..<20_000).map {
      Sent(sequence: 100 + $0, timestamp: $0 * 160, arrival: 1_000_000 + $0 * 200)
    }
    let heard = Self.run(trace)
    #expect(heard.isOrdered && heard.played.count < 260)
  }

  @Test func anyPacketsAreSurvived() {
    var random = SplitMix(seed: 5)
    for _ in 0..<50 {
      var arrival = 1_000_000
      let trace = (0..<400).map { _ in
        arrival += Int.random(in: 0...40_000, using: &random)
        return Sent(
          sequence: Int.random(in: 0...(Bool.random(using: &random) ? 65_535 : 200), using: &random),
          timestamp: Int.random(
            in: 0...(Bool.random(using: &random) ? 4_294_967_295 : 40_000), using: &random),
          arrival: arrival, duration: [0, 80, 160, 480, 5000].randomElement(using: &random) ?? 0)
      }
      #expect(Self.run(trace).played.count <= 400)
    }
  }

  @Test func largerPacketsGrowTheStore() {
    var buffer = JitterBuffer(clockRate: 8000, milliseconds: 0...2000)
    for index in 0..<60 {
      let payload = [UInt8](repeating: UInt8(index), count: 20 + index * 20)
      let outcome = payload.withUnsafeBytes {
        buffer.put(
          sequence: UInt16(index), timestamp: UInt32(index * 160), duration: 160, payloadType: 0, payload: $0,
          arrival: 1_000_000)
      }
      #expect(outcome == .stored)
    }
    var sizes: [Int] = []
    for tick in 0..<60 {
      if case .packet(let packet) = buffer.take(at: 1_300_000 + tick * 20_000, isQuiet: { false }) {
        let isIntact = buffer.withPayload(of: packet) { bytes in
          bytes.allSatisfy { Int($0) * 20 + 20 == bytes.count }
        }
        #expect(isIntact)
        sizes.append(packet.length)
      }
    }
    #expect(sizes.count >= 40 && sizes == sizes.sorted())
  }
}
