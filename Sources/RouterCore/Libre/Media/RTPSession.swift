internal import CLibreShim

/// What happens to one call's media at each tick: read, hear, say, send. Lives on one loop, and is made and freed with
/// its ``RTPMedia``.
final class RTPSession: @unchecked Sendable {  // touched on its loop alone
  /// Every so many ticks: reports, RTCP, timeouts, figures.
  private static let housekeeping = 50

  private let settings: MediaSettings
  private let mailbox: Lock<MediaMailbox>
  private var events: @Sendable (LegEvent) -> Void
  private var sockets: MediaSockets?

  private var parameters: MediaParameters?
  private var latch: RemoteLatch
  private var receiver: RTPReceiver
  private var sender = RTPSender()
  private var rtcp = RTCPSession()
  private var remoteRTCP: PacketAddress?
  private var encryption: SecureRTP?
  private var decryption: SecureRTP?

  private var listener: MediaMailbox.Listener?
  private var converter: AudioConverter?
  private var heard: AudioFrame?
  private var playbackEvents: [PlayoutQueue.Event] = []
  private var press: MediaMailbox.Press?
  private var ticks = 0
  private var ticksSilent = 0
  private var isLost = false

  init(
    _ sockets: MediaSockets, _ settings: MediaSettings, _ mailbox: Lock<MediaMailbox>,
    _ events: @escaping @Sendable (LegEvent) -> Void
  ) {
    self.sockets = sockets
    self.settings = settings
    self.mailbox = mailbox
    self.events = events
    latch = RemoteLatch(settings.symmetric)
    receiver = RTPReceiver(limits: settings.jitterBuffer)
  }

  private var isHeld: Bool { parameters?.isHeld ?? true }

  /// Takes what was agreed, first or anew.
  func apply(_ new: MediaParameters, _ clock: MediaClock) {
    guard sockets != nil else { return }
    let old = parameters
    parameters = new
    latch.signal(new.remote.flatMap(PacketAddress.init))
    remoteRTCP = new.remoteRTCP.flatMap(PacketAddress.init)
    // A key that stays keeps its rollover counter (RFC 3711 section 3.2.1).
    if encryption?.key != new.sendKey { encryption = new.sendKey.flatMap(SecureRTP.init) }
    if decryption?.key != new.receiveKey { decryption = new.receiveKey.flatMap(SecureRTP.init) }
    receiver.apply(new, listensForTones: settings.inbandDigits)
    sender.apply(new)
    mailbox.withLock { $0.playout.convert(to: new.codec.wireFormat) }
    ticksSilent = 0
    isLost = false
    if (old?.isHeld ?? false) != new.isHeld { events(.held(new.isHeld)) }
    if old == nil { clock.add(self) }
  }

  /// Ends it. Nothing happens afterwards.
  func close(_ clock: MediaClock) {
    guard sockets != nil else { return }
    if parameters != nil {
      sendReport(at: Int(shim_now()), clock, isBye: true)
      clock.remove(self)
      publish()
    }
    sockets = nil
    // Both may hold what holds us.
    listener = nil
    events = { _ in }
    press?.done.resolve(())
    press = nil
    for waiting in mailbox.withLock({ mailbox in
      defer { mailbox.presses.removeAll() }
      return mailbox.presses
    }) { waiting.done.resolve(()) }
  }

  /// Time that nobody will make up for.
  func skip(_ ticks: Int) { sender.skip(ticks) }

  /// 20 ms.
  func tick(at now: Int, _ clock: MediaClock) {
    guard let sockets else { return }
    read(sockets, clock)
    let isHeld = isHeld
    for key in receiver.tick(at: now, isMuted: isHeld) { events(.digit(key)) }
    hear()
    say(now, sockets, clock, isHeld)
    ticks += 1
    if ticks % RTPSession.housekeeping == 0 { keepHouse(now, sockets, clock) }
  }
}

// MARK: Receiving

extension RTPSession {
  private func read(_ sockets: MediaSockets, _ clock: MediaClock) {
    let count = Int(shim_media_receive(sockets.rtp, clock.batch))
    latch.countSilence()
    ticksSilent += 1
    guard count > 0 else { return }
    for datagram in UnsafeBufferPointer(start: shim_batch_datagrams(clock.batch), count: count) {
      let bytes = UnsafeMutableRawBufferPointer(start: datagram.data, count: Int(datagram.length))
      take(bytes, from: PacketAddress(datagram.from), arrival: Int(datagram.arrival))
    }
  }

