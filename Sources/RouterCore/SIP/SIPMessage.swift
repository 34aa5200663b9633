internal import Glibc

/// A message as it was read: the start line, the fields, where the body lies, and the first thing that is wrong with
/// it. What is legal is read leniently; what is not is named, so that it can be answered (RFC 4475).
struct SIPMessage: Sendable {
  enum Start: Sendable {
    case request(SIPMethod, uri: Range<Int32>)
    case response(Int, reason: Range<Int32>)
  }

  var start: Start
  var headers: SIPHeaders
  var body: Range<Int32>
  /// `nil` when the form is right.
  var defect: SIPDefect?

  var isRequest: Bool {
    if case .request = start { return true }
    return false
  }
}

/// Why a request is refused before anybody looks at what it asks for.
struct SIPDefect: Error, Hashable, Sendable {
  var status: Int
  /// What is wrong, for the reason phrase: constant words, nothing of the message.
  var words: String

  init(_ words: String, status: Int = 400) {
    self.status = status
    self.words = words
  }
}

/// What some bytes turned out to be.
enum SIPParsing: Sendable {
  case message(SIPMessage)
  /// Line ends only (RFC 5626 section 3.5.1).
  case keepAlive
  /// Nothing that could be answered.
  case rubbish
}

/// Reads one message (RFC 3261 section 7).
struct SIPParser {
  private let bytes: UnsafeMutableRawBufferPointer
  private let fieldLimit: Int
  private var position = 0
  private var fields: [SIPHeaders.Field] = []
  private var defect: SIPDefect?

  /// Reads a message that fills `bytes`.
  /// - Parameter isDatagram: in a datagram the body ends with it and `Content-Length` may be missing (section 18.3).
  static func parse(
    _ bytes: UnsafeRawBufferPointer, isDatagram: Bool = true, limits: SIPLimits = SIPLimits()
  ) -> SIPParsing {
    // Line ends before the start line are skipped (section 7.5).
    guard let start = bytes.firstIndex(where: { $0 != SIPByte.cr && $0 != SIPByte.lf }) else {
      return .keepAlive
    }
    var storage = [UInt8](UnsafeRawBufferPointer(rebasing: bytes[start...]))
    let outcome: (SIPMessage.Start, [SIPHeaders.Field], Range<Int32>, SIPDefect?)? =
      storage.withUnsafeMutableBytes { bytes in
        var parser = SIPParser(bytes: bytes, fieldLimit: limits.headerFields)
        guard let start = parser.startLine() else { return nil }
        parser.readFields()
        let body = parser.body(isDatagram: isDatagram)
        if bytes.count > limits.messageBytes { parser.note(SIPDefect("Message Too Large", status: 513)) }
        return (start, parser.fields, body, parser.defect)
      }
    guard let (start, fields, body, defect) = outcome else { return .rubbish }
    let headers = SIPHeaders(storage: storage, fields: fields)
    return .message(SIPMessage(start: start, headers: headers, body: body, defect: defect))
  }

  private init(bytes: UnsafeMutableRawBufferPointer, fieldLimit: Int) {
    self.bytes = bytes
    self.fieldLimit = fieldLimit
  }

  private mutating func note(_ defect: SIPDefect) { if self.defect == nil { self.defect = defect } }

