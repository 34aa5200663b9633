/// What happens to one call's media over a provider's socket: at each tick, and when a message comes. Lives on one loop.
///
/// The caller's frames are passed on as they come, without a buffer: TCP keeps their order, and waiting would only add
/// delay. Where none comes, silence keeps the beat.
final class SocketMediaSession: Ticking, @unchecked Sendable {  // touched on its loop alone
  /// Every so many ticks: time-outs and figures.
  private static let housekeeping = 50
  /// After such a gap, silence takes the place of frames, µs. Longer than TCP waits before it sends a lost segment again
  /// (RFC 6298: 200 ms here): what comes late comes all the same, and with silence in its place it would come twice as long.
  private static let gap = 300_000
  /// Frames that are sent in one tick at most, to get ahead.
  private static let burst = 16

  var place: (phase: Int, index: Int)?
  private let settings: SocketMedia.Settings
  private let mailbox: Lock<MediaMailbox>
  private var events: @Sendable (LegEvent) -> Void
  private var socket: MediaSocket?
  private var start = MediaSocketStart()
  private var isTicking = false
  private var isClosed = false

  private var listener: MediaMailbox.Listener?
  private var heard = HeardFrame()
  private var order = FrameOrder()
  private var pending: [UInt8] = []
  private var lastArrival = 0
  private var lastHeard = 0
  private var isLost = false
  private var reception = SocketReception()

  private var tones = TonePlayer()
  private var press: MediaMailbox.Press?
  private var frame: [UInt8] = []
  private var playback: [PlayoutQueue.Event] = []
  private var sentFrames = 0
  private var ticks = 0

  init(
    _ settings: SocketMedia.Settings, _ mailbox: Lock<MediaMailbox>,
    _ events: @escaping @Sendable (LegEvent) -> Void
  ) {
    self.settings = settings
    self.mailbox = mailbox
    self.events = events
  }

  func attach(_ socket: MediaSocket, _ start: MediaSocketStart, _ clock: MediaClock) {
    guard !isClosed else { return }
    self.socket = socket
    self.start = start
    frame = Array(repeating: 0, count: start.speaks.frameBytes)
    pending = []
    order = FrameOrder()
    lastArrival = clock.now
    lastHeard = clock.now
    isLost = false
    let over = mailbox.withLock { mailbox in
      mailbox.wireFormat = start.speaks
      mailbox.playout.convert(to: start.speaks)
      mailbox.mustClear = false
      return mailbox.remote.restart()
    }
    tell(over)
    if !isTicking {
      isTicking = true
      clock.add(self)
    }
  }

  func detach() { socket = nil }

  func close(_ clock: MediaClock) {
    guard !isClosed else { return }
    isClosed = true
    if isTicking { clock.remove(self) }
    publish()
    mailbox.conclude()
    socket = nil
    // Both may hold what holds us.
    listener = nil
    events = { _ in }
    press?.done.resolve(())
    press = nil
    let waiting = mailbox.withLock { mailbox in
      defer { mailbox.presses.removeAll() }
      mailbox.listener = nil
      return mailbox.presses
    }
    for press in waiting { press.done.resolve(()) }
  }

  func skip(_ ticks: Int) {}

  /// What comes, comes as messages, see ``receive(_:_:_:)``.
  func read(_ clock: MediaClock) {}

  func tick(at now: Int, _ clock: MediaClock) {
    takeListener()
    fillGap(now)
    say(now)
    ticks += 1
    if ticks % SocketMediaSession.housekeeping == 0 { keepHouse(now) }
  }

  private func keepHouse(_ now: Int) {
    publish()
    guard let timeout = settings.timeout, socket != nil, !isLost else { return }
    if Duration.microseconds(now - lastArrival) >= timeout {
      isLost = true
      events(.mediaLost)
    }
  }

  private func publish() {
    var figures = reception.figures(lost: order.lost, delay: settings.networkDelay)
    figures.codec = start.codec
    figures.packetsSent = sentFrames
    mailbox.withLock { $0.statistics = figures }
  }
}

// MARK: Hearing

extension SocketMediaSession {
  private func takeListener() {
    guard let new = mailbox.withLock({ mailbox in mailbox.listener.take() }) else { return }
    listener = new
  }

  /// The caller's sound, in pieces of any length.
  func receive(_ bytes: UnsafeRawBufferPointer, _ number: Int?, _ now: Int) {
    guard !isClosed else { return }
    lastArrival = now
    isLost = false
    reception.arrived(
      now, milliseconds: bytes.count / start.hears.bytesPerSample * 1000 / start.hears.sampleRate)
    guard let number else { return hear(bytes, now) }
    order.take(bytes, number: number) { hear($0, now) }
  }

