/// Reads what large files are made of, some five times as fast as libyaml: block collections indented with spaces, flow
/// collections of one line, keys, scalars and quotes of one line, comments; all in ASCII, without escapes, anchors and tags.
///
/// Whatever it is not sure of, it gives up, and libyaml reads the whole file: what is allowed, what is refused and what
/// is said of it is decided there alone. A test holds both to the same result, down to lines and columns.
struct YAMLQuickScan {
  let bytes: UnsafeBufferPointer<UInt8>
  var at = 0
  var line = 1
  var lineStart = 0
  var entries: [YAMLEntry] = []

  /// Deeper files are libyaml's.
  static let maximumDepth = 24
  /// libyaml takes no longer keys.
  static let maximumKey = 512

  /// The nodes of a file; texts are places in the file itself. `nil` when libyaml must look.
  static func entries(of source: [UInt8]) -> [YAMLEntry]? {
    source.withUnsafeBufferPointer { bytes in
      var scan = YAMLQuickScan(bytes: bytes)
      scan.entries.reserveCapacity(bytes.count / 7)
      guard scan.nextLine(), scan.column == 0, scan.block(column: 0, depth: 0), scan.at == bytes.count else {
        return nil
      }
      return scan.entries
    }
  }

  init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  var column: Int { at - lineStart }

  /// The byte at a place; a line end behind the last one.
  @inline(__always)
  func byte(_ index: Int) -> UInt8 { index < bytes.count ? bytes[index] : 0x0A }

  // MARK: Lines

  /// Goes to the first sign of the next line that has any, from a place at which a line begins; to the end when there is none.
  mutating func nextLine() -> Bool {
    while at < bytes.count {
      lineStart = at
      while at < bytes.count, bytes[at] == 0x20 { at += 1 }
      if at == bytes.count { return true }
      if bytes[at] == UInt8(ascii: "#") { guard skipComment() else { return false } }
      guard at < bytes.count, bytes[at] == 0x0A else { return true }
      at += 1
      line += 1
    }
    lineStart = at
    return true
  }

  /// Goes over what may stand behind a value, to the first sign of the next line.
  mutating func endLine() -> Bool {
    let start = at
    while byte(at) == 0x20 { at += 1 }
    if byte(at) == UInt8(ascii: "#") {
      guard at > start, skipComment() else { return false }
    }
    guard byte(at) == 0x0A else { return false }
    at = min(at + 1, bytes.count)
    line += 1
    return nextLine()
  }

  mutating func skipComment() -> Bool {
    while at < bytes.count, bytes[at] != 0x0A {
      guard bytes[at] >= 0x20, bytes[at] < 0x7F else { return false }
      at += 1
    }
    return true
  }

  // MARK: Blocks

  /// A block collection that begins at the present place.
  mutating func block(column: Int, depth: Int) -> Bool {
    guard depth < YAMLQuickScan.maximumDepth, at < bytes.count else { return false }
    return isDash ? sequence(column: column, depth: depth) : mapping(column: column, depth: depth)
  }

  /// Whether an element of a sequence begins here.
  var isDash: Bool { byte(at) == UInt8(ascii: "-") && byte(at + 1) == 0x20 }

  mutating func sequence(column: Int, depth: Int) -> Bool {
    let index = open(.sequence)
    var count = 0
    while at < bytes.count, self.column == column, isDash {
      count += 1
      at += 1
      while byte(at) == 0x20 { at += 1 }
      if isKeyNext() {
        guard mapping(column: self.column, depth: depth + 1) else { return false }
      } else {
        guard !isDash, value(isInFlow: false, depth: depth + 1), endLine() else { return false }
      }
      if at < bytes.count, self.column > column { return false }
    }
    close(index, count)
    return true
  }

  mutating func mapping(column: Int, depth: Int) -> Bool {
    guard depth < YAMLQuickScan.maximumDepth else { return false }
    let index = open(.mapping)
    var count = 0
    repeat {
      count += 1
      guard !isDash, isKeyNext(), key(isInFlow: false) else { return false }
      guard pairValue(column: column, depth: depth) else { return false }
      if at < bytes.count, self.column > column { return false }
    } while at < bytes.count && self.column == column && !isDash
    // A dash at the place of a key belongs to nobody here: libyaml says what is wrong with it.
    if at < bytes.count, self.column == column { return false }
    return close(index, count, isMapping: true)
  }

  /// What stands behind a key: on its line, or below.
  mutating func pairValue(column: Int, depth: Int) -> Bool {
    let (colonLine, colonEnd) = (line, self.column)
    let start = at
    while byte(at) == 0x20 { at += 1 }
    guard byte(at) == 0x0A || (byte(at) == UInt8(ascii: "#") && at > start) else {
      return value(isInFlow: false, depth: depth + 1) && endLine()
    }
    at = start
    guard endLine() else { return false }
    if at < bytes.count, self.column > column {
      return isKeyNext() || isDash ? block(column: self.column, depth: depth + 1) : false
    }
    // A list may stand below its key without an indent.
    if at < bytes.count, self.column == column, isDash {
      return listOfKey(column: column, depth: depth + 1)
    }
    entries.append(YAMLEntry(.plain, line: colonLine, column: colonEnd + 1, a: 0, b: 0))
    return true
  }

