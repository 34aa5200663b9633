/// What a call's media shares between the media loop and everybody else. Behind one lock that is held for a copy of a
/// frame, never for a system call or somebody's code.
struct MediaMailbox {
  /// Who hears the caller.
  struct Listener: Sendable {
    var format: AudioFormat
    var sink: @Sendable (AudioFrame) -> Void
  }

  /// Keys to be pressed, and who waits for it.
  struct Press: Sendable {
    var digits: String
    var done: OneShot<Void>
  }

  /// Orders of digits that may wait at once.
  static let maximumPresses = 16

  var playout = PlayoutQueue(format: .muLaw)
  /// What a provider holds of it, for media that is no RTP.
  var remote = RemotePlayout()
  /// The provider has to drop what it holds, before anything new goes out.
  var mustClear = false
  /// A new listener, until the loop has taken it.
  var listener: Listener?
  var presses: [Press] = []
  /// What the next frames on the wire will be; ahead of ``playout``'s format until the loop has changed the codec.
  var wireFormat = AudioFormat.muLaw
  var statistics = AudioStatistics()
  var isClosed = false
  /// Its loop has seen that, too: nothing is counted any more.
  var isConcluded = false
  /// Who waits for it.
  var waiting: [OneShot<Void>] = []
}

extension Lock<MediaMailbox> {
  /// The loop has nothing more to count.
  func conclude() {
    let waiting = withLock { mailbox in
      mailbox.isConcluded = true
      defer { mailbox.waiting = [] }
      return mailbox.waiting
    }
    for waiter in waiting { waiter.resolve(()) }
  }

  func concluded() async {
    let waiter: OneShot<Void>? = withLock { mailbox in
      guard !mailbox.isConcluded else { return nil }
      let waiter = OneShot<Void>()
      mailbox.waiting.append(waiter)
      return waiter
    }
    await waiter?.value(cancelled: ())
  }
}
