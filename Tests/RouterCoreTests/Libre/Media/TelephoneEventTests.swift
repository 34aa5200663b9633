import Testing

@testable import RouterCore

@Suite struct TelephoneEventTests {
  /// A packet of a press as it is on the wire.
  struct Wire: CustomTestStringConvertible {
    var event: UInt8
    var timestamp: UInt32
    var duration: UInt16
    var isEnd = false
    var ssrc: UInt32 = 1
    var testDescription: String { "\(event)@\(timestamp)+\(duration)\(isEnd ? " end" : "")" }
  }

  static func digits(_ packets: [Wire]) -> String {
    var receiver = TelephoneEventReceiver()
    var found = ""
    for (index, packet) in packets.enumerated() {
      let payload: [UInt8] = [
        packet.event, (packet.isEnd ? 0x80 : 0) | 10, UInt8(packet.duration >> 8),
        UInt8(packet.duration & 0xFF),
      ]
      let header = RTPHeader(
        marker: false, payloadType: 101, sequence: UInt16(index), timestamp: packet.timestamp,
        ssrc: packet.ssrc)
      if let key = payload.withUnsafeBytes({ receiver.receive($0, header: header, clockRate: 8000) }) {
        found.append(key)
      }
    }
    return found
  }

  /// A whole press: five updates and three ends.
  static func press(_ event: UInt8, at time: UInt32, ends: Int = 3, updates: Int = 5) -> [Wire] {
    (1...max(updates, 1)).prefix(updates).map {
      Wire(event: event, timestamp: time, duration: UInt16($0 * 160))
    }
      + (0..<ends).map { _ in Wire(event: event, timestamp: time, duration: 800, isEnd: true) }
  }

  @Test func everyKeyHasItsSign() {
    let packets = (0..<17).flatMap { Self.press(UInt8($0), at: UInt32($0) * 2000) }
    #expect(Self.digits(packets) == "0123456789*#ABCD", "16 is a flash hook, no key")
  }

  @Test(arguments: [
    ("a whole press", press(5, at: 1000), "5"),
    ("only its ends", press(5, at: 1000, updates: 0), "5"),
    ("only one end", press(5, at: 1000, ends: 1, updates: 0), "5"),
    ("its ends are lost", press(5, at: 1000, ends: 0), "5"),
    ("twice, the ends lost", press(5, at: 1000, ends: 0) + press(5, at: 2600, ends: 0), "55"),
    ("twice, quickly", press(5, at: 1000) + press(5, at: 2200), "55"),
    (
      "an end that comes after the next press", press(1, at: 1000) + press(2, at: 3000) + press(1, at: 1000),
      "12"
    ),
    ("packets out of order", Array(press(7, at: 1000).reversed()), "7"),
    ("every packet doubled", press(7, at: 1000).flatMap { [$0, $0] }, "7"),
    ("time that wraps", press(1, at: 4_294_967_000) + press(2, at: 2000), "12"),
    (
      "another source, the same time",
      press(1, at: 1000)
        + press(1, at: 1000).map {
          var p = $0; p.ssrc = 2; return p
        }, "11"
    ),
  ])
  func onePressOneKey(_ name: String, _ packets: [Wire], _ expected: String) {
    #expect(Self.digits(packets) == expected, "\(name)")
  }

  /// RFC 4733 section 2.5.1.3: the duration has 16 bits, so a press of 20 s comes in segments.
  @Test func aLongPressIsOne() {
    var packets: [Wire] = []
    var start: UInt32 = 5000
    for _ in 0..<3 {
      for update in stride(from: 160, through: 0xFFFF, by: 160) {
        packets.append(Wire(event: 9, timestamp: start, duration: UInt16(update)))
      }
      packets.append(Wire(event: 9, timestamp: start, duration: 0xFFFF))
      start &+= 0xFFFF
    }
    packets += Self.press(9, at: start)
    #expect(Self.digits(packets) == "9")
    #expect(Self.digits(packets + Self.press(9, at: start + 4000)) == "99")
  }

  /// Some senders move the timestamp with each packet (onsip/SIP.js#968).
  @Test func movingTimestampsAreOnePress() {
    let packets = (0..<8).map {
      Wire(event: 3, timestamp: 1000 + UInt32($0) * 160, duration: UInt16($0 + 1) * 160)
    }
    #expect(Self.digits(packets) == "3")
  }

  @Test func shortPayloadsAreNothing() {
    var receiver = TelephoneEventReceiver()
    let header = RTPHeader(marker: true, payloadType: 101, sequence: 1, timestamp: 1, ssrc: 1)
    for count in 0..<4 {
      let payload = [UInt8](repeating: 1, count: count)
      let key = payload.withUnsafeBytes { receiver.receive($0, header: header, clockRate: 8000) }
      #expect(key == nil)
    }
  }

  // MARK: Sending

  static func sent(_ digits: String) -> (packets: [TelephoneEventSender.Packet], ticks: Int) {
    var sender = TelephoneEventSender(digits)
    var packets: [TelephoneEventSender.Packet] = []
    var ticks = 0
    while ticks < 100_000 {
      switch sender.step(timestamp: UInt32(ticks) * 160, units: 160) {
      case .event(let packet): packets.append(packet)
      case .audio: break
      case .done: return (packets, ticks)
      }
      ticks += 1
    }
    return (packets, ticks)
  }

  @Test func aPressIsSentByTheBook() {
    let packets = Self.sent("7").packets
    #expect(packets.count == 8)
    #expect(Set(packets.map(\.timestamp)).count == 1)
    #expect(packets.map(\.marker) == [true] + Array(repeating: false, count: 7))
    #expect(
      packets.map { UInt16($0.payload[2]) << 8 | UInt16($0.payload[3]) } == [
        160, 320, 480, 640, 800, 800, 800, 800,
      ])
    #expect(
      packets.map { $0.payload[1] & 0x80 != 0 } == Array(repeating: false, count: 5) + [true, true, true])
    #expect(packets.allSatisfy { $0.payload[0] == 7 })
  }

  @Test func whatIsSentIsReceived() {
    let digits = "0123456789*#ABCD"
    let packets = Self.sent(digits).packets.map {
      Wire(
        event: $0.payload[0], timestamp: $0.timestamp,
        duration: UInt16($0.payload[2]) << 8 | UInt16($0.payload[3]), isEnd: $0.payload[1] & 0x80 != 0)
    }
    #expect(Self.digits(packets) == digits)
  }

  @Test func commasWaitAndTheRestIsSkipped() {
    #expect(Self.sent("1,2").ticks == Self.sent("12").ticks + 25)
    #expect(Self.sent("x- b").packets.map { $0.payload[0] }.first == 13)
    #expect(Self.sent("").ticks == 0)
    #expect(Self.sent(String(repeating: "1", count: 500)).packets.count == 64 * 8)
  }

  // MARK: Across methods

  @Test func theSameKeyByTwoMethodsIsOnePress() {
    let start = ContinuousClock.now
    var filter = DigitFilter()
    let reports: [(Character, DigitFilter.Method, Int, Bool)] = [
      ("5", .event, 0, true), ("5", .info, 60, false),
      ("5", .event, 80, true),  // one method counts for itself
      ("5", .info, 800, false),  // what has once repeated a better method counts no more
      ("6", .event, 810, true), ("6", .tone, 850, false), ("5", .tone, 2000, false),
      ("5", .event, 2100, true),
    ]
    for (digit, method, time, isPress) in reports {
      let accepted = filter.accepts(digit, by: method, at: start + .milliseconds(time))
      #expect(accepted == isPress, "\(digit) by \(method) at \(time)")
    }
  }
}
