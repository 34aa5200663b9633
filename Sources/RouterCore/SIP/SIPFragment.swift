/// A piece of a SIP message in a body (`message/sipfrag`, RFC 3420).
enum SIPFragment {
  /// The status line that a NOTIFY about a REFER carries.
  static func statusLine(_ body: [UInt8]) -> (status: Int, reason: String)? {
    body.withUnsafeBytes { bytes in
      let end = bytes.firstIndex { $0 == SIPByte.cr || $0 == SIPByte.lf } ?? bytes.count
      let line = UnsafeRawBufferPointer(rebasing: bytes[..<end]).trimmed()
      guard line.count >= 11, UnsafeRawBufferPointer(rebasing: line[..<8]).equalsFolded("sip/2.0 "),
        let status = UnsafeRawBufferPointer(rebasing: line[8..<11]).decimal(), (100...699).contains(status)
      else { return nil }
      return (Int(status), UnsafeRawBufferPointer(rebasing: line[11...]).trimmed().text)
    }
  }
}
