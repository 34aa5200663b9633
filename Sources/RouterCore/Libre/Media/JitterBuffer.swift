/// Puts a stream's packets back into order and into time.
///
/// Packets are taken when a tick of 20 ms needs audio. The buffer adds as much delay as the stream's jitter asks for,
/// between two limits: it starts a talk-spurt late enough, and moves in whole packets later, in silence if it can. What
/// comes after its turn is dropped; a stream that jumps (RFC 3550 appendix A.1) is taken up anew. Pure: every time is
/// given, in µs.
struct JitterBuffer {
  /// Packets held at most, for any limit of delay.
  static let maximumPackets = 64
  /// Sequence numbers may jump ahead or lag by so much within one stream (RFC 3550 appendix A.1).
  private static let maximumDropout = 3000
  private static let maximumMisorder = 100
  private static let frame = 20_000

  private let limits: ClosedRange<Int>
  private let clockRate: Int
  private var delay = DelayEstimate()
  private var slots: [Packet?] = Array(repeating: nil, count: 16)
  private var storage: [UInt8] = []
  private var stride = 0
  private var count = 0
  private var highest: (sequence: Int, timestamp: Int)?
  private var suspected: UInt16?
  private var next = 0
  private var nextTimestamp = 0
  private var lastDuration = 0
  private var isPlaying = false
  /// How long nothing was there in the midst of playing, and how long there was too much.
  private var starved = 0
  private var excessTicks = 0

  /// Packets that came too late, or were dropped because more than the limit had gathered.
  private(set) var late = 0

  /// - Parameters:
  ///   - clockRate: Timestamp units a second.
  ///   - milliseconds: How much delay may be added, at least and at most.
  init(clockRate: Int, milliseconds: ClosedRange<Int>) {
    self.clockRate = clockRate
    limits = (milliseconds.lowerBound * 1000)...(milliseconds.upperBound * 1000)
  }

  /// The delay that is aimed at, µs.
  var target: Int { min(max(delay.spread, limits.lowerBound), limits.upperBound) }

  /// How long audio waits in here now, µs; 0 while nothing plays.
  private(set) var currentDelay = 0

  /// Forgets the stream, after a change of SSRC or codec.
  mutating func restart() {
    for index in slots.indices { slots[index] = nil }
    count = 0
    highest = nil
    suspected = nil
    isPlaying = false
    starved = 0
    delay = DelayEstimate()
  }

  /// The bytes of a packet that ``take(at:isQuiet:)`` has just given.
  func withPayload<Result>(of packet: Packet, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    let start = slot(packet.sequence) * stride
    return storage.withUnsafeBytes {
      body(UnsafeRawBufferPointer(rebasing: $0[start..<start + packet.length]))
    }
  }

  /// The packet after a lost one, if it is here already: it may repeat something of the lost one.
  var following: Packet? { slots[slot(next)].flatMap { $0.duration > 0 ? $0 : nil } }

  private func slot(_ sequence: Int) -> Int { sequence & (slots.count - 1) }
  private func microseconds(_ units: Int) -> Int { units * 1_000_000 / clockRate }
}

// MARK: Putting in

extension JitterBuffer {
  /// Takes a packet as it arrives.
  mutating func put(
    sequence: UInt16, timestamp: UInt32, duration: Int, payloadType: UInt8,
    payload: UnsafeRawBufferPointer, arrival: Int
  ) -> Outcome {
    guard let highest else {
      begin(sequence, timestamp, arrival)
      store(next, nextTimestamp, duration, payloadType, payload)
      return .stored
    }
    let step = Int(Int16(bitPattern: sequence &- UInt16(truncatingIfNeeded: highest.sequence)))
    if step > JitterBuffer.maximumDropout || step < -JitterBuffer.maximumMisorder {
      // One stray packet must not upset a stream; two in a row are a new one.
      guard suspected == sequence else {
        suspected = sequence &+ 1
        return .suspect
      }
      return putAnew(sequence, timestamp, duration, payloadType, payload, arrival)
    }
    suspected = nil
    let unwrapped = highest.sequence + step
    let time =
      highest.timestamp + Int(Int32(bitPattern: timestamp &- UInt32(truncatingIfNeeded: highest.timestamp)))
    let transit = arrival - microseconds(time)
    // No network holds a packet for so long: the sender's clock jumped.
    if abs(transit - delay.base) > limits.upperBound + 1_000_000 {
      return putAnew(sequence, timestamp, duration, payloadType, payload, arrival)
    }
    delay.add(transit: transit, at: arrival)
    if step > 0 { self.highest = (unwrapped, time) }
    if unwrapped < next {
      if duration > 0 { late += 1 }
      return .late
    }
    makeRoom(for: unwrapped, time)
    if slots[slot(unwrapped)] != nil { return .duplicate }
    store(unwrapped, time, duration, payloadType, payload)
    return .stored
  }

  private mutating func putAnew(
    _ sequence: UInt16, _ timestamp: UInt32, _ duration: Int, _ payloadType: UInt8,
    _ payload: UnsafeRawBufferPointer, _ arrival: Int
  ) -> Outcome {
    restart()
    begin(sequence, timestamp, arrival)
    store(next, nextTimestamp, duration, payloadType, payload)
    return .restarted
  }

