import CLibreShim
import Foundation
import Testing

@testable import RouterCore

/// What the calls of a group share: the batch that their packets are read into, and the outbox that they are sent from.
@Suite struct MediaSocketShimTests {
  /// Two sockets on the loopback, of which one sends to the other.
  private final class Pair {
    private(set) var sender: Int32 = -1
    private(set) var receiver: Int32 = -1
    private(set) var to = shim_address()
    let batch = shim_batch_new()
    let outbox = shim_outbox_new()

    init() throws {
      var isIPv6 = false
      try #require(shim_media_open("127.0.0.1", 0, 0, &sender, &isIPv6) == 0)
      for _ in 0..<50 where receiver < 0 {
        let port = UInt16.random(in: 20_500..<32_000)
        guard shim_media_open("127.0.0.1", port, 0, &receiver, &isIPv6) == 0 else { continue }
        try #require(shim_address_parse("127.0.0.1", port, &to))
      }
      try #require(receiver >= 0)
    }

    deinit {
      close(sender)
      close(receiver)
      shim_batch_free(batch)
      shim_outbox_free(outbox)
    }

    func send(_ texts: String...) {
      for text in texts { _ = shim_media_send(sender, false, &to, text, text.utf8.count) }
    }

    func add(_ bytes: [UInt8]) { shim_outbox_add(outbox, sender, false, &to, bytes, bytes.count) }

    /// What one look at the socket gives, as text, and when it came.
    func receive(all: Bool) -> (texts: [String], arrivals: [Int]) {
      shim_batch_begin(batch)
      let count = Int(shim_media_receive(receiver, batch, all))
      let datagrams = UnsafeBufferPointer(start: shim_batch_datagrams(batch), count: count)
      return (
        datagrams.map {
          String(decoding: UnsafeRawBufferPointer(start: $0.data, count: Int($0.length)), as: UTF8.self)
        },
        datagrams.map { Int($0.arrival) }
      )
    }

    /// Loopback delivers at once.
    func wait() { usleep(UInt32(SHIM_FRESH) + 5000) }
  }

  @Test func allThatWaitsIsReadAtOnce() throws {
    let pair = try Pair()
    let before = MediaClock.steadyNow
    pair.send("a", "b", "c")
    let found = pair.receive(all: true)
    #expect(found.texts == ["a", "b", "c"])
    // By the clock that ticks, whatever the wall's says.
    #expect(found.arrivals.allSatisfy { (before - 1000...MediaClock.steadyNow + 1000).contains($0) })
    #expect(pair.receive(all: true).texts == [])
  }

  /// Who sends a packet each 20 ms has none behind the one that has just come; if there is, the next tick has it.
  @Test func aFreshPacketIsReadAlone() throws {
    let pair = try Pair()
    pair.send("a", "b", "c")
    let first = pair.receive(all: false).texts
    // On a machine that paused meanwhile it is not fresh any more, and all is read: nothing is ever left for long.
    if first.count == 1 {
      #expect(first == ["a"])
      pair.wait()
      pair.send("d")
      #expect(pair.receive(all: false).texts == ["b", "c", "d"])
    } else {
      #expect(first == ["a", "b", "c"])
    }
    #expect(pair.receive(all: false).texts == [])
  }

  @Test func theOutboxSendsInOrderAndLosesNothing() throws {
    let pair = try Pair()
    // More than it has places for, and more than it has room for.
    for number in 0..<100 { pair.add(Array("\(number)".utf8)) }
    shim_outbox_send(pair.outbox)
    #expect(drain(pair) == (0..<100).map(String.init))
    for number in 0..<30 { pair.add(Array(repeating: UInt8(ascii: "a") + UInt8(number % 26), count: 1500)) }
    shim_outbox_send(pair.outbox)
    let sizes = drain(pair).map(\.utf8.count)
    // The receiver's buffer has room for fewer; what came, came whole.
    #expect(sizes.count > 10 && sizes.allSatisfy { $0 == 1500 })
    shim_outbox_send(pair.outbox)
    #expect(drain(pair) == [])
  }

  @Test func whatNoDatagramTakesIsLeftOut() throws {
    let pair = try Pair()
    pair.add(Array(repeating: 1, count: SHIM_DATAGRAM_SIZE + 1))
    pair.add(Array("after".utf8))
    shim_outbox_send(pair.outbox)
    #expect(drain(pair) == ["after"])
  }

  private func drain(_ pair: Pair) -> [String] {
    var texts: [String] = []
    while case let more = pair.receive(all: true).texts, !more.isEmpty { texts += more }
    return texts
  }
}
