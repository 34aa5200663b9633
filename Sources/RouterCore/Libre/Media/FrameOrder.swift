/// Puts frames right that a provider sent in the wrong order, and counts those that are missing. Bounded.
struct FrameOrder {
  /// So many frames wait for one that is missing.
  static let maximumWaiting = 4

  private var next: Int?
  private var waiting: [(number: Int, bytes: [UInt8])] = []
  /// Frames that never came, or too late.
  private(set) var lost = 0

  /// Takes a frame; calls `give` for each one whose turn it is.
  mutating func take(_ bytes: UnsafeRawBufferPointer, number: Int, _ give: (UnsafeRawBufferPointer) -> Void) {
    guard (0..<1 << 60).contains(number) else { return give(bytes) }
    // A jump is a new count, not a million missing frames.
    if let expected = next, abs(number - expected) > 1000 { restart(give) }
    let expected = next ?? number
    if number < expected { return }  // it was given up already, or is there twice
    if number == expected {
      next = number + 1
      give(bytes)
    } else if !waiting.contains(where: { $0.number == number }) {
      next = expected
      let index = waiting.firstIndex { $0.number > number } ?? waiting.count
      waiting.insert((number, Array(bytes)), at: index)
      if waiting.count > FrameOrder.maximumWaiting {
        lost += waiting[0].number - expected
        next = waiting[0].number
      }
    }
    while let first = waiting.first, first.number == next {
      waiting.removeFirst()
      next = first.number + 1
      first.bytes.withUnsafeBytes { give($0) }
    }
  }

  private mutating func restart(_ give: (UnsafeRawBufferPointer) -> Void) {
    for frame in waiting { frame.bytes.withUnsafeBytes { give($0) } }
    waiting = []
    next = nil
  }
}
