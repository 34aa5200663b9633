/// What waits to be said to the caller, in turns.
///
/// Audio is kept as bytes of one format and taken in frames of 20 ms; a frame that is not full yet waits a little for
/// the rest of its turn. Pure and bounded.
struct PlayoutQueue {
  /// What a ``pull(into:events:)`` brought about.
  enum Event: Equatable { case started(TurnID), ended(TurnID) }

  private struct Segment {
    var turn: TurnID?  // nil for a fade-out: nobody is told about it
    var count: Int
    var isEnded: Bool
  }

  /// Turns that may wait at once.
  static let maximumSegments = 256
  /// Ticks that an unfinished frame waits for its rest.
  private static let patience = 3

  private(set) var format: AudioFormat
  private var ring = ByteRing()
  private var segments: [Segment] = []
  private var playing: (turn: TurnID, bytes: Int)?
  private var newest: TurnID?
  private var flushed: TurnID?
  private var waited = 0
  /// Audio that found no room, in bytes.
  private(set) var dropped = 0

  init(format: AudioFormat) { self.format = format }

  /// Whether nothing waits and nothing is owed to anybody.
  var isEmpty: Bool { segments.isEmpty }

  /// Milliseconds that wait.
  var milliseconds: Int { milliseconds(ring.count) }

  /// Whether audio of this turn is still wanted.
  func accepts(_ turn: TurnID) -> Bool { flushed.map { turn > $0 } ?? true }

  /// Adds audio in ``format``. What exceeds the limit, or belongs to a turn that was flushed, is dropped.
  mutating func append(_ audio: UnsafeRawBufferPointer, turn: TurnID) {
    guard accepts(turn) else { return }
    newest = max(newest ?? turn, turn)
    let limit = SpeakerLimit.milliseconds * format.sampleRate / 1000 * format.bytesPerSample
    let whole = audio.count / format.bytesPerSample * format.bytesPerSample
    let taken = min(whole, max(0, limit - ring.count))
    dropped += whole - taken
    let audio = UnsafeRawBufferPointer(rebasing: audio.prefix(taken))
    if let last = segments.indices.last, segments[last].turn == turn, !segments[last].isEnded {
      segments[last].count += audio.count
    } else if segments.count < PlayoutQueue.maximumSegments {
      segments.append(Segment(turn: turn, count: audio.count, isEnded: false))
    } else {
      dropped += audio.count
      return
    }
    ring.append(audio)
  }

  /// No more audio of this turn comes.
  mutating func end(_ turn: TurnID) {
    guard accepts(turn) else { return }
    newest = max(newest ?? turn, turn)
    if let index = segments.lastIndex(where: { $0.turn == turn }) {
      segments[index].isEnded = true
    } else if segments.count < PlayoutQueue.maximumSegments {
      segments.append(Segment(turn: turn, count: 0, isEnded: true))
    }
  }

  /// Drops what waits, fading out for `fade` milliseconds if something is being heard.
  mutating func flush(fade: Int = 0) -> PlayedAudio {
    let heard = PlayedAudio(turn: playing?.turn, milliseconds: milliseconds(playing?.bytes ?? 0))
    var tail: [UInt8] = []
    if playing != nil, fade > 0 {
      let wanted = fade * format.sampleRate / 1000 * format.bytesPerSample
      tail = Array(repeating: 0, count: min(wanted, ring.count))
      tail.withUnsafeMutableBytes { ring.take(into: $0) }
      fadeOut(&tail)
    }
    ring.removeAll()
    segments.removeAll()
    playing = nil
    flushed = newest
    if !tail.isEmpty {
      tail.withUnsafeBytes { ring.append($0) }
      segments.append(Segment(turn: nil, count: tail.count, isEnded: true))
    }
    return heard
  }

  /// Takes the next frame; what is missing is filled with silence. Returns whether there was any audio.
  mutating func pull(into frame: UnsafeMutableRawBufferPointer, events: inout [Event]) -> Bool {
    var filled = 0
    while filled < frame.count, let segment = segments.first {
      if segment.count == 0 {
        guard segment.isEnded || segments.count > 1 else { break }
        finishFirst(&events)
        continue
      }
      let isOpen = segments.count == 1 && !segment.isEnded
      if isOpen, segment.count < frame.count - filled, waited < PlayoutQueue.patience {
        waited += 1
        break
      }
      if let turn = segment.turn, playing?.turn != turn {
        playing = (turn, 0)
        events.append(.started(turn))
      }
      let count = min(segment.count, frame.count - filled)
      ring.take(into: UnsafeMutableRawBufferPointer(rebasing: frame[filled..<filled + count]))
      segments[0].count -= count
      if segment.turn != nil { playing?.bytes += count }
      filled += count
      waited = 0
    }
    // The frame that holds the last of a turn ends it.
    while let segment = segments.first, segment.count == 0, segment.isEnded { finishFirst(&events) }
    if filled < frame.count {
      UnsafeMutableRawBufferPointer(rebasing: frame[filled...]).initializeMemory(
        as: UInt8.self, repeating: format.silence)
    }
    return filled > 0
  }

  private mutating func finishFirst(_ events: inout [Event]) {
    let segment = segments.removeFirst()
    guard segment.isEnded, let turn = segment.turn else { return }
    if playing?.turn == turn { playing = nil }
    events.append(.ended(turn))
  }

  private func milliseconds(_ bytes: Int) -> Int {
    bytes * 1000 / (format.sampleRate * format.bytesPerSample)
  }
}

extension PlayoutQueue {
  /// Changes the format of what waits, after a change of codec.
  mutating func convert(to new: AudioFormat) {
    guard new != format else { return }
    var all: [UInt8] = []
    for index in segments.indices {
      var old = [UInt8](repeating: 0, count: segments[index].count)
      old.withUnsafeMutableBytes { ring.take(into: $0) }
      let before = all.count
      var converter = AudioConverter(from: format, to: new)
      old.withUnsafeBytes { converter?.convert($0, into: &all) }
      segments[index].count = all.count - before
    }
    if let playing {
      let samples = playing.bytes / format.bytesPerSample * new.sampleRate / format.sampleRate
      self.playing = (playing.turn, samples * new.bytesPerSample)
    }
    ring.removeAll()
    all.withUnsafeBytes { ring.append($0) }
    format = new
  }

  private func fadeOut(_ bytes: inout [UInt8]) {
    let linear = AudioFormat.linear16(format.sampleRate)
    var samples: [UInt8] = []
    var there = AudioConverter(from: format, to: linear)
    bytes.withUnsafeBytes { there?.convert($0, into: &samples) }
    samples.withUnsafeMutableBytes {
      let samples = $0.assumingMemoryBound(to: Int16.self)
      for index in samples.indices {
        samples[index] = Int16(Int(samples[index]) * (samples.count - index) / samples.count)
      }
    }
    bytes.removeAll(keepingCapacity: true)
    var back = AudioConverter(from: linear, to: format)
    samples.withUnsafeBytes { back?.convert($0, into: &bytes) }
  }
}
