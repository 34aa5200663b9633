internal import CLibreShim

/// What happens to one call's media at each tick: read, hear, say, send. Lives on one loop, and is made and freed with
/// its ``RTPMedia``.
final class RTPSession: Ticking, @unchecked Sendable {  // touched on its loop alone
  /// Every so many ticks: reports, RTCP, timeouts, figures.
  private static let housekeeping = 50

  let settings: MediaSettings
  let mailbox: Lock<MediaMailbox>
  private(set) var events: @Sendable (LegEvent) -> Void
  private(set) var sockets: MediaSockets?

  private(set) var parameters: MediaParameters? {
    didSet {
      isHeld = parameters?.isHeld ?? true
      sharesPort = parameters?.rtcpMux ?? false
      isEncrypted = parameters?.isEncrypted ?? false
    }
  }
  // What each packet asks of the parameters: to look inside them takes a copy, with all of their references.
  private var isHeld = true
  private var sharesPort = false
  private(set) var isEncrypted = false
  /// Whether the last tick found one packet, as most ticks do.
  private var isSteady = false
  private(set) var latch: RemoteLatch
  /// Packets of a source that may yet turn out to be the call's: one fewer than ``RemoteLatch/probation``.
  private var candidates: [(packet: [UInt8], arrival: Int)] = []
  var receiver: RTPReceiver
  private(set) var sender = RTPSender()
  var rtcp = RTCPSession()
  var remoteRTCP: PacketAddress?
  private(set) var encryption: SecureRTP?
  private(set) var decryption: SecureRTP?

  private var listener: MediaMailbox.Listener?
  private var heard = HeardFrame()
  private var playbackEvents: [PlayoutQueue.Event] = []
  private var press: MediaMailbox.Press?
  private var ticks = 0
  /// Where the clock has it; the clock's own.
  var place: (phase: Int, index: Int)?
  private(set) var ticksSilent = 0
  var isLost = false

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
      sendReport(at: clock.now, clock, isBye: true)
      clock.remove(self)
      publish()
    }
    mailbox.conclude()
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
  func read(_ clock: MediaClock) {
    guard let sockets else { return }
    let count = Int(shim_media_receive(sockets.rtp, clock.batch, !isSteady || clock.isManual))
    isSteady = count == 1
    latch.countSilence()
    ticksSilent += 1
    guard count > 0 else { return }
    for datagram in UnsafeBufferPointer(start: shim_batch_datagrams(clock.batch), count: count) {
      let bytes = UnsafeMutableRawBufferPointer(start: datagram.data, count: Int(datagram.length))
      take(bytes, from: PacketAddress(datagram.from), clock.arrival(of: datagram), clock)
    }
  }

  private func take(
    _ bytes: UnsafeMutableRawBufferPointer, from address: PacketAddress, _ arrival: Int, _ clock: MediaClock
  ) {
    guard latch.mayBe(from: address) else { return }
    if RTPHeader.isRTCP(UnsafeRawBufferPointer(bytes)) {
      if sharesPort { takeControl(bytes, from: address, arrival, clock) }
      return
    }
    var length = bytes.count
    if let decryption {
      guard let plain = decryption.unprotect(bytes) else { return }
      length = plain
    } else if isEncrypted {
      return  // without its key, nothing is believed
    }
    let packet = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[..<length])
    guard let (header, range) = RTPHeader.read(packet),
      address == latch.source || receiver.knows(header.payloadType)
    else { return }
    switch latch.judge(header, from: address, isAuthentic: decryption != nil) {
    case .stranger: return
    case .candidate(let isFirst):
      if isFirst { candidates.removeAll() }
      return candidates.append((Array(packet), arrival))
    case .ours:
      if !candidates.isEmpty { candidates.removeAll() }
    case .oursAtLast: playCandidates()
    }
    play(header, UnsafeRawBufferPointer(rebasing: packet[range]), arrival)
  }

  private func play(_ header: RTPHeader, _ payload: UnsafeRawBufferPointer, _ arrival: Int) {
    showLife()
    if let key = receiver.receive(header, payload, arrival: arrival) { events(.digit(key)) }
  }

  /// The first packets of a source that is believed now: nothing of what they say is lost.
  private func playCandidates() {
    for (packet, arrival) in candidates {
      packet.withUnsafeBytes { packet in
        guard let (header, range) = RTPHeader.read(packet) else { return }
        play(header, UnsafeRawBufferPointer(rebasing: packet[range]), arrival)
      }
    }
    candidates.removeAll()
  }

  func showLife() {
    ticksSilent = 0
    isLost = false
  }

  /// Gives the frame of this tick to whoever listens.
  private func hear() {
    guard let listener else { return }
    receiver.withFrame { format, bytes in heard.give(bytes, format, to: listener) }
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
      send(packet, length, to: target, sockets, clock)
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
    _ packet: UnsafeMutableRawBufferPointer, _ length: Int, to target: PacketAddress,
    _ sockets: MediaSockets, _ clock: MediaClock
  ) {
    var length = length
    if let encryption {
      guard let grown = encryption.protect(packet, length: length) else { return }
      length = grown
    } else if isEncrypted {
      return
    }
    var address = target.shim
    shim_outbox_add(clock.outbox, sockets.rtp, sockets.isIPv6, &address, packet.baseAddress, length)
  }
}
