internal import RouterCore

/// What a provider holds of the sound that a stream's server sent: played in order, 20 ms at a time.
struct SoundQueue {
  private enum Item {
    case sound([UInt8])
    case mark(String)
  }

  private let format: AudioFormat
  private var items: [Item] = []
  private var waitingBytes = 0

  /// - Parameter format: Of everything in it.
  init(_ format: AudioFormat) { self.format = format }

  /// Bytes of 20 ms.
  var frameBytes: Int { format.sampleRate / 50 * format.bytesPerSample }
  /// Milliseconds of sound that wait.
  var milliseconds: Int { waitingBytes * 20 / frameBytes }

  mutating func play(_ bytes: [UInt8]) {
    items.append(.sound(bytes))
    waitingBytes += bytes.count
  }

  mutating func mark(_ name: String) { items.append(.mark(name)) }

  /// Drops what waits. Returns the marks that stood between it.
  mutating func clear() -> [String] {
    defer {
      items = []
      waitingBytes = 0
    }
    return items.compactMap { if case .mark(let name) = $0 { name } else { nil } }
  }

  /// The next 20 ms, silence where there is nothing, and the marks that were reached before their end.
  mutating func step() -> (sound: [UInt8], marks: [String]) {
    var sound: [UInt8] = []
    var marks: [String] = []
    while let first = items.first {
      switch first {
      case .mark(let name):
        marks.append(name)
        items.removeFirst()
      case .sound(let bytes):
        guard sound.count < frameBytes else { return (sound, marks) }
        let count = min(frameBytes - sound.count, bytes.count)
        sound += bytes[..<count]
        waitingBytes -= count
        if count == bytes.count { items.removeFirst() } else { items[0] = .sound(Array(bytes[count...])) }
      }
    }
    return (sound + Array(repeating: format.silentByte, count: frameBytes - sound.count), marks)
  }
}

extension AudioFormat {
  /// A byte of nothing: µ-law and A-law have no zero.
  var silentByte: UInt8 {
    switch encoding {
    case .linear16: 0
    case .muLaw: 0xFF
    case .aLaw: 0xD5
    }
  }
}
