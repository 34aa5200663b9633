internal import Glibc

/// Memory that is looked up all over: with pages of 2 MiB, the processor need not walk the page tables for each look-up,
/// and the kernel has a five-hundredth of the pages to make and to free.
enum LargePages {
  /// Smaller arrays stay as they are.
  static let minimumBytes = 4 << 20
  private static let pageBytes = 2 << 20

  /// An array of equal elements, on large pages where it is large and the system has them.
  static func array<Element: BitwiseCopyable>(of element: Element, count: Int) -> [Element] {
    guard count * MemoryLayout<Element>.stride >= minimumBytes else {
      return Array(repeating: element, count: count)
    }
    return Array(unsafeUninitializedCapacity: count) { buffer, initialized in
      let bytes = UnsafeMutableRawBufferPointer(buffer)
      if let base = bytes.baseAddress {
        // Before the first byte is written: pages are made then.
        let start = Int(bitPattern: base)
        let first = (start + pageBytes - 1) & ~(pageBytes - 1)
        let end = (start + bytes.count) & ~(pageBytes - 1)
        // Where it is refused, the pages are small.
        if end > first { madvise(base + (first - start), end - first, MADV_HUGEPAGE) }
      }
      buffer.initialize(repeating: element)
      initialized = count
    }
  }
}