  private func take(_ bytes: UnsafeMutableRawBufferPointer, from address: PacketAddress, arrival: Int) {
    guard latch.mayBe(from: address) else { return }
    if RTPHeader.isRTCP(UnsafeRawBufferPointer(bytes)) {
      if parameters?.rtcpMux == true { takeControl(bytes, from: address, arrival: arrival) }
      return
    }
    var length = bytes.count
    if let decryption {
      guard let plain = decryption.unprotect(bytes) else { return }
      length = plain
    } else if parameters?.isEncrypted == true {
      return  // without its key, nothing is believed
    }
    let packet = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[..<length])
    guard let (header, range) = RTPHeader.read(packet),
      address == latch.source || receiver.knows(header.payloadType),
      latch.accepts(header, from: address, isAuthentic: decryption != nil)
    else { return }
    showLife()
    let payload = UnsafeRawBufferPointer(rebasing: packet[range])
    if let key = receiver.receive(header, payload, arrival: arrival) { events(.digit(key)) }
  }

  private func showLife() {
    ticksSilent = 0
    isLost = false
  }

  private func takeControl(_ bytes: UnsafeMutableRawBufferPointer, from address: PacketAddress, arrival: Int)
  {
    var length = bytes.count
    if let decryption {
      guard let plain = decryption.unprotectControl(bytes) else { return }
      length = plain
    } else if parameters?.isEncrypted == true {
      return
    }
    guard let content = RTCPPacket.read(UnsafeRawBufferPointer(rebasing: bytes[..<length])) else { return }
    showLife()
    let age = UInt64(max(0, Int(shim_now()) - arrival)) << 32 / 1_000_000
    rtcp.receive(content, ssrc: sender.ssrc, arrival: arrival, ntp: shim_ntp_now() &- age)
    if parameters?.rtcpMux == false { remoteRTCP = address }
  }

  /// Gives the frame of this tick to whoever listens.
  private func hear() {
    guard let listener else { return }
    if heard?.format != listener.format { heard = AudioFrame(listener.format, bytes: []) }
    receiver.withFrame { format, bytes in
      if format == listener.format {
        // In place when nobody kept the last frame, else in new storage.
        if heard?.bytes.count == bytes.count {
          heard?.bytes.withUnsafeMutableBytes { $0.copyMemory(from: bytes) }
        } else {
          heard?.bytes = Array(bytes)
        }
        return
      }
      if converter?.from != format || converter?.to != listener.format {
        converter = AudioConverter(from: format, to: listener.format)
      }
      heard?.bytes.removeAll(keepingCapacity: true)
      guard var frame = heard.take() else { return }
      converter?.convert(bytes, into: &frame.bytes)
      heard = frame
    }
    if let heard { listener.sink(heard) }
  }
}

// MARK: Sending

extension RTPSession {
  private func say(_ now: Int, _ sockets: MediaSockets, _ clock: MediaClock, _ isHeld: Bool) {
    let target = isHeld ? nil : latch.target
    // The frame lies behind the room for the packet, in the clock's memory: nothing is allocated.
    let frame = UnsafeMutableRawBufferPointer(
      rebasing: clock.packet[2048..<2048 + sender.codec.wireFormat.frameBytes])
    let wantsPress = target != nil && press == nil
    mailbox.withLock { mailbox in
      if let new = mailbox.listener {
        listener = new
        mailbox.listener = nil
      }
      if wantsPress, !mailbox.presses.isEmpty { press = mailbox.presses.removeFirst() }
      if target != nil { _ = mailbox.playout.pull(into: frame, events: &playbackEvents) }
    }
    guard let target else { return sender.skip() }
    tellPlayback()
    if wantsPress, let press { sender.press(press.digits) }
    let packet = UnsafeMutableRawBufferPointer(rebasing: clock.packet[..<2048])
    sender.tick(frame, packet: packet) { length in
      send(packet, length, to: target, sockets)
    }
    if press != nil, !sender.isPressing {
      press?.done.resolve(())
      press = nil
    }
  }

