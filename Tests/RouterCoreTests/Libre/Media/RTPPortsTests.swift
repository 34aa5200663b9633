import Testing

@testable import RouterCore

@Suite struct RTPPortsTests {
  static func open(_ ports: RTPPorts, _ address: String = "127.0.0.1") throws -> MediaSockets {
    try ports.open(address, dscp: 46)
  }

  @Test func portsAreEvenAndInPairs() {
    #expect(RTPPorts(20501...20512).available == 5, "20502 to 20510: 20512 has no odd one in the range")
    #expect(RTPPorts(20500...20501).available == 1)
    #expect(RTPPorts(20501...20502).available == 0)
    #expect(RTPPorts(0...UInt16.max).available == 32_768)
  }

  @Test func aFreedPortComesBackLast() throws {
    let ports = MediaBench.fewPorts()
    let seen = try (0..<10).map { _ in try Self.open(ports).port }
    #expect(Set(seen).count == 5)
    #expect(seen.prefix(5).elementsEqual(seen.suffix(5)))
    #expect(seen.allSatisfy { $0 % 2 == 0 && ports.range.contains($0) })
  }

  /// An old peer may still be sending to the port of a call that has just ended.
  @Test func aFreedPortRests() throws {
    let clock = Lock(ContinuousClock.now)
    let range = MediaBench.fewPorts().range
    let ports = RTPPorts(range.lowerBound...range.lowerBound + 1, rest: .seconds(1)) { clock.withLock { $0 } }
    let first = try Self.open(ports).port
    #expect(throws: MediaError.noPort(ports.range)) { try Self.open(ports) }
    clock.withLock { $0 += .milliseconds(999) }
    #expect(throws: MediaError.noPort(ports.range)) { try Self.open(ports) }
    clock.withLock { $0 += .milliseconds(1) }
    #expect(try Self.open(ports).port == first)
  }

  @Test func anExhaustedRangeIsAnError() throws {
    let ports = MediaBench.fewPorts()
    var held = try (0..<5).map { _ in try Self.open(ports) }
    #expect(throws: MediaError.noPort(ports.range)) { try Self.open(ports) }
    held.removeFirst(2)
    #expect(ports.available == 2)
    #expect(throws: Never.self) { try Self.open(ports) }
  }

  @Test func portsOfOthersAreSteppedOver() throws {
    let ports = MediaBench.fewPorts()
    let taken = try Self.open(RTPPorts(ports.range.lowerBound + 2...ports.range.lowerBound + 3))
    let held = try (0..<4).map { _ in try Self.open(ports) }
    #expect(!held.map(\.port).contains(taken.port))
    #expect(throws: MediaError.noPort(ports.range)) { try Self.open(ports) }
    #expect(ports.available == 1, "what others hold stays ours to try")
  }

  @Test(arguments: ["203.0.113.1", "not an address", "", "localhost"])
  func addressesThatAreNotOurs(_ address: String) {
    let ports = MediaBench.fewPorts()
    #expect(throws: MediaError.address(address)) { try Self.open(ports, address) }
    #expect(ports.available == 5)
  }
}
