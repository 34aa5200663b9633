/// Keys as RTP events (RFC 4733), received: one report for each press, whatever is lost or repeated of it.
struct TelephoneEventReceiver {
  private struct Press {
    var event: UInt8
    var timestamp: UInt32
    var duration: UInt32
    var isEnded: Bool
  }

  /// Presses that are remembered, so that late and repeated packets of an older one are not taken for a new one.
  private static let remembered = 4
  private static let keys = Array("0123456789*#ABCD")

  private var ssrc: UInt32?
  private var presses: [Press] = []

  /// Takes a packet of the telephone-event payload type.
  ///
  /// - Returns: The key, on the first packet of a press that arrives, be it its last; else `nil`.
  mutating func receive(_ payload: UnsafeRawBufferPointer, header: RTPHeader, clockRate: Int) -> Character? {
    guard payload.count >= 4 else { return nil }
    let event = payload[0]
    let isEnd = payload[1] & 0x80 != 0
    let duration = UInt32(payload[2]) << 8 | UInt32(payload[3])
    if ssrc != header.ssrc {
      ssrc = header.ssrc
      presses.removeAll(keepingCapacity: true)
    }
    // All packets of a press bear the time of its beginning (RFC 4733 section 2.5.1.2).
    if let index = presses.firstIndex(where: { $0.timestamp == header.timestamp }) {
      presses[index].duration = max(presses[index].duration, duration)
      presses[index].isEnded = presses[index].isEnded || isEnd
      return nil
    }
    if let last = presses.last {
      let since = Int32(bitPattern: header.timestamp &- last.timestamp)
      if since < 0, since > -Int32(clockRate) * 2 { return nil }  // of a press too old to be remembered
      // A press longer than the 16 bits of its duration goes on as a new segment (section 2.5.1.3), and some senders
      // move the timestamp within a press: what follows without a gap is the same one.
      if last.event == event, !last.isEnded, since >= 0, since <= Int32(last.duration) + Int32(clockRate / 50)
      {
        presses[presses.count - 1] = Press(
          event: event, timestamp: header.timestamp, duration: duration, isEnded: isEnd)
        return nil
      }
    }
    if presses.count == TelephoneEventReceiver.remembered { presses.removeFirst() }
    presses.append(Press(event: event, timestamp: header.timestamp, duration: duration, isEnded: isEnd))
    return event < 16 ? TelephoneEventReceiver.keys[Int(event)] : nil
  }
}

/// Keys as RTP events, sent: a press of 100 ms, its end three times, and a pause, one packet a tick of 20 ms.
struct TelephoneEventSender {
  /// What a tick sends instead of audio.
  struct Packet: Equatable {
    var payload: [UInt8]
    /// Of the press, not of the tick (RFC 4733 section 2.5.1.2).
    var timestamp: UInt32
    var marker: Bool
  }

  /// What a tick does.
  enum Step: Equatable {
    case event(Packet)
    /// Audio as always: the pause between two keys, or a `,`.
    case audio
    /// There is nothing more to press.
    case done
  }

  /// Keys that are taken at once.
  static let maximumKeys = 64
  private static let pressTicks = 5
  private static let endPackets = 3
  private static let pauseTicks = 4
  private static let commaTicks = 25

  private var keys: [UInt8]  // 0...15, or 255 for a comma
  private var index = 0
  private var tick = 0
  private var begin: UInt32 = 0

  /// Keys and commas of `digits`; other characters are skipped.
  init(_ digits: String) {
    let events = Array("0123456789*#ABCD")
    keys = digits.uppercased().compactMap { key in
      if key == "," { return 255 }
      return events.firstIndex(of: key).map { UInt8($0) }
    }
    keys = Array(keys.prefix(TelephoneEventSender.maximumKeys))
  }

  /// The next 20 ms, which begin at `timestamp`; `units` are their length in units of the clock.
  mutating func step(timestamp: UInt32, units: Int) -> Step {
    guard index < keys.count else { return .done }
    defer { tick += 1 }
    let key = keys[index]
    if key == 255 {
      if tick + 1 >= TelephoneEventSender.commaTicks { advance() }
      return .audio
    }
    if tick == 0 { begin = timestamp }
    let events = TelephoneEventSender.pressTicks + TelephoneEventSender.endPackets
    guard tick < events else {
      if tick + 1 >= events + TelephoneEventSender.pauseTicks { advance() }
      return .audio
    }
    let isEnd = tick >= TelephoneEventSender.pressTicks
    let duration = UInt16(min(tick + 1, TelephoneEventSender.pressTicks) * units)
    let volume: UInt8 = 10  // -10 dBm0, what phones send
    return .event(
      Packet(
        payload: [key, (isEnd ? 0x80 : 0) | volume, UInt8(duration >> 8), UInt8(duration & 0xFF)],
        timestamp: begin, marker: tick == 0))
  }

  private mutating func advance() {
    index += 1
    tick = -1  // the tick that is under way counts up to 0
  }
}
