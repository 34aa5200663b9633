/// Our side of the audio: frames of 20 ms in, packets out. Lives on one loop.
struct RTPSender {
  private(set) var codec = AudioCodec.pcmu
  private var encoder: AudioEncoder?
  private var payloadType: UInt8 = 0
  private var events: MediaParameters.TelephoneEvents?
  private var packetBytes = 160
  private var packetTime = 20

  let ssrc = UInt32.random(in: .min ... .max)
  private var sequence = UInt16.random(in: 0...0x7FFF)  // RFC 3711 section 3.3.1: not close to the wrap
  private var timestamp = UInt32.random(in: .min ... .max)
  /// The first packet, and the first after a gap (RFC 3551 section 4.1).
  private var isMarked = true
  /// Audio for a packet of another length than a tick's.
  private var staged: [UInt8] = []

  private var keys: TelephoneEventSender?
  private var tones = TonePlayer()

  private(set) var packets: UInt32 = 0
  private(set) var octets: UInt32 = 0

  /// Takes what was agreed, first or anew. SSRC, sequence and time go on.
  mutating func apply(_ parameters: MediaParameters) {
    if encoder == nil || codec != parameters.codec {
      flushStaged()
      codec = parameters.codec
      encoder = AudioEncoder(codec)
      tones = TonePlayer()
    }
    payloadType = parameters.sendPayloadType
    events = parameters.telephoneEvents
    if packetTime != parameters.packetTime { flushStaged() }
    packetTime = parameters.packetTime
    packetBytes = codec.wireFormat.frameBytes * packetTime / 20
  }

  /// Timestamp units of a tick.
  private var tickUnits: Int { codec.clockRate / 50 }

  /// Lets a tick pass without a packet.
  mutating func skip(_ ticks: Int = 1) {
    flushStaged()
    timestamp &+= UInt32(truncatingIfNeeded: ticks * tickUnits)
    isMarked = true
  }

  private mutating func flushStaged() {
    let units = staged.count / codec.wireFormat.bytesPerSample * codec.clockRate / codec.wireFormat.sampleRate
    timestamp &+= UInt32(truncatingIfNeeded: units)
    staged.removeAll(keepingCapacity: true)
  }

  /// The RTP time of now, for a sender report.
  var now: UInt32 { timestamp }
}

// MARK: Keys

extension RTPSender {
  var isPressing: Bool { keys != nil || tones.isPlaying }

  /// Begins to press keys: as events where they were agreed, else as tones.
  mutating func press(_ digits: String) {
    if events != nil {
      keys = TelephoneEventSender(digits)
      return
    }
    tones.play(digits, as: codec.wireFormat)
  }
}

// MARK: A tick

extension RTPSender {
  /// Makes the packets of a tick from a frame in the codec's ``AudioCodec/wireFormat``, in `packet`, and hands each to
  /// `send` with its length.
  mutating func tick(
    _ frame: UnsafeMutableRawBufferPointer, packet: UnsafeMutableRawBufferPointer, send: (Int) -> Void
  ) {
    tones.fill(frame)
    if let events, pressKey(events, packet, send) { return }
    if packetTime == 20 {
      sendAudio(UnsafeRawBufferPointer(frame), packet, send)
      return
    }
    staged.append(contentsOf: frame)
    var start = 0
    while staged.count - start >= packetBytes {
      staged.withUnsafeBytes {
        sendAudio(UnsafeRawBufferPointer(rebasing: $0[start..<start + packetBytes]), packet, send)
      }
      start += packetBytes
    }
    staged.removeSubrange(0..<start)
  }

  private mutating func sendAudio(
    _ audio: UnsafeRawBufferPointer, _ packet: UnsafeMutableRawBufferPointer, _ send: (Int) -> Void
  ) {
    let room = UnsafeMutableRawBufferPointer(
      rebasing: packet[RTPHeader.length..<packet.count - SecureRTP.overhead])
    let length = encoder?.encode(audio, into: room) ?? 0
    if length > 0 {
      emit(payloadType, timestamp, isMarked, length, packet, send)
      isMarked = false
    }
    timestamp &+= UInt32(truncatingIfNeeded: packetTime * codec.clockRate / 1000)
  }

  /// Sends an event instead of audio; false when there is none to send now.
  private mutating func pressKey(
    _ events: MediaParameters.TelephoneEvents, _ packet: UnsafeMutableRawBufferPointer, _ send: (Int) -> Void
  ) -> Bool {
    guard keys != nil else { return false }
    switch keys?.step(timestamp: timestamp, units: events.clockRate / 50) {
    case .event(let event)?:
      flushStaged()
      for (index, byte) in event.payload.enumerated() { packet[RTPHeader.length + index] = byte }
      emit(events.sendPayloadType, event.timestamp, event.marker, event.payload.count, packet, send)
      timestamp &+= UInt32(truncatingIfNeeded: tickUnits)
      return true
    case .audio?: return false
    case .done?, nil:
      keys = nil
      return false
    }
  }

  private mutating func emit(
    _ type: UInt8, _ time: UInt32, _ marker: Bool, _ length: Int, _ packet: UnsafeMutableRawBufferPointer,
    _ send: (Int) -> Void
  ) {
    RTPHeader(marker: marker, payloadType: type, sequence: sequence, timestamp: time, ssrc: ssrc).write(
      to: packet)
    sequence &+= 1
    packets &+= 1
    octets &+= UInt32(truncatingIfNeeded: length)
    send(RTPHeader.length + length)
  }
}
