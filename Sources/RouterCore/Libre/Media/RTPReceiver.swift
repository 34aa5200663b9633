/// The caller's side of the audio: packets in, a frame of 20 ms out every tick. Lives on one loop; buffers, decoder and
/// converter are made when they are first needed.
struct RTPReceiver {
  private let limits: ClosedRange<Int>
  private var formats: [MediaParameters.ReceiveFormat] = []
  private var events: MediaParameters.TelephoneEvents?
  private var codec: AudioCodec?
  private var clockRate: Int { codec?.clockRate ?? 8000 }
  private var format = AudioFormat.muLaw

  private var jitter: JitterBuffer?
  private var decoder: AudioDecoder?
  private var presses = TelephoneEventReceiver()
  private var ssrc: UInt32?
  /// Decoded audio that was not played yet: less than a packet.
  private var pending: [UInt8] = []
  private var pendingStart = 0
  /// The frame of this tick, or of the last one.
  private var frame: [UInt8] = []
  private var concealment: Concealment?
  /// Samples since the last real audio; `Int.max` before any.
  private var sinceAudio = Int.max
  private var ears: Ears?

  var statistics = ReceptionStatistics()
  /// Later jitter buffers count on from here.
  private var lateBefore = 0

  init(limits: ClosedRange<Int>) { self.limits = limits }

  /// Packets that came too late to be played.
  var late: Int { lateBefore + (jitter?.late ?? 0) }
  /// How long audio waits in the jitter buffer, milliseconds.
  var bufferDelay: Double { Double(jitter?.currentDelay ?? 0) / 1000 }

  /// Takes what was agreed, first or anew.
  mutating func apply(_ parameters: MediaParameters, listensForTones: Bool) {
    formats = parameters.receive
    events = parameters.telephoneEvents
    if codec == nil || !formats.contains(where: { $0.codec == codec }) { use(parameters.codec) }
    let wantsTones = listensForTones && events == nil
    if wantsTones != (ears != nil) { ears = wantsTones ? Ears(format) : nil }
  }

  /// Whether a payload type is one of the call's.
  func knows(_ payloadType: UInt8) -> Bool {
    payloadType == events?.receivePayloadType || formats.contains { $0.payloadType == payloadType }
  }

  private mutating func use(_ codec: AudioCodec) {
    lateBefore = late
    self.codec = codec
    format = codec.wireFormat
    jitter = nil
    decoder = nil
    concealment = nil
    sinceAudio = .max
    pending.removeAll(keepingCapacity: true)
    pendingStart = 0
    frame = Array(repeating: format.silence, count: format.frameBytes)
    if ears != nil { ears = Ears(format) }
  }
}

// MARK: Packets in

extension RTPReceiver {
  /// Takes a packet. Returns a key, when it begins a press.
  mutating func receive(_ header: RTPHeader, _ payload: UnsafeRawBufferPointer, arrival: Int) -> Character? {
    if header.ssrc != ssrc {
      // At an answer, a transfer or a hold the other side may become another one: taken up anew, nothing is dropped.
      ssrc = header.ssrc
      jitter?.restart()
      pending.removeAll(keepingCapacity: true)
      pendingStart = 0
    }
    if let events, header.payloadType == events.receivePayloadType {
      statistics.receive(header, clockRate: clockRate, arrival: arrival, isAudio: false)
      keepPlace(header, arrival)
      return presses.receive(payload, header: header, clockRate: events.clockRate)
    }
    guard let known = formats.first(where: { $0.payloadType == header.payloadType }) else {
      statistics.receive(header, clockRate: clockRate, arrival: arrival, isAudio: false)
      keepPlace(header, arrival)  // comfort noise, or what we never agreed to
      return nil
    }
    if known.codec != codec { use(known.codec) }
    statistics.receive(header, clockRate: clockRate, arrival: arrival)
    let duration = known.codec.duration(of: payload)
    guard duration > 0 else {
      keepPlace(header, arrival)
      return nil
    }
    if jitter == nil { jitter = JitterBuffer(clockRate: clockRate, milliseconds: limits) }
    _ = jitter?.put(
      sequence: header.sequence, timestamp: header.timestamp, duration: duration,
      payloadType: header.payloadType, payload: payload, arrival: arrival)
    return nil
  }

  /// Keys and the like take sequence numbers of the audio: they must not look like a loss.
  private mutating func keepPlace(_ header: RTPHeader, _ arrival: Int) {
    _ = jitter?.put(
      sequence: header.sequence, timestamp: header.timestamp, duration: 0, payloadType: header.payloadType,
      payload: UnsafeRawBufferPointer(start: nil, count: 0), arrival: arrival)
  }
}

// MARK: Frames out

