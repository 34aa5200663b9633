/// The fixed part of an RTP packet (RFC 3550 section 5.1), read and written by hand: 12 bytes, no allocation.
struct RTPHeader: Equatable {
  static let length = 12

  var marker: Bool
  var payloadType: UInt8
  var sequence: UInt16
  var timestamp: UInt32
  var ssrc: UInt32

  /// Writes it at the start of `packet`, which has room.
  func write(to packet: UnsafeMutableRawBufferPointer) {
    packet[0] = 0x80
    packet[1] = (marker ? 0x80 : 0) | payloadType
    packet.storeBytes(of: sequence.bigEndian, toByteOffset: 2, as: UInt16.self)
    packet.storeBytes(of: timestamp.bigEndian, toByteOffset: 4, as: UInt32.self)
    packet.storeBytes(of: ssrc.bigEndian, toByteOffset: 8, as: UInt32.self)
  }
}

extension RTPHeader {
  /// Whether a datagram on a port with rtcp-mux is RTCP (RFC 5761 section 4).
  static func isRTCP(_ packet: UnsafeRawBufferPointer) -> Bool {
    packet.count >= 8 && packet[0] >> 6 == 2 && (192...223).contains(packet[1])
  }

  /// Reads a packet; `nil` when it is none, or its lengths do not add up. The range is the payload, without
  /// contributing sources, header extension and padding.
  static func read(_ packet: UnsafeRawBufferPointer) -> (header: RTPHeader, payload: Range<Int>)? {
    guard packet.count >= length, packet[0] >> 6 == 2 else { return nil }
    var start = length + Int(packet[0] & 0x0F) * 4
    var end = packet.count
    if packet[0] & 0x10 != 0 {
      guard start + 4 <= end else { return nil }
      let words = UInt16(bigEndian: packet.loadUnaligned(fromByteOffset: start + 2, as: UInt16.self))
      start += 4 + Int(words) * 4
    }
    if packet[0] & 0x20 != 0 { end -= max(1, Int(packet[packet.count - 1])) }
    guard start <= end else { return nil }
    let header = RTPHeader(
      marker: packet[1] & 0x80 != 0, payloadType: packet[1] & 0x7F,
      sequence: UInt16(bigEndian: packet.loadUnaligned(fromByteOffset: 2, as: UInt16.self)),
      timestamp: UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: 4, as: UInt32.self)),
      ssrc: UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
    return (header, start..<end)
  }
}
