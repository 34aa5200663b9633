internal import Glibc

/// Cuts a stream of bytes into messages by their `Content-Length` (RFC 3261 section 18.3). Every byte is looked at once
/// for the end of the header, however small the pieces are in which it comes.
struct SIPStreamFramer {
  enum Item: Equatable {
    /// A whole message.
    case message([UInt8])
    /// Two line ends: the peer wants one back (RFC 5626 section 4.4.1).
    case ping
    /// A header that does not say how long its message is, or says too much: nothing after it can be understood.
    case broken([UInt8])
  }

  private let limit: Int
  private var buffer: [UInt8] = []
  /// Where the message that is under way begins.
  private var start = 0
  /// Up to where the end of its header was looked for.
  private var scanned = 0
  /// Where it ends, once the header is complete.
  private var end: Int?
  private var hasNoLength = false
  private var isBroken = false

  /// - Parameter limit: bytes of one message.
  init(limit: Int) { self.limit = limit }

  /// Whether a message has begun and not ended.
  var isInMessage: Bool { start < buffer.count && !isBroken }

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard !isBroken else { return }
    buffer.append(contentsOf: bytes)
  }

  /// The next item, or `nil` until more bytes come.
  mutating func next() -> Item? {
    guard !isBroken else { return nil }
    if end == nil {
      if let ping = skipLineEnds() { return ping }
      guard start < buffer.count, buffer[start] != SIPByte.cr, buffer[start] != SIPByte.lf else { return nil }
      findEnd()
    }
    guard let end else {
      return buffer.count - start > limit ? breakOff() : nil
    }
    if hasNoLength || end - start > limit { return breakOff() }
    guard buffer.count >= end else { return nil }
    let message = Array(buffer[start..<end])
    start = end
    scanned = end
    self.end = nil
    compact()
    return .message(message)
  }

  private mutating func breakOff() -> Item {
    isBroken = true
    let rest = Array(buffer[start..<min(buffer.count, start + limit)])
    buffer = []
    start = 0
    return .broken(rest)
  }

  private mutating func skipLineEnds() -> Item? {
    guard scanned == start else { return nil }
    while start < buffer.count, buffer[start] == SIPByte.cr || buffer[start] == SIPByte.lf {
      if buffer.count - start >= 4, buffer[start..<(start + 4)].elementsEqual("\r\n\r\n".utf8) {
        start += 4
        scanned = start
        compact()
        return .ping
      }
      // A ping may still be under way.
      if buffer[start] == SIPByte.cr, buffer.count - start < 4,
        "\r\n\r\n".utf8.starts(with: buffer[start...])
      {
        return nil
      }
      start += 1
      scanned = start
    }
    compact()
    return nil
  }

  private mutating func compact() {
    if start == buffer.count {
      buffer.removeAll(keepingCapacity: buffer.capacity <= 16_384)
      start = 0
      scanned = 0
    } else if start > 16_384 {
      buffer.removeFirst(start)
      scanned -= start
      start = 0
    }
  }

  /// Looks for the empty line in the bytes that were not looked at yet.
  private mutating func findEnd() {
    buffer.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      var index = scanned
      while index < bytes.count,
        let found = memchr(base + index, Int32(SIPByte.lf), bytes.count - index)
      {
        let feed = UnsafeRawPointer(found) - base
        index = feed + 1
        let line = feed > 0 && bytes[feed - 1] == SIPByte.cr ? feed - 1 : feed
        guard line > start, bytes[line - 1] == SIPByte.lf else { continue }
        let header = UnsafeRawBufferPointer(rebasing: bytes[start..<line])
        // Without a length, the header alone is the message, and its defect is named when it is read.
        let length = SIPStreamFramer.contentLength(header)
        hasNoLength = length == nil
        end = index + (length ?? 0)
        break
      }
      scanned = end == nil ? bytes.count : index
    }
  }

  /// The value of `Content-Length` in a header; `nil` when it is missing, no number, or there are two that differ. Lines
  /// that begin with a blank belong to the field before them (RFC 3261 section 7.3.1): read as fields of their own, they
  /// would let somebody hide a message in another one.
  private static func contentLength(_ header: UnsafeRawBufferPointer) -> Int? {
    var found: Int?
    var index = 0
    while index < header.count {
      let end = fieldEnd(header, from: index)
      let field = UnsafeRawBufferPointer(rebasing: header[index..<end])
      index = end
      guard let colon = field.firstIndex(of: SIPByte.colon),
        SIPHeaderName.of(UnsafeRawBufferPointer(rebasing: field[..<colon]).trimmed()) == .contentLength
      else { continue }
      let value = UnsafeRawBufferPointer(rebasing: field[(colon + 1)...])
      guard let length = decimal(value), found == nil || found == length else { return nil }
      found = length
    }
    return found
  }

  /// Where the field that begins at `start` ends, its continuation lines and its line end included.
  private static func fieldEnd(_ header: UnsafeRawBufferPointer, from start: Int) -> Int {
    var index = start
    while let feed = header[index...].firstIndex(of: SIPByte.lf) {
      index = feed + 1
      guard index < header.count, SIPByte.isBlank(header[index]) else { return index }
    }
    return header.count
  }

  /// A number between blanks and line ends.
  private static func decimal(_ bytes: UnsafeRawBufferPointer) -> Int? {
    guard let first = bytes.firstIndex(where: { !SIPByte.isWhite($0) }),
      let last = bytes.lastIndex(where: { !SIPByte.isWhite($0) })
    else { return nil }
    return UnsafeRawBufferPointer(rebasing: bytes[first...last]).decimal(limit: 0x7fff_ffff).map { Int($0) }
  }
}