  private func tellPlayback() {
    if playbackEvents.isEmpty { return }
    for event in playbackEvents {
      switch event {
      case .started(let turn): events(.playbackStarted(turn))
      case .ended(let turn): events(.playbackEnded(turn))
      }
    }
    playbackEvents.removeAll(keepingCapacity: true)
  }

  private func send(
    _ packet: UnsafeMutableRawBufferPointer, _ length: Int, to target: PacketAddress, _ sockets: MediaSockets
  ) {
    var length = length
    if let encryption {
      guard let grown = encryption.protect(packet, length: length) else { return }
      length = grown
    } else if parameters?.isEncrypted == true {
      return
    }
    var address = target.shim
    // A packet that cannot be sent is a packet lost; the network says the same every day.
    _ = shim_media_send(sockets.rtp, sockets.isIPv6, &address, packet.baseAddress, length)
  }
}

// MARK: Once a second

extension RTPSession {
  private func keepHouse(_ now: Int, _ sockets: MediaSockets, _ clock: MediaClock) {
    let count = Int(shim_media_receive(sockets.rtcp, clock.batch))
    for datagram in UnsafeBufferPointer(start: shim_batch_datagrams(clock.batch), count: count) {
      let address = PacketAddress(datagram.from)
      guard remoteRTCP?.isSameHost(as: address) ?? false || latch.source?.isSameHost(as: address) ?? false
      else {
        continue
      }
      let bytes = UnsafeMutableRawBufferPointer(start: datagram.data, count: Int(datagram.length))
      takeControl(bytes, from: address, arrival: Int(datagram.arrival))
    }
    if rtcp.isDue(at: now) { sendReport(at: now, clock) }
    watchSilence()
    publish()
  }

  private func sendReport(at now: Int, _ clock: MediaClock, isBye: Bool = false) {
    guard let sockets, let parameters, let target = parameters.rtcpMux ? latch.target : controlTarget else {
      return
    }
    let report = rtcp.report(sender, &receiver.statistics, at: now, ntp: shim_ntp_now(), isBye: isBye)
    clock.packet.copyBytes(from: report)
    var length = report.count
    if let encryption {
      let room = UnsafeMutableRawBufferPointer(rebasing: clock.packet[..<2048])
      guard let grown = encryption.protectControl(room, length: length) else { return }
      length = grown
    } else if parameters.isEncrypted {
      return
    }
    var address = target.shim
    let socket = parameters.rtcpMux ? sockets.rtp : sockets.rtcp
    _ = shim_media_send(socket, sockets.isIPv6, &address, clock.packet.baseAddress, length)
  }

  /// Where RTCP goes: where it came from or the SDP says, unless RTP turned out to come from another host.
  private var controlTarget: PacketAddress? {
    guard let target = latch.target else { return nil }
    if let remoteRTCP, remoteRTCP.isSameHost(as: target) { return remoteRTCP }
    return target.port == .max ? nil : target.with(port: target.port + 1)
  }

  private func watchSilence() {
    guard let timeout = settings.timeout, !isLost, let parameters, !parameters.isHeld,
      parameters.direction.receives
    else { return }
    if Duration.microseconds(ticksSilent * MediaClock.tick) >= timeout {
      isLost = true
      events(.mediaLost)
    }
  }

  private func publish() {
    var figures = AudioStatistics()
    let reception = receiver.statistics
    figures.codec = parameters?.codec.name ?? ""
    figures.packetsReceived = reception.totalReceived
    figures.packetsSent = Int(sender.packets)
    figures.packetsLost = reception.totalLost
    figures.packetsLate = receiver.late
    figures.lossFraction = reception.lossFraction
    figures.jitter = reception.jitter
    figures.roundTrip = rtcp.roundTrip
    figures.remoteLossFraction = rtcp.remoteLost.map { min(1, Double($0) / Double(max(1, sender.packets))) }
    let all = Double(max(1, reception.totalReceived + reception.totalLost))
    let missed = Double(reception.totalLost + receiver.late) / all
    // Half the round trip, the jitter buffer, and a packet being filled and another one being played.
    let delay = (rtcp.roundTrip ?? 0) / 2 + receiver.bufferDelay + 40
    figures.mos = reception.totalReceived == 0 ? 0 : CallQuality.meanOpinionScore(loss: missed, delay: delay)
    mailbox.withLock { $0.statistics = figures }
  }
}
