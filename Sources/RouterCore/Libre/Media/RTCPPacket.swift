/// A report block: how one stream arrives (RFC 3550 section 6.4.1).
struct RTCPReport: Equatable {
  var ssrc: UInt32
  /// In 256ths, since the last report.
  var fractionLost: UInt8
  /// Since the beginning; 24 bits on the wire.
  var lost: Int32
  var highestSequence: UInt32
  /// Timestamp units.
  var jitter: UInt32
  /// The middle 32 bits of the NTP time in the last sender report, and the time since, in 65536ths of a second.
  var lastSenderReport: UInt32 = 0
  var delaySinceSenderReport: UInt32 = 0
}

/// What a sender report says of its sender.
struct RTCPSenderInfo: Equatable {
  /// 32 bits of seconds since 1900 and 32 of their fraction.
  var ntpTime: UInt64
  var timestamp: UInt32
  var packets: UInt32
  var octets: UInt32
}

/// RTCP packets, as far as they matter to a call: SR, RR, a CNAME and BYE, in compound packets (RFC 3550 section 6).
enum RTCPPacket {
  /// What a compound packet told.
  struct Content: Equatable {
    var sender: (ssrc: UInt32, info: RTCPSenderInfo)?
    var reports: [RTCPReport] = []
    var isBye = false

    static func == (a: Content, b: Content) -> Bool {
      a.sender?.ssrc == b.sender?.ssrc && a.sender?.info == b.sender?.info && a.reports == b.reports
        && a.isBye == b.isBye
    }
  }

  private enum Kind {
    static let senderReport: UInt8 = 200
    static let receiverReport: UInt8 = 201
    static let sourceDescription: UInt8 = 202
    static let bye: UInt8 = 203
  }

  /// Reads a compound packet; `nil` when its lengths do not add up.
  static func read(_ packet: UnsafeRawBufferPointer) -> Content? {
    var content = Content()
    var start = 0
    guard packet.count >= 8 else { return nil }
    while start + 4 <= packet.count {
      guard packet[start] >> 6 == 2 else { return nil }
      let length = 4 + Int(packet.word16(start + 2)) * 4
      guard start + length <= packet.count else { return nil }
      let count = Int(packet[start] & 0x1F)
      let body = UnsafeRawBufferPointer(rebasing: packet[start + 4..<start + length])
      switch packet[start + 1] {
      case Kind.senderReport where body.count >= 24:
        let info = RTCPSenderInfo(
          ntpTime: UInt64(body.word32(4)) << 32 | UInt64(body.word32(8)), timestamp: body.word32(12),
          packets: body.word32(16), octets: body.word32(20))
        content.sender = (body.word32(0), info)
        readReports(UnsafeRawBufferPointer(rebasing: body[24...]), count, &content)
      case Kind.receiverReport where body.count >= 4:
        readReports(UnsafeRawBufferPointer(rebasing: body[4...]), count, &content)
      case Kind.bye: content.isBye = true
      default: break
      }
      start += length
    }
    return content
  }

  private static func readReports(_ body: UnsafeRawBufferPointer, _ count: Int, _ content: inout Content) {
    for start in stride(from: 0, to: min(count, body.count / 24) * 24, by: 24) {
      let lost = body.word32(start + 4)
      content.reports.append(
        RTCPReport(
          ssrc: body.word32(start), fractionLost: UInt8(lost >> 24), lost: Int32(bitPattern: lost << 8) >> 8,
          highestSequence: body.word32(start + 8), jitter: body.word32(start + 12),
          lastSenderReport: body.word32(start + 16), delaySinceSenderReport: body.word32(start + 20)))
    }
  }

  /// A report with its CNAME. Without `sender`, a receiver report. `isBye` says goodbye as well (section 6.6).
  static func compound(
    ssrc: UInt32, sender: RTCPSenderInfo?, report: RTCPReport?, name: String, isBye: Bool = false
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    let blocks: UInt8 = report == nil ? 0 : 1
    let words = (sender == nil ? 1 : 6) + Int(blocks) * 6
    bytes += [0x80 | blocks, sender == nil ? Kind.receiverReport : Kind.senderReport]
    bytes.append16(UInt16(words))
    bytes.append32(ssrc)
    if let sender {
      bytes.append32(UInt32(sender.ntpTime >> 32))
      bytes.append32(UInt32(truncatingIfNeeded: sender.ntpTime))
      bytes.append32(sender.timestamp)
      bytes.append32(sender.packets)
      bytes.append32(sender.octets)
    }
    if let report {
      bytes.append32(report.ssrc)
      let lost = UInt32(bitPattern: min(max(report.lost, -0x80_0000), 0x7F_FFFF)) & 0xFF_FFFF
      bytes.append32(UInt32(report.fractionLost) << 24 | lost)
      bytes.append32(report.highestSequence)
      bytes.append32(report.jitter)
      bytes.append32(report.lastSenderReport)
      bytes.append32(report.delaySinceSenderReport)
    }
    let cname = Array(name.utf8.prefix(255))
    let padding = 4 - (2 + cname.count) % 4  // at least one zero ends the list
    bytes += [0x81, Kind.sourceDescription]
    bytes.append16(UInt16(1 + (2 + cname.count + padding) / 4))
    bytes.append32(ssrc)
    bytes += [1, UInt8(cname.count)] + cname + Array(repeating: 0, count: padding)
    if isBye {
      bytes += [0x81, Kind.bye]
      bytes.append16(1)
      bytes.append32(ssrc)
    }
    return bytes
  }
}

extension UnsafeRawBufferPointer {
  /// Two bytes in network order; the caller has checked that they are there.
  func word16(_ at: Int) -> UInt16 { UInt16(bigEndian: loadUnaligned(fromByteOffset: at, as: UInt16.self)) }
  func word32(_ at: Int) -> UInt32 { UInt32(bigEndian: loadUnaligned(fromByteOffset: at, as: UInt32.self)) }
}

extension [UInt8] {
  fileprivate mutating func append16(_ value: UInt16) {
    append(UInt8(value >> 8))
    append(UInt8(truncatingIfNeeded: value))
  }

  fileprivate mutating func append32(_ value: UInt32) {
    append16(UInt16(value >> 16))
    append16(UInt16(truncatingIfNeeded: value))
  }
}
