import Testing

@testable import RouterCore

/// In which order calls tick, on a clock that is moved by hand.
@Suite struct MediaClockTests {
  /// Notes what happens to it.
  private final class Member: Ticking {
    var place: (phase: Int, index: Int)?
    let name: Int
    let journal: Journal
    init(_ name: Int, _ journal: Journal) {
      self.name = name
      self.journal = journal
    }
    func read(_ clock: MediaClock) { journal.lines.append(("read", name, 0)) }
    func tick(at now: Int, _ clock: MediaClock) { journal.lines.append(("tick", name, now)) }
    func skip(_ ticks: Int) { journal.lines.append(("skip", name, ticks)) }
  }

  private final class Journal {
    var lines: [(what: String, who: Int, at: Int)] = []
    /// The ticks of one, in milliseconds after its first.
    func times(_ who: Int) -> [Int] {
      let all = lines.filter { $0.what == "tick" && $0.who == who }.map(\.at)
      return all.map { ($0 - (all.first ?? 0)) / 1000 }
    }
  }

  private func clock(of count: Int) -> (MediaClock, Journal, [Member]) {
    let (clock, journal) = (MediaClock(isManual: true), Journal())
    let members = (0..<count).map { Member($0, journal) }
    for member in members { clock.add(member) }
    return (clock, journal, members)
  }

  @Test func everyCallTicksEach20Milliseconds() {
    let (clock, journal, members) = clock(of: 25)
    clock.advance(200)
    for member in members {
      #expect(journal.times(member.name) == [0, 20, 40, 60, 80, 100, 120, 140, 160, 180], "\(member.name)")
    }
    // Spread evenly.
    #expect(Set(members.compactMap { $0.place?.phase }).count == 10)
    #expect(clock.count == 25)
  }

  /// All of a group are read before any of them ticks, and ticked before anybody else is read.
  @Test func aGroupIsReadThenTicked() {
    let (clock, journal, members) = clock(of: 700)
    clock.advance(20)
    #expect(journal.lines.count == 2 * members.count)
    var (read, open) = (Set<Int>(), 0)
    for line in journal.lines {
      if line.what == "read" {
        if open == 0 { read.removeAll() }
        read.insert(line.who)
        #expect(read.count <= 32)
        open = read.count
      } else {
        #expect(read.contains(line.who))
        open -= 1
      }
    }
  }

  /// A clock that was held up lets each phase have its next tick before any has the one after: calls are late, but no packets
  /// leave in pairs.
  @Test func whoIsLateKeepsItsOrder() {
    let (clock, journal, _) = clock(of: 10)
    clock.advance(20)
    journal.lines.removeAll()
    clock.jump(39)  // the loop was busy elsewhere
    for _ in 0..<20 { clock.turn() }
    let ticks = journal.lines.filter { $0.what == "tick" }
    #expect(ticks.map(\.at) == ticks.map(\.at).sorted())
    #expect(ticks.count >= 19 && ticks.count <= 20)
    #expect(Set(ticks.prefix(10).map(\.who)).count == 10)
  }

  /// Later still, two ticks are taken at once; and what is older than a tenth of a second is let go.
  @Test func whoIsTooLateLetsGo() {
    let (clock, journal, _) = clock(of: 10)
    clock.advance(20)
    journal.lines.removeAll()
    clock.jump(1000)
    for _ in 0..<100 { clock.turn() }
    for who in 0..<10 {
      let skipped = journal.lines.filter { $0.what == "skip" && $0.who == who }.map(\.at)
      let ticks = journal.times(who)
      #expect(skipped.count == 1 && skipped[0] >= 43, "\(skipped)")
      #expect(ticks.count >= 5 && ticks.count <= 6 && ticks == ticks.indices.map { $0 * 20 }, "\(ticks)")
      #expect(skipped.reduce(0, +) + ticks.count == 50)
    }
    // Two of one follow each other while it is late by more than two ticks.
    let order = journal.lines.filter { $0.what == "tick" }.map(\.who)
    #expect(order[0] == order[1])
  }

  @Test func whoLeavesTicksNoMore() {
    let (clock, journal, members) = clock(of: 30)
    clock.advance(20)
    for member in members.prefix(29) { clock.remove(member) }
    clock.remove(members[0])  // again is nothing
    journal.lines.removeAll()
    clock.advance(40)
    #expect(journal.lines.filter { $0.what == "tick" }.map(\.who) == [29, 29])
    clock.remove(members[29])
    journal.lines.removeAll()
    clock.advance(40)
    #expect(journal.lines.isEmpty && clock.count == 0)
    clock.add(members[3])
    clock.advance(20)
    #expect(journal.lines.filter { $0.what == "tick" }.map(\.who) == [3])
  }
}
