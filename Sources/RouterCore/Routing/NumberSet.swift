/// The numbers of a caller list: exact ones in a hash table, the rest as patterns.
struct NumberSet: Sendable {
  private var numbers = NumberTable()
  private var texts: Set<String> = []
  private var patterns: [NumberPattern] = []
  private(set) var count = 0

  init() {}

  mutating func insert(_ pattern: NumberPattern) {
    count += 1
    switch pattern {
    case .number(let number): numbers[number.packed] = 1
    case .text(let text): texts.insert(text)
    default: patterns.append(pattern)
    }
  }

  func contains(_ dialed: DialedNumber) -> Bool {
    if let number = dialed.number, numbers[number.packed] != nil { return true }
    if !texts.isEmpty, texts.contains(dialed.raw) { return true }
    return patterns.contains { $0.matches(dialed) { _ in nil } }
  }
}

/// Packed numbers, each with a small value: open addressing, 12 bytes a slot, no more than three quarters full.
struct NumberTable: Sendable {
  private struct Slot {
    // Two halves, so that a slot has no gap.
    var low: UInt32 = 0
    var high: UInt32 = 0
    var value: UInt32 = 0
    var key: UInt64 { UInt64(high) << 32 | UInt64(low) }
  }

  private var slots: [Slot] = []
  private var mask = 0
  private(set) var count = 0

  init(minimumCapacity: Int = 0) {
    if minimumCapacity > 0 { resize(for: minimumCapacity) }
  }

  /// Mixes the bits, so that consecutive numbers spread (the finaliser of splitmix64).
  @inline(__always)
  private static func hash(_ key: UInt64) -> Int {
    var x = key &* 0x9E37_79B9_7F4A_7C15
    x = (x ^ (x >> 30)) &* 0xBF58_476D_1CE4_E5B9
    x = (x ^ (x >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int(truncatingIfNeeded: x ^ (x >> 31))
  }

  private mutating func resize(for wanted: Int) {
    var size = 16
    while size * 3 / 4 < wanted { size *= 2 }
    let old = slots
    slots = LargePages.array(of: Slot(), count: size)
    mask = size - 1
    for slot in old where slot.key != 0 { slots[position(of: slot.key)] = slot }
  }

  /// Where a key is, or would be put.
  @inline(__always)
  private func position(of key: UInt64) -> Int {
    var index = NumberTable.hash(key) & mask
    while slots[index].key != 0, slots[index].key != key { index = (index + 1) & mask }
    return index
  }

  /// Keys are never 0: a packed number begins with 1.
  subscript(key: UInt64) -> UInt32? {
    get {
      if slots.isEmpty { return nil }
      let slot = slots[position(of: key)]
      return slot.key == key ? slot.value : nil
    }
    set {
      precondition(key != 0 && newValue != nil, "a table only grows")
      if (count + 1) * 4 > slots.count * 3 { resize(for: max(12, count * 2)) }
      let index = position(of: key)
      if slots[index].key == 0 { count += 1 }
      slots[index] = Slot(
        low: UInt32(truncatingIfNeeded: key), high: UInt32(truncatingIfNeeded: key >> 32),
        value: newValue ?? 0)
    }
  }
}
