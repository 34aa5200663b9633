internal import Glibc

/// The kernel's random numbers, fetched in portions: one system call for many numbers. As good as asking for each, for
/// names that nobody may guess. Belongs to one thread.
struct RandomBytes: RandomNumberGenerator {
  private static let portion = 32
  private var numbers = [UInt64](repeating: 0, count: portion)
  private var left = 0

  mutating func next() -> UInt64 {
    if left == 0 { fill() }
    left -= 1
    defer { numbers[left] = 0 }  // what was given away stays nowhere
    return numbers[left]
  }

  private mutating func fill() {
    var system = SystemRandomNumberGenerator()
    // As many as 256 bytes come whole, or not at all where the call is forbidden.
    let error = numbers.withUnsafeMutableBytes { bytes in
      bytes.baseAddress.map { getentropy($0, bytes.count) }
    }
    if error != 0 { for index in numbers.indices { numbers[index] = system.next() } }
    left = RandomBytes.portion
  }
}
