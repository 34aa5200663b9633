internal import RouterCore

/// Reads `multipart/form-data` strictly, and WAV.
enum MultipartReader {
  struct Part {
    var name: String
    var file: String?
    var content: [UInt8]
  }

  static func read(_ request: HTTPServerRequest) -> [Part]? {
    guard let type = request.header("content-type"), type.lowercased().hasPrefix("multipart/form-data"),
      let mark = type.firstRange(of: "boundary=")
    else { return nil }
    let boundary = type[mark.upperBound...].prefix { $0 != ";" }.filter { $0 != "\"" }
    var parts: [Part] = []
    var rest = request.body[...]
    guard let first = cut(&rest, at: Array("--\(boundary)".utf8)), first.isEmpty else { return nil }
    while true {
      if rest.starts(with: Array("--".utf8)) { return parts }
      guard rest.starts(with: [13, 10]) else { return nil }
      rest = rest.dropFirst(2)
      guard let head = cut(&rest, at: [13, 10, 13, 10]),
        let content = cut(&rest, at: Array("\r\n--\(boundary)".utf8)),
        let part = part(String(decoding: head, as: UTF8.self), Array(content))
      else { return nil }
      parts.append(part)
    }
  }

  private static func part(_ head: String, _ content: [UInt8]) -> Part? {
    guard
      let line = head.split(separator: "\r\n").first(where: {
        $0.lowercased().hasPrefix("content-disposition:")
      }),
      let name = attribute("name", line)
    else { return nil }
    return Part(name: name, file: attribute("filename", line), content: content)
  }

  private static func attribute(_ name: String, _ line: Substring) -> String? {
    for piece in line.split(separator: ";").dropFirst() {
      let piece = piece.drop { $0 == " " }
      if piece.hasPrefix(name + "=") { return piece.dropFirst(name.count + 1).filter { $0 != "\"" } }
    }
    return nil
  }

  /// What stands before `mark`; `bytes` then begins behind it.
  private static func cut(_ bytes: inout ArraySlice<UInt8>, at mark: [UInt8]) -> ArraySlice<UInt8>? {
    guard let range = bytes.firstRange(of: mark) else { return nil }
    defer { bytes = bytes[range.upperBound...] }
    return bytes[..<range.lowerBound]
  }

  /// The length of a WAV file of 16-bit PCM with a plain head; `nil` for anything else.
  static func wavMilliseconds(_ bytes: [UInt8]) -> Int? {
    func number(_ at: Int, _ count: Int) -> Int {
      (0..<count).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
    }
    guard bytes.count >= 44, bytes[..<4].elementsEqual("RIFF".utf8),
      bytes[8..<16].elementsEqual("WAVEfmt ".utf8),
      number(20, 2) == 1, number(34, 2) == 16, bytes[36..<40].elementsEqual("data".utf8),
      number(40, 4) == bytes.count - 44,
      number(4, 4) == bytes.count - 8
    else { return nil }
    let second = number(24, 4) * number(22, 2) * 2
    return second > 0 && number(28, 4) == second ? (bytes.count - 44) * 1000 / second : nil
  }

  /// A head whose sizes are not known yet, as streams have it.
  static func wavHead(_ rate: Int) -> [UInt8] {
    func bytes(_ number: Int, _ count: Int) -> [UInt8] {
      (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
    return Array("RIFF".utf8) + bytes(0xFFFF_FFFF, 4) + Array("WAVEfmt ".utf8) + bytes(16, 4) + bytes(1, 2)
      + bytes(1, 2)
      + bytes(rate, 4) + bytes(rate * 2, 4) + bytes(2, 2) + bytes(16, 2) + Array("data".utf8)
      + bytes(0xFFFF_FFFF, 4)
  }
}