  private func hear(_ bytes: UnsafeRawBufferPointer, _ now: Int) {
    let wanted = start.hears.frameBytes
    if pending.isEmpty, bytes.count == wanted { return give(bytes, now) }
    pending.append(contentsOf: bytes)
    var taken = 0
    while pending.count - taken >= wanted {
      pending.withUnsafeBytes { give(UnsafeRawBufferPointer(rebasing: $0[taken..<taken + wanted]), now) }
      taken += wanted
    }
    pending.removeFirst(taken)
  }

  private func give(_ bytes: UnsafeRawBufferPointer, _ now: Int) {
    lastHeard = now
    if let listener { heard.give(bytes, start.hears, to: listener) }
  }

  private func fillGap(_ now: Int) {
    guard now - lastHeard >= SocketMediaSession.gap, let listener else { return }
    lastHeard += MediaClock.tick
    // What the provider owes comes late, or never: both are a gap in the caller's voice.
    if socket != nil { reception.gaps += 1 }
    let silence = [UInt8](repeating: start.hears.silence, count: start.hears.frameBytes)
    silence.withUnsafeBytes { heard.give($0, start.hears, to: listener) }
  }
}

// MARK: Speaking

extension SocketMediaSession {
  /// Tells the provider to drop what it holds, when somebody wanted it.
  func clearIfDue() {
    let isDue = mailbox.withLock { mailbox in
      defer { mailbox.mustClear = false }
      return mailbox.mustClear
    }
    if isDue { socket?.clear() }
  }

  func marked(_ name: String, _ now: Int) {
    tell(mailbox.withLock { $0.remote.echoed(name, at: now) })
  }

  private func tell(_ over: [TurnID]) {
    for turn in over { events(.playbackEnded(turn)) }
  }

  private func say(_ now: Int) {
    guard let socket else { return }
    clearIfDue()
    takePress()
    for _ in 0..<SocketMediaSession.burst where sayFrame(socket, now) == false { break }
    tell(mailbox.withLock { $0.remote.overdue(at: now) })
    if press != nil, !tones.isPlaying {
      press?.done.resolve(())
      press = nil
    }
  }

  private func takePress() {
    guard press == nil else { return }
    press = mailbox.withLock { $0.presses.isEmpty ? nil : $0.presses.removeFirst() }
    if let press { tones.play(press.digits, as: start.speaks) }
  }

  /// Sends the next frame with the marks that belong to it; `false` when there is none, or enough is under way.
  private func sayFrame(_ socket: MediaSocket, _ now: Int) -> Bool {
    var marks: [String] = []
    var started: [TurnID] = []
    let isTone = tones.isPlaying
    let hasSound = mailbox.withLock { mailbox -> Bool in
      guard mailbox.remote.level(at: now) < settings.lead else { return false }
      var hasSound = isTone
      if !isTone {
        hasSound = frame.withUnsafeMutableBytes { mailbox.playout.pull(into: $0, events: &playback) }
      }
      for case .started(let turn) in playback {
        mailbox.remote.begin(turn)
        started.append(turn)
      }
      if hasSound, let mark = mailbox.remote.send(20, at: now) { marks.append(mark) }
      for case .ended(let turn) in playback { marks.append(mailbox.remote.finish(turn, at: now)) }
      playback.removeAll(keepingCapacity: true)
      return hasSound
    }
    for turn in started { events(.playbackStarted(turn)) }
    if hasSound {
      if isTone {
        frame.withUnsafeMutableBytes {
          _ = $0.initializeMemory(as: UInt8.self, repeating: start.speaks.silence)
          tones.fill($0)
        }
      }
      frame.withUnsafeBytes { socket.send($0) }
      sentFrames += 1
    }
    for mark in marks where !socket.mark(mark) { mailbox.withLock { $0.remote.hasMarks = false } }
    return hasSound
  }
}

/// How the caller's frames arrived: what RTCP would say of RTP.
private struct SocketReception {
  /// Frames of silence that took the place of late or missing ones.
  var gaps = 0
  private var received = 0
  private var soundTime = 0
  private var lastTransit: Int?
  private var jitter = 0.0

  /// A piece of sound came, at a time in µs.
  mutating func arrived(_ now: Int, milliseconds: Int) {
    received += 1
    soundTime += milliseconds
    let transit = now / 1000 - soundTime
    // RFC 3550 section 6.4.1
    if let lastTransit { jitter += (Double(abs(transit - lastTransit)) - jitter) / 16 }
    lastTransit = transit
  }

  func figures(lost: Int, delay: Int) -> AudioStatistics {
    var figures = AudioStatistics()
    figures.packetsReceived = received
    figures.packetsLost = lost
    figures.packetsLate = gaps
    figures.jitter = jitter
    let all = Double(max(1, received + lost))
    figures.lossFraction = Double(lost) / all
    let missed = Double(lost + gaps) / Double(max(1, received + lost + gaps))
    figures.mos = received == 0 ? 0 : CallQuality.meanOpinionScore(loss: missed, delay: Double(delay))
    return figures
  }
}
