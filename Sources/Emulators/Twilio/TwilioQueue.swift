internal import RouterCore

/// What Twilio holds of the sound that a stream's server sent: played in order, 20 ms at a time.
struct TwilioQueue {
  private enum Item {
    case sound([UInt8])
    case mark(String)
  }

  private var items: [Item] = []
  /// Milliseconds of sound that wait.
  private(set) var milliseconds = 0

  mutating func play(_ bytes: [UInt8]) {
    items.append(.sound(bytes))
    milliseconds += bytes.count / 8
  }

  mutating func mark(_ name: String) { items.append(.mark(name)) }

  /// Drops what waits. Returns the marks: they are sent back although their sound was never played.
  mutating func clear() -> [String] {
    defer {
      items = []
      milliseconds = 0
    }
    return items.compactMap { if case .mark(let name) = $0 { name } else { nil } }
  }

  /// The next 20 ms of µ-law, and the marks that were reached before their end.
  mutating func step() -> (sound: [UInt8], marks: [String]) {
    var sound: [UInt8] = []
    var marks: [String] = []
    while let first = items.first {
      switch first {
      case .mark(let name):
        marks.append(name)
        items.removeFirst()
      case .sound(let bytes):
        guard sound.count < 160 else { return (sound, marks) }
        let count = min(160 - sound.count, bytes.count)
        sound += bytes[..<count]
        milliseconds -= count / 8
        if count == bytes.count { items.removeFirst() } else { items[0] = .sound(Array(bytes[count...])) }
      }
    }
    return (sound + Array(repeating: 0xFF, count: 160 - sound.count), marks)
  }
}