  private mutating func begin(_ sequence: UInt16, _ timestamp: UInt32, _ arrival: Int) {
    // Far from zero, so that packets from before the first one have numbers too.
    next = 1 << 20 | Int(sequence)
    nextTimestamp = 1 << 40 | Int(timestamp)
    highest = (next, nextTimestamp)
    delay.add(transit: arrival - microseconds(nextTimestamp), at: arrival)
  }

  private mutating func store(
    _ sequence: Int, _ timestamp: Int, _ duration: Int, _ payloadType: UInt8,
    _ payload: UnsafeRawBufferPointer
  ) {
    if payload.count > stride { widen(to: (payload.count + 15) & ~15) }
    let index = slot(sequence)
    let start = index * stride
    storage.withUnsafeMutableBytes {
      UnsafeMutableRawBufferPointer(rebasing: $0[start..<start + payload.count]).copyMemory(from: payload)
    }
    slots[index] = Packet(
      sequence: sequence, timestamp: timestamp, duration: duration, payloadType: payloadType,
      length: payload.count)
    count += 1
  }

  private mutating func widen(to new: Int) {
    var wider = [UInt8](repeating: 0, count: slots.count * new)
    for index in slots.indices where slots[index] != nil {
      wider.replaceSubrange(
        index * new..<index * new + stride, with: storage[index * stride..<(index + 1) * stride])
    }
    storage = wider
    stride = new
  }

  /// Grows for a packet far ahead; when even the largest buffer cannot span it, what is held is given up.
  private mutating func makeRoom(for sequence: Int, _ timestamp: Int) {
    if sequence - next < slots.count { return }
    if sequence - next >= JitterBuffer.maximumPackets {
      late += slots.lazy.filter { ($0?.duration ?? 0) > 0 }.count
      for index in slots.indices { slots[index] = nil }
      count = 0
      next = sequence
      nextTimestamp = timestamp
      isPlaying = false
      return
    }
    var size = slots.count
    while sequence - next >= size { size *= 2 }
    let old = (slots: slots, storage: storage)
    slots = Array(repeating: nil, count: size)
    storage = Array(repeating: 0, count: size * stride)
    for (index, packet) in old.slots.enumerated() {
      guard let packet else { continue }
      let new = slot(packet.sequence)
      slots[new] = packet
      storage.replaceSubrange(
        new * stride..<(new + 1) * stride, with: old.storage[index * stride..<(index + 1) * stride])
    }
  }
}

// MARK: Taking out

extension JitterBuffer {
  /// What is to be played now.
  ///
  /// - Parameter isQuiet: Whether what was played last was close to silence: then a packet more or less is not heard.
  ///   Asked only when the delay should change.
  mutating func take(at now: Int, isQuiet: () -> Bool) -> Next {
    while count > 0 {
      guard let head = head() else { break }
      if head.duration == 0 {
        remove(head)
        continue
      }
      let waited = now - delay.base - microseconds(head.timestamp)
      let isPause =
        head.timestamp - nextTimestamp > max(lastDuration / 2, 1) + (head.sequence - next) * lastDuration
      if !isPlaying || isPause {
        guard waited >= target else { return starve() }
        isPlaying = true
        next = head.sequence
      }
      if head.sequence > next {
        if let lost = passLost() { return lost }
        continue
      }
      if shouldDrop(head, waited, isQuiet) {
        remove(head)
        continue
      }
      if waited + JitterBuffer.frame <= target, isQuiet() { return .nothing }
      remove(head)
      lastDuration = head.duration
      starved = 0
      currentDelay = max(waited, 0)
      return .packet(head)
    }
    return starve()
  }

  private func head() -> Packet? {
    for sequence in next..<next + slots.count {
      if let packet = slots[slot(sequence)] { return packet }
    }
    return nil
  }

  private mutating func remove(_ packet: Packet) {
    slots[slot(packet.sequence)] = nil
    count -= 1
    next = packet.sequence + 1
    if packet.duration > 0 { nextTimestamp = packet.timestamp + packet.duration }
  }

  /// Steps over a packet that is not there while later ones are. Silence that was already played in its place counts.
  private mutating func passLost() -> Next? {
    next += 1
    nextTimestamp += lastDuration
    if starved >= microseconds(lastDuration) {
      starved -= microseconds(lastDuration)
      return nil
    }
    return .lost(lastDuration)
  }

  /// Whether a packet should be left out, because more waits than should.
  private mutating func shouldDrop(_ head: Packet, _ waited: Int, _ isQuiet: () -> Bool) -> Bool {
    guard count > 1, let highest else { return false }
    let held = microseconds(highest.timestamp - head.timestamp) + JitterBuffer.frame
    if held > limits.upperBound + JitterBuffer.frame {
      late += 1
      return true
    }
    let excess = waited - target
    guard excess > JitterBuffer.frame + 5_000 else {
      excessTicks = 0
      return false
    }
    excessTicks += 1
    // A second of patience for a silence in which nobody hears it; less when the delay is large.
    guard isQuiet() || excessTicks >= (excess > 100_000 ? 5 : 50) else { return false }
    excessTicks = 0
    return true
  }

  private mutating func starve() -> Next {
    if isPlaying {
      starved += JitterBuffer.frame
      if starved >= 3 * JitterBuffer.frame { isPlaying = false }
    }
    return .nothing
  }
}
