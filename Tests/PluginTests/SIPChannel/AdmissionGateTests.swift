import Testing

@testable import SIPChannel

@Suite struct AdmissionGateTests {
  @Test func aFloodGetsItsShareAndTheOthersTheirs() {
    var gate = AdmissionGate(perSecond: 10)
    let start = ContinuousClock.now
    let admitted = (0..<1000).count { _ in gate.admits("192.0.2.1", at: start) }
    #expect(admitted == 20)
    let isOtherAdmitted = gate.admits("192.0.2.2", at: start)
    #expect(isOtherAdmitted)
    let later = (0..<1000).count { _ in gate.admits("192.0.2.1", at: start + .seconds(1)) }
    #expect(later == 10)
  }

  @Test func memoryIsBounded() {
    var gate = AdmissionGate(perSecond: 1, maximumAddresses: 100)
    let start = ContinuousClock.now
    for number in 0..<10_000 { _ = gate.admits("10.0.\(number / 256).\(number % 256)", at: start) }
    #expect(gate.count <= 100)
  }

  @Test func anAddressInUseIsNotForgotten() {
    var gate = AdmissionGate(perSecond: 1, maximumAddresses: 100)
    let start = ContinuousClock.now
    var admitted = 0
    for number in 0..<10_000 {
      _ = gate.admits("10.0.\(number / 256).\(number % 256)", at: start)
      if gate.admits("192.0.2.1", at: start) { admitted += 1 }
    }
    #expect(admitted == 2)
  }
}
