/// A caller list in a file: a number in each line, `#` begins a comment. Made for a million lines.
enum CallerListFile {
  /// Bytes of a file.
  static let maximumSize = 256 << 20

  /// The bytes of the file that a node names; `nil` when it cannot be read, which is reported.
  static func content(_ node: YAMLNode, _ source: RouteSource, _ check: inout SchemaCheck) -> [UInt8]? {
    let path = node.text ?? ""
    let bytes: [UInt8]
    do {
      bytes = try source.read(path)
    } catch {
      check.append(
        node.diagnostic(
          .error, "the list \(path) cannot be read: \(error)", hint: "paths start at the route directory"))
      return nil
    }
    guard bytes.count <= maximumSize else {
      check.append(node.diagnostic(.error, "the list \(path) has more than \(maximumSize) bytes"))
      return nil
    }
    return bytes
  }

  /// The numbers of a list.
  static func numbers(
    in bytes: [UInt8], path: String, _ numbering: Numbering, _ check: inout SchemaCheck
  ) -> NumberSet {
    var set = NumberSet()
    var number = 0
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      number += 1
      take(bytes[start..<end], line: number, of: path, numbering, &set, &check)
      start = end + 1
    }
    return set
  }

  private static func take(
    _ line: ArraySlice<UInt8>, line number: Int, of path: String, _ numbering: Numbering,
    _ set: inout NumberSet,
    _ check: inout SchemaCheck
  ) {
    let content = line.prefix { $0 != UInt8(ascii: "#") }
    let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0D }
    guard let first = content.firstIndex(where: { !isBlank($0) }),
      let last = content.lastIndex(where: { !isBlank($0) })
    else { return }
    let text = content[first...last]
    if let number = PhoneNumber(e164: text) {
      set.insert(.number(number))
      return
    }
    do {
      set.insert(try NumberPattern(String(decoding: text, as: UTF8.self), numbering))
    } catch {
      check.append(
        Diagnostic(
          .error, error.message, hint: error.hint,
          at: SourceLocation(file: path, line: number, column: first - line.startIndex + 1),
          sourceLine: String(decoding: line, as: UTF8.self), length: text.count))
    }
  }
}
