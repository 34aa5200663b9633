/// Nodes as they are found.
extension YAMLQuickScan {
  mutating func add(_ kind: YAMLEntry.Kind, _ start: Int, _ first: Int, _ end: Int) {
    entries.append(YAMLEntry(kind, line: line, column: start - lineStart + 1, a: first, b: end - first))
  }

  mutating func open(_ kind: YAMLEntry.Kind) -> Int {
    entries.append(YAMLEntry(kind, line: line, column: column + 1))
    return entries.count - 1
  }

  /// Ends a collection. Returns whether its keys differ.
  @discardableResult
  mutating func close(_ index: Int, _ count: Int, isMapping: Bool = false) -> Bool {
    entries[index].a = UInt32(truncatingIfNeeded: entries.count)
    entries[index].b = UInt32(truncatingIfNeeded: count)
    return !isMapping || count < 2 || hasDifferentKeys(index, count)
  }

  func hasDifferentKeys(_ mapping: Int, _ count: Int) -> Bool {
    var keys: [UInt64] = []
    var child = mapping + 1
    if count <= 8 {
      // Few keys: the bytes are compared, and nothing is made.
      for number in 0..<count {
        var earlier = mapping + 1
        for _ in 0..<number {
          if isSameText(earlier, child) { return false }
          earlier = next(after: earlier + 1)
        }
        child = next(after: child + 1)
      }
      return true
    }
    keys.reserveCapacity(count)
    for _ in 0..<count {
      let entry = entries[child]
      keys.append(YAMLDocument.hash(bytes[Int(entry.a)..<Int(entry.a) + Int(entry.b)]))
      child = next(after: child + 1)
    }
    // Two keys of one hash are for libyaml to tell apart.
    return Set(keys).count == keys.count
  }

  func next(after index: Int) -> Int {
    let entry = entries[index]
    return entry.kind == .sequence || entry.kind == .mapping ? Int(entry.a) : index + 1
  }

  func isSameText(_ a: Int, _ b: Int) -> Bool {
    let (first, second) = (entries[a], entries[b])
    guard first.b == second.b else { return false }
    for offset in 0..<Int(first.b) where bytes[Int(first.a) + offset] != bytes[Int(second.a) + offset] {
      return false
    }
    return true
  }
}