  mutating func listOfKey(column: Int, depth: Int) -> Bool {
    guard depth < YAMLQuickScan.maximumDepth else { return false }
    return sequence(column: column, depth: depth)
  }

  /// Whether `key: ` or a key and the end of the line stands here.
  func isKeyNext() -> Bool {
    var scan = at
    if byte(scan) == UInt8(ascii: "\"") || byte(scan) == UInt8(ascii: "'") {
      let quote = bytes[scan]
      scan += 1
      while byte(scan) != quote, byte(scan) != 0x0A { scan += 1 }
      scan += 1
    } else {
      guard YAMLQuickScan.isFirst(byte(scan)) else { return false }
      while YAMLQuickScan.isInner(byte(scan)) || byte(scan) == 0x20 { scan += 1 }
    }
    return byte(scan) == UInt8(ascii: ":") && (byte(scan + 1) == 0x20 || byte(scan + 1) == 0x0A)
  }

  /// A key with its colon.
  mutating func key(isInFlow: Bool) -> Bool {
    let start = at
    guard scalar(isInFlow: true), at - start < YAMLQuickScan.maximumKey, byte(at) == UInt8(ascii: ":"),
      byte(at + 1) == 0x20 || (!isInFlow && byte(at + 1) == 0x0A)
    else { return false }
    at += 1
    return true
  }

  // MARK: Values of one line

  mutating func value(isInFlow: Bool, depth: Int) -> Bool {
    guard depth < YAMLQuickScan.maximumDepth else { return false }
    switch byte(at) {
    case UInt8(ascii: "{"): return flow(.mapping, end: UInt8(ascii: "}"), depth: depth)
    case UInt8(ascii: "["): return flow(.sequence, end: UInt8(ascii: "]"), depth: depth)
    default: return scalar(isInFlow: isInFlow)
    }
  }

  mutating func flow(_ kind: YAMLEntry.Kind, end: UInt8, depth: Int) -> Bool {
    let index = open(kind)
    var count = 0
    at += 1
    while byte(at) == 0x20 { at += 1 }
    if byte(at) != end {
      while true {
        count += 1
        if kind == .mapping {
          guard key(isInFlow: true) else { return false }
          while byte(at) == 0x20 { at += 1 }
        }
        guard value(isInFlow: true, depth: depth + 1) else { return false }
        while byte(at) == 0x20 { at += 1 }
        if byte(at) == end { break }
        guard byte(at) == UInt8(ascii: ",") else { return false }
        at += 1
        while byte(at) == 0x20 { at += 1 }
      }
    }
    at += 1
    return close(index, count, isMapping: kind == .mapping)
  }

  /// A scalar, quoted or not. Behind it stands what ends it.
  mutating func scalar(isInFlow: Bool) -> Bool {
    let start = at
    let first = byte(at)
    if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") {
      at += 1
      while at < bytes.count, bytes[at] != first {
        guard bytes[at] >= 0x20, bytes[at] < 0x7F, bytes[at] != UInt8(ascii: "\\") else { return false }
        at += 1
      }
      guard at < bytes.count, byte(at + 1) != first else { return false }
      add(.quoted, start, start + 1, at)
      at += 1
      return true
    }
    guard YAMLQuickScan.isFirst(first) else { return false }
    var end = at
    while true {
      let next = byte(at)
      if YAMLQuickScan.isInner(next)
        || (!isInFlow && YAMLQuickScan.isInnerOfBlock(next, before: byte(at + 1)))
      {
        at += 1
        end = at
      } else if next == 0x20 {
        at += 1
      } else {
        break
      }
    }
    at = end
    add(.plain, start, start, end)
    return true
  }

  /// What an unquoted text may begin with, here.
  @inline(__always)
  static func isFirst(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true  // digits, letters
    case 0x2B, 0x2F, 0x5F, 0x28, 0x7E, 0x24, 0x5E: true  // + / _ ( ~ $ ^
    default: false
    }
  }

  /// What may stand inside of an unquoted text anywhere.
  @inline(__always)
  static func isInner(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    case 0x2B, 0x2D...0x2F, 0x5F, 0x28, 0x29, 0x7E, 0x24, 0x5E, 0x3B, 0x3D: true  // + - . / _ ( ) ~ $ ^ ; =
    case 0x2A, 0x40, 0x25, 0x27, 0x3C, 0x3E, 0x7C, 0x21, 0x26: true  // * @ % ' < > | ! &
    default: false
    }
  }

  /// What may stand there besides outside of braces and brackets.
  @inline(__always)
  static func isInnerOfBlock(_ byte: UInt8, before next: UInt8) -> Bool {
    switch byte {
    case 0x2C, 0x5B, 0x5D, 0x7B, 0x7D, 0x3F, 0x22: true  // , [ ] { } ? "
    case 0x3A: next > 0x20 && next < 0x7F  // a colon with something behind it
    default: false
    }
  }
}
