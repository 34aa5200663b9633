internal import RouterCore

/// One call of the channel: the engine's wishes become SIP, what SIP reports becomes events.
///
/// It lives on the signalling loop, and so does the engine's side of the call; its audio lives on a media loop, and is
/// opened only when the call is answered.
actor SIPLeg: InlineLeg {
  nonisolated var events: AsyncStream<LegEvent> { reports.stream }
  nonisolated var executor: any SerialExecutor { signalling }
  nonisolated var mediaExecutor: any SerialExecutor { mediaLoop }
  nonisolated var unownedExecutor: UnownedSerialExecutor { signalling.asUnownedSerialExecutor() }

  enum State {
    case ringing
    /// 200 was sent; ACK is to come.
    case answering
    case up
    case ended(CallEnd)
  }

  nonisolated let expectedFormat: AudioFormat

  let call: SIPServerCall
  let log: Log
  var state = State.ringing
  var negotiation: SDPNegotiation
  var media: RTPMedia?
  /// We made an offer in a 200; ACK brings the answer.
  var awaitsAnswer = false
  /// Waits for ACK to our first 200, or the call's end.
  private var answered: (@Sendable (Result<any CallMedia, LegError>) -> Void)?
  var transfer: (machine: TransferMachine, outcome: OneShot<TransferOutcome>)?
  /// The domain in which extensions live for the caller's side.
  let domain: String

  private let plan: SessionPlan
  private nonisolated let mediaLoop: EventLoop
  private nonisolated let signalling: EventLoop
  private nonisolated let reports = LegEvents()
  /// Keys arrive on two loops: RTP's on the media loop, INFO's here.
  private let digits = Lock(DigitFilter())
  private var released: (@Sendable () -> Void)?

  init(
    _ invitation: SIPInvitation, _ plan: SessionPlan, mediaLoop: EventLoop, signalling: EventLoop, log: Log,
    released: @escaping @Sendable () -> Void
  ) {
    call = invitation.call
    self.plan = plan
    expectedFormat = plan.expectedFormat
    negotiation = plan.negotiation
    self.mediaLoop = mediaLoop
    self.signalling = signalling
    self.log = log
    self.released = released
    let request = invitation.request
    domain = peerDomain(
      remote: request.from?.uri, contact: request.contact?.uri, source: request.arrival.source)
  }

  // MARK: What the engine wants

  nonisolated func report(to sink: @escaping @Sendable (LegEvent?) -> Void) { reports.deliver(to: sink) }

  nonisolated func ringInline() { assumeIsolated { $0.ringNow() } }

  nonisolated func answerInline(
    _ options: AnswerOptions, _ done: @escaping @Sendable (Result<any CallMedia, LegError>) -> Void
  ) { assumeIsolated { $0.answerNow(options, done) } }

  nonisolated func rejectInline(_ end: CallEnd, headers: [Header]) {
    assumeIsolated { $0.rejectNow(end, headers) }
  }

  nonisolated func hangUpInline(_ end: CallEnd) { assumeIsolated { $0.hangUpNow(end) } }

  // The same for those who wait.

  func ring() async { ringNow() }

  func answer(_ options: AnswerOptions) async throws -> any CallMedia {
    try await withCheckedContinuation { answered in
      answerNow(options) { answered.resume(returning: $0) }
    }.get()
  }

  func reject(_ end: CallEnd, headers: [Header]) async { rejectNow(end, headers) }

  func hangUp(_ end: CallEnd) async { hangUpNow(end) }

  // MARK: How it is done

  private func ringNow() {
    if case .ringing = state { call.ring(now: SIPReply(180)) }
  }

  private func answerNow(
    _ options: AnswerOptions, _ done: @escaping @Sendable (Result<any CallMedia, LegError>) -> Void
  ) {
    guard case .ringing = state else { return done(.failure(LegError(endSoFar))) }
    do throws(MediaError) {
      let port = try openMedia()
      let description = negotiation.complete(port: port) ?? negotiation.offer()
      // Audio runs from here on, because networks open their path only when something comes; the agent may speak once
      // ACK says that somebody is there to hear it. Of an offer of ours, ACK brings the answer.
      if plan.offer == nil { awaitsAnswer = true } else { apply() }
      state = .answering
      answered = done
      return call.accept(now: description.bytes, headers: options.headers)
    } catch {
      log.error("cannot answer", ("why", error.description))
      rejectNow(CallEnd(.failed, text: error.description, sipStatus: 503, retryAfter: 5), [])
    }
    done(.failure(LegError(endSoFar)))
  }

  /// ACK came for our first 200, or the call is over.
  func settleAnswer() {
    guard let answered else { return }
    self.answered = nil
    if case .up = state, let media {
      answered(.success(media))
    } else {
      answered(.failure(LegError(endSoFar)))
    }
  }

  private func rejectNow(_ end: CallEnd, _ headers: [Header]) {
    guard case .ringing = state else { return }
    finish(end)
    call.reject(now: rejection(end, headers: headers))
  }

  func hangUpNow(_ end: CallEnd) {
    switch state {
    case .ended: break
    case .ringing: rejectNow(end, [])
    case .answering, .up:
      finish(end)
      call.hangUp(now: [reason(end)])
    }
  }

  /// The engine is done with the call: whatever is left of it goes.
  func close() { hangUpNow(CallEnd(.failed, text: "nobody took care of the call any more")) }

  // MARK: What SIP reports, in its order

  func handle(_ event: SIPCallEvent) {
    switch event {
    case .offer(let offer): renegotiate(offer)
    case .acknowledged(let sdp): acknowledge(sdp)
    case .info(let request): receive(request)
    case .referred(let referral): referral.reject()  // whom we talk to is for the routes to say
    case .transferProgress(let progress):
      advanceTransfer(
        .reported(.init(status: progress.status, reason: progress.reason, isLast: progress.isFinal)))
    case .ended(let ending):
      let end = callEnd(ending)
      media?.close()  // before the call's record is made: it has the figures of the whole call
      if case .ended = state {} else { reports.yield(ending.cause == .cancelled ? .cancelled : .hungUp(end)) }
      finish(end)
      released?()
      released = nil
    case .progress, .answered: break  // of calls that we place
    }
  }

  // MARK: Inside

  /// The end, or what stands for it while there is none.
  private var endSoFar: CallEnd {
    if case .ended(let end) = state { end } else { CallEnd(.failed, text: "the call was answered already") }
  }

  /// The state's end and that of all that belongs to it, once.
  func finish(_ end: CallEnd) {
    if case .ended = state { return }
    state = .ended(end)
    advanceTransfer(.callerHungUp)
    settleAnswer()
    media?.close()
    reports.finish()
  }

  private func openMedia() throws(MediaError) -> UInt16 {
    let media = try RTPMedia.open(plan.media, on: mediaLoop) { [reports, digits] event in
      if case .digit(let digit) = event {
        guard digits.withLock({ $0.accepts(digit, by: .event, at: .now) }) else { return }
      }
      reports.yield(event)
    }
    self.media = media
    return media.port
  }

  func apply() {
    if let parameters = negotiation.parameters { media?.apply(parameters) }
  }

  private func receive(_ pending: SIPPendingRequest) {
    let request = pending.request
    if let digit = infoDigit(contentType: request.contentType, body: request.body) {
      if case .ended = state {
      } else if digits.withLock({ $0.accepts(digit, by: .info, at: .now) }) {
        reports.yield(.digit(digit))
      }
    }
    pending.respond(infoReply(request))
  }
}
