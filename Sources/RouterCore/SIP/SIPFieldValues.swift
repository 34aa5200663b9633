/// A value of the `Reason` field (RFC 3326): why a request was sent.
public struct SIPReason: Hashable, Sendable, CustomStringConvertible {
  /// `SIP`, `Q.850`, ….
  public var name: String
  public var cause: Int?
  public var text: String?

  public init(_ name: String, cause: Int?, text: String? = nil) {
    self.name = name
    self.cause = cause
    self.text = text
  }

  /// A cause of the telephone network (Q.850).
  public static func q850(_ cause: Int, _ text: String? = nil) -> SIPReason {
    SIPReason("Q.850", cause: cause, text: text)
  }

  /// A SIP status.
  public static func sip(_ cause: Int, _ text: String? = nil) -> SIPReason {
    SIPReason("SIP", cause: cause, text: text)
  }

  /// Reads one element: `Q.850;cause=16;text="Normal call clearing"`.
  public init?(_ element: some StringProtocol) {
    let end = element.firstIndex(of: ";") ?? element.endIndex
    name = element[..<end].trimmingBlanks()
    guard !name.isEmpty, name.utf8.allSatisfy(SIPByte.isToken) else { return nil }
    let parameters = SIPParameters(parsing: element[end...])
    cause = parameters["cause"].flatMap { Int($0) }
    text = parameters["text"]
  }

  /// Every reason of a message, in order.
  public static func all(in headers: SIPHeaders) -> [SIPReason] {
    headers.list(.reason).compactMap { SIPReason($0) }
  }

  public var isQ850: Bool { name.equalsFolded("Q.850") }

  public var description: String {
    var out = name
    if let cause { out += ";cause=\(cause)" }
    if let text { out += ";text=\(SIPAddress.quoted(text))" }
    return out
  }
}

/// `Session-Expires` (RFC 4028 section 4): `1800;refresher=uac`.
struct SIPSessionExpires: Hashable, Sendable, CustomStringConvertible {
  enum Refresher: String, Sendable { case uac, uas }
  /// Seconds.
  var interval: Int
  var refresher: Refresher?

  init(_ interval: Int, refresher: Refresher? = nil) {
    self.interval = interval
    self.refresher = refresher
  }

  init?(_ value: String) {
    let end = value.firstIndex(of: ";") ?? value.endIndex
    guard let interval = SIPNumber.seconds(value[..<end]) else { return nil }
    self.interval = interval
    refresher = SIPParameters(parsing: value[end...])["refresher"].flatMap {
      Refresher(rawValue: $0.lowercased())
    }
  }

  var description: String { "\(interval)" + (refresher.map { ";refresher=\($0.rawValue)" } ?? "") }
}

/// `CSeq`: a number and a method (RFC 3261 section 20.16).
struct SIPSequence: Hashable, Sendable {
  var number: UInt32
  var method: SIPMethod

  init(_ number: UInt32, _ method: SIPMethod) {
    self.number = number
    self.method = method
  }

  /// Numbers are less than 2**31 (section 8.1.1.5).
  init?(_ bytes: UnsafeRawBufferPointer) {
    let bytes = bytes.trimmed()
    guard let blank = bytes.firstIndex(where: SIPByte.isWhite),
      let number = UnsafeRawBufferPointer(rebasing: bytes[..<blank]).decimal(limit: 0x7fff_ffff)
    else { return nil }
    let method = UnsafeRawBufferPointer(rebasing: bytes[blank...]).trimmed()
    guard !method.isEmpty, method.allSatisfy(SIPByte.isToken) else { return nil }
    self.init(UInt32(number), SIPMethod(method))
  }
}

/// `RAck`: which reliable provisional response a PRACK confirms (RFC 3262 section 7.2).
struct SIPResponseAcknowledgement: Hashable, Sendable, CustomStringConvertible {
  var rseq: UInt32
  var cseq: UInt32
  var method: SIPMethod

  init(rseq: UInt32, cseq: UInt32, method: SIPMethod) {
    self.rseq = rseq
    self.cseq = cseq
    self.method = method
  }

  init?(_ value: String) {
    let parts = value.split(whereSeparator: { $0 == " " || $0 == "\t" })
    guard parts.count == 3, let rseq = SIPNumber.unsigned(parts[0]), let cseq = SIPNumber.unsigned(parts[1])
    else { return nil }
    self.init(rseq: rseq, cseq: cseq, method: SIPMethod(String(parts[2])))
  }

  var description: String { "\(rseq) \(cseq) \(method.name)" }
}

/// Numbers of the SIP grammar: digits only, bounded.
enum SIPNumber {
  static func unsigned(_ text: some StringProtocol) -> UInt32? {
    text.withRawUTF8 { $0.trimmed().decimal().map { UInt32($0) } }
  }

  /// `delta-seconds`; a value beyond 2**32 - 1 counts as that (RFC 4475 section 3.1.2.4 has such ones).
  static func seconds(_ text: some StringProtocol) -> Int? {
    text.withRawUTF8 { bytes in
      let bytes = bytes.trimmed()
      guard !bytes.isEmpty, bytes.allSatisfy(SIPByte.isDigit) else { return nil }
      return Int(bytes.decimal() ?? UInt64(UInt32.max))
    }
  }

  /// `Retry-After`: seconds, then perhaps a comment and parameters.
  static func leadingSeconds(_ text: some StringProtocol) -> Int? {
    seconds(text.prefix { $0.isASCII && $0.isNumber })
  }
}
