extension RouteSource {
  /// Adds the lines themselves to diagnostics that know only their place: what a compiled table complains of, which
  /// keeps no text.
  public func quoting(_ list: DiagnosticList) -> DiagnosticList {
    var wanted: [String: Set<Int>] = [:]
    for diagnostic in list.all where diagnostic.sourceLine.isEmpty {
      if let location = diagnostic.location { wanted[location.file, default: []].insert(location.line) }
    }
    var lines: [String: [Int: String]] = [:]
    for file in files {
      if let numbers = wanted[file.path] { lines[file.path] = RouteSource.lines(numbers, of: file.bytes) }
    }
    return list.map { diagnostic in
      guard diagnostic.sourceLine.isEmpty, let location = diagnostic.location,
        let line = lines[location.file]?[location.line]
      else { return diagnostic }
      var diagnostic = diagnostic
      diagnostic.sourceLine = line
      if location.column == 1 {  // the whole entry is meant
        let margin = line.unicodeScalars.prefix { $0 == " " || $0 == "-" }.count
        diagnostic.location?.column = margin + 1
        diagnostic.length = max(1, line.unicodeScalars.count - margin)
      }
      return diagnostic
    }
  }

  /// Lines by their numbers, from 1, in one pass: a table may have a million.
  private static func lines(_ numbers: Set<Int>, of bytes: [UInt8]) -> [Int: String] {
    var lines: [Int: String] = [:]
    var (number, start) = (1, 0)
    while lines.count < numbers.count, start < bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      if numbers.contains(number) {
        lines[number] = String(
          decoding: bytes[start..<end].filter { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
      }
      (number, start) = (number + 1, end + 1)
    }
    return lines
  }
}