extension RTPReceiver {
  /// Makes the next frame. Returns keys that were heard in it as tones.
  ///
  /// - Parameter isMuted: On hold: what comes is taken and thrown away, so that nobody hears the hold music.
  mutating func tick(at now: Int, isMuted: Bool) -> [Character] {
    let wanted = format.frameBytes
    fill(to: wanted, now)
    frame.withUnsafeMutableBytes { frame in
      pending.withUnsafeBytes { pending in
        frame.copyMemory(
          from: UnsafeRawBufferPointer(rebasing: pending[pendingStart..<pendingStart + wanted]))
      }
    }
    pendingStart += wanted
    if pendingStart == pending.count {
      pending.removeAll(keepingCapacity: true)
      pendingStart = 0
    }
    if isMuted {
      frame.withUnsafeMutableBytes { _ = $0.initializeMemory(as: UInt8.self, repeating: format.silence) }
    }
    return isMuted ? [] : frame.withUnsafeBytes { ears?.keys(in: $0) ?? [] }
  }

  /// Gives the frame of the last tick to somebody. Mutating, so that nothing of this is copied for it.
  mutating func withFrame<Result>(_ body: (AudioFormat, UnsafeRawBufferPointer) -> Result) -> Result {
    frame.withUnsafeBytes { body(format, $0) }
  }

  private mutating func fill(to wanted: Int, _ now: Int) {
    if pendingStart > 0, pending.count - pendingStart < wanted {
      pending.removeSubrange(0..<pendingStart)
      pendingStart = 0
    }
    // The shortest audio in a packet is an eighth of a millisecond: a bound for the world's strangest sender.
    var taken = 0
    while pending.count - pendingStart < wanted, taken < JitterBuffer.maximumPackets {
      taken += 1
      switch takeNext(now) {
      case .packet(let packet): decode(packet)
      case .lost(let units): conceal(units * format.sampleRate / clockRate, isLost: true)
      case .nothing: conceal((wanted - pending.count + pendingStart) / format.bytesPerSample, isLost: false)
      }
    }
    let missing = wanted - (pending.count - pendingStart)
    if missing > 0 { pending.append(contentsOf: repeatElement(format.silence, count: missing)) }
  }

  private mutating func takeNext(_ now: Int) -> JitterBuffer.Next {
    let (last, format) = (frame, format)
    return jitter?.take(at: now) { RTPReceiver.isQuiet(last, format) } ?? .nothing
  }

  /// Below -45 dBov or so: a packet more or less is not heard.
  private static func isQuiet(_ frame: [UInt8], _ format: AudioFormat) -> Bool {
    var sum = 0
    if format.encoding == .linear16 {
      frame.withUnsafeBytes { withSamples($0) { for sample in $0 { sum += abs(Int(sample)) } } }
    } else {
      let table = G711.linear(of: format.encoding)
      for code in frame { sum += abs(Int(table[Int(code)])) }
    }
    return sum < frame.count / format.bytesPerSample * 150
  }

  private mutating func decode(_ packet: JitterBuffer.Packet) {
    guard let codec else { return }
    if decoder == nil { decoder = AudioDecoder(codec) }
    let (before, decoder) = (pending.count, decoder)
    // Out of `self` meanwhile: for one who changes what it belongs to, the buffer would be copied first.
    var output: [UInt8] = []
    swap(&output, &pending)
    jitter?.withPayload(of: packet) { decoder?.decode($0, into: &output) }
    swap(&output, &pending)
    if pending.count > before {
      concealment = nil
      sinceAudio = 0
    }
  }

  /// Appends audio for a gap: what the codec or the last frame suggests, soon silence.
  private mutating func conceal(_ count: Int, isLost: Bool) {
    defer { sinceAudio = sinceAudio > .max - count ? .max : sinceAudio + count }
    let limit = format.sampleRate * Concealment.milliseconds / 1000
    guard sinceAudio < limit else {
      pending.append(contentsOf: repeatElement(format.silence, count: count * format.bytesPerSample))
      return
    }
    if case .opus(let decoder)? = decoder {
      if isLost, let next = jitter?.following {
        jitter?.withPayload(of: next) { decoder.conceal(count, following: $0, into: &pending) }
      } else {
        decoder.conceal(count, following: nil, into: &pending)
      }
      return
    }
    var samples: [UInt8] = []
    let linear = AudioFormat.linear16(format.sampleRate)
    if concealment == nil {
      var history: [UInt8] = []
      var converter = AudioConverter(from: format, to: linear)
      frame.withUnsafeBytes { converter?.convert($0, into: &history) }
      concealment = history.withUnsafeBytes { bytes in
        withSamples(bytes) { Concealment(after: $0, sampleRate: format.sampleRate) }
      }
    }
    concealment?.fill(count, into: &samples)
    var converter = AudioConverter(from: linear, to: format)
    samples.withUnsafeBytes { converter?.convert($0, into: &pending) }
  }
}

/// Listens for key tones in a stream.
private struct Ears {
  private var converter: AudioConverter?
  private let detector = KeyToneDetector()
  private var samples: [UInt8] = []

  init(_ format: AudioFormat) { converter = AudioConverter(from: format, to: .linear16(8000)) }

  mutating func keys(in frame: UnsafeRawBufferPointer) -> [Character] {
    samples.removeAll(keepingCapacity: true)
    converter?.convert(frame, into: &samples)
    return samples.withUnsafeBytes { bytes in withSamples(bytes) { detector?.keys(in: $0) ?? [] } }
  }
}