  private func slice(_ low: Int, _ high: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[low..<high])
  }

  /// The end of the line that begins at `start`, without its line end, and where the next one begins.
  private func line(_ start: Int) -> (end: Int, next: Int)? {
    guard start < bytes.count, let base = bytes.baseAddress,
      let found = memchr(base + start, Int32(SIPByte.lf), bytes.count - start)
    else { return nil }
    let feed = UnsafeMutableRawPointer(found) - base
    let end = feed > start && bytes[feed - 1] == SIPByte.cr ? feed - 1 : feed
    return (end, feed + 1)
  }

  // MARK: Start line

  private mutating func startLine() -> SIPMessage.Start? {
    guard let (end, next) = line(0), let first = slice(0, end).firstIndex(of: SIPByte.space), first > 0
    else { return nil }
    position = next
    if slice(0, first).prefixIsSIP { return statusLine(first, end) }
    return requestLine(first, end)
  }

  private mutating func statusLine(_ first: Int, _ end: Int) -> SIPMessage.Start? {
    let digits = slice(min(first + 1, end), min(first + 4, end))
    guard slice(0, first).equalsFolded("sip/2.0"), digits.count == 3, let status = digits.decimal(),
      (100...699).contains(status), first + 4 >= end || bytes[first + 4] == SIPByte.space
    else { return nil }
    return .response(Int(status), reason: Int32(min(first + 5, end))..<Int32(end))
  }

  /// `METHOD URI SIP/2.0`, one blank between (section 7.1); other blanks are a defect but can be answered.
  private mutating func requestLine(_ first: Int, _ end: Int) -> SIPMessage.Start? {
    guard let last = slice(0, end).trimmedEnd.lastIndex(where: SIPByte.isBlank), last >= first else {
      return nil
    }
    let version = slice(last + 1, end).trimmed()
    guard version.prefixIsSIP else { return nil }
    if !version.equalsFolded("sip/2.0") { note(SIPDefect("Version Not Supported", status: 505)) }
    if last + 1 + version.count != end { note(SIPDefect("Blanks Behind The Start Line")) }
    let method = slice(0, first)
    if !method.allSatisfy(SIPByte.isToken) { note(SIPDefect("Bad Method")) }
    guard last > first else { return nil }
    let uri = slice(first + 1, last)
    if uri.isEmpty
      || uri.contains(where: { SIPByte.isBlank($0) || $0 == SIPByte.less || $0 == SIPByte.greater })
    {
      note(SIPDefect("Bad Request-URI"))
    }
    return .request(SIPMethod(method), uri: Int32(first + 1)..<Int32(last))
  }

  // MARK: Fields

  private mutating func readFields() {
    fields.reserveCapacity(16)
    while let (end, next) = line(position) {
      if end == position {  // the empty line
        position = next
        return
      }
      var (end, next) = (end, next)
      // A line that begins with a blank belongs to the field before (section 7.3.1).
      while next < bytes.count, SIPByte.isBlank(bytes[next]) {
        for index in end..<next { bytes[index] = SIPByte.space }
        guard let more = line(next) else { break }
        (end, next) = more
      }
      field(position, end)
      position = next
    }
    position = bytes.count
    note(SIPDefect("Unfinished Header"))
  }

  private mutating func field(_ start: Int, _ end: Int) {
    guard fields.count < fieldLimit else { return note(SIPDefect("Too Many Header Fields")) }
    let line = slice(start, end)
    guard let colon = line.firstIndex(of: SIPByte.colon) else {
      return note(SIPDefect("Header Without Colon"))
    }
    let name = UnsafeRawBufferPointer(rebasing: line[..<colon]).trimmedEnd
    guard !name.isEmpty, name.allSatisfy(SIPByte.isToken) else { return note(SIPDefect("Bad Header Name")) }
    var low = start + colon + 1
    var high = end
    while low < high, SIPByte.isWhite(bytes[low]) { low += 1 }
    while high > low, SIPByte.isWhite(bytes[high - 1]) { high -= 1 }
    fields.append(
      SIPHeaders.Field(
        name: SIPHeaderName.of(name), nameRange: Int32(start)..<Int32(start + name.count),
        valueRange: Int32(low)..<Int32(high)))
  }

  // MARK: Body

  private mutating func body(isDatagram: Bool) -> Range<Int32> {
    let rest = Int32(position)..<Int32(bytes.count)
    guard let field = fields.first(where: { $0.name == .contentLength }) else {
      // Over a stream nobody could tell where the message ends (section 20.14).
      if !isDatagram { note(SIPDefect("Missing Content-Length")) }
      return rest
    }
    let value = slice(Int(field.valueRange.lowerBound), Int(field.valueRange.upperBound))
    guard let length = value.decimal(limit: 0x7fff_ffff) else {
      note(SIPDefect("Bad Content-Length"))
      return rest
    }
    guard Int(length) <= rest.count else {
      note(SIPDefect("Content-Length Beyond The Message"))
      return rest
    }
    return rest.lowerBound..<(rest.lowerBound + Int32(length))
  }
}

extension UnsafeRawBufferPointer {
  /// Without blanks and line ends at the end.
  fileprivate var trimmedEnd: UnsafeRawBufferPointer {
    var high = count
    while high > 0, SIPByte.isWhite(self[high - 1]) { high -= 1 }
    return UnsafeRawBufferPointer(rebasing: self[..<high])
  }

  fileprivate var prefixIsSIP: Bool {
    count >= 4 && UnsafeRawBufferPointer(rebasing: self[..<4]).equalsFolded("sip/")
  }
}
