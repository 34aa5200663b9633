/// A queue of bytes that grows as needed and gives its memory back when it is empty.
struct ByteRing {
  private static let smallest = 1024
  /// An empty ring larger than this lets go of its storage.
  private static let kept = 8192

  private var storage: [UInt8] = []
  private var start = 0
  private(set) var count = 0

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress, !bytes.isEmpty else { return }
    grow(to: count + bytes.count)
    let mask = storage.count - 1
    let at = (start + count) & mask
    let first = min(bytes.count, storage.count - at)
    storage.withUnsafeMutableBytes { storage in
      guard let base = storage.baseAddress else { return }
      (base + at).copyMemory(from: source, byteCount: first)
      base.copyMemory(from: source + first, byteCount: bytes.count - first)
    }
    count += bytes.count
  }

  /// Takes exactly `target.count` bytes; there must be so many.
  mutating func take(into target: UnsafeMutableRawBufferPointer) {
    precondition(target.count <= count, "not so many bytes in the ring")
    guard let destination = target.baseAddress, !target.isEmpty else { return }
    let first = min(target.count, storage.count - start)
    storage.withUnsafeBytes { storage in
      guard let base = storage.baseAddress else { return }
      destination.copyMemory(from: base + start, byteCount: first)
      (destination + first).copyMemory(from: base, byteCount: target.count - first)
    }
    start = (start + target.count) & (storage.count - 1)
    count -= target.count
    if count == 0 { removeAll() }
  }

  mutating func removeAll() {
    start = 0
    count = 0
    if storage.count > ByteRing.kept { storage = [] }
  }

  private mutating func grow(to needed: Int) {
    guard needed > storage.count else { return }
    var size = max(storage.count, ByteRing.smallest)
    while size < needed { size *= 2 }
    let old = storage
    let from = start
    storage = Array(repeating: 0, count: size)
    let first = min(count, old.count - from)
    storage.replaceSubrange(0..<first, with: old[from..<from + first])
    storage.replaceSubrange(first..<count, with: old[0..<count - first])
    start = 0
  }
}
