internal import RouterCore

/// One call of the channel: the engine's wishes become SIP, what SIP reports becomes events.
///
/// It lives on the signalling loop; its audio lives on a media loop, and is opened only when the call is answered.
actor SIPLeg: CallLeg {
  nonisolated let events: AsyncStream<LegEvent>
  /// The media loop.
  nonisolated let executor: any SerialExecutor
  nonisolated var unownedExecutor: UnownedSerialExecutor { signalling.asUnownedSerialExecutor() }

  enum State {
    case ringing
    /// 200 was sent; ACK is to come.
    case answering
    case up
    case ended(CallEnd)
  }

  let call: SIPServerCall
  let log: Log
  var state = State.ringing
  var negotiation: SDPNegotiation
  var media: RTPMedia?
  /// We made an offer in a 200; ACK brings the answer.
  var awaitsAnswer = false
  /// ACK came for our first 200, or the call is over.
  let acknowledged = OneShot<Void>()
  var transfer: (machine: TransferMachine, outcome: OneShot<TransferOutcome>)?
  /// The domain in which extensions live for the caller's side.
  let domain: String

  private let plan: SessionPlan
  private let mediaLoop: EventLoop
  private nonisolated let signalling: EventLoop
  private let report: AsyncStream<LegEvent>.Continuation
  /// Keys arrive on two loops: RTP's on the media loop, INFO's here.
  private let digits = Lock(DigitFilter())
  private var released: (@Sendable () -> Void)?

  /// How many events may wait for the engine; when a peer floods us with keys, the oldest go.
  private static let eventLimit = 256

  init(
    _ invitation: SIPInvitation, _ plan: SessionPlan, mediaLoop: EventLoop, signalling: EventLoop, log: Log,
    released: @escaping @Sendable () -> Void
  ) {
    (events, report) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(SIPLeg.eventLimit))
    call = invitation.call
    self.plan = plan
    negotiation = plan.negotiation
    self.mediaLoop = mediaLoop
    executor = mediaLoop
    self.signalling = signalling
    self.log = log
    self.released = released
    let request = invitation.request
    domain = peerDomain(
      remote: request.from?.uri, contact: request.headers["Contact"].flatMap { SIPAddress($0)?.uri },
      source: request.arrival.source)
  }

  // MARK: What the engine wants

  func ring() async {
    guard case .ringing = state else { return }
    await call.ring()
  }

  func answer(_ options: AnswerOptions) async throws -> any CallMedia {
    guard case .ringing = state else { throw LegError(endSoFar) }
    do {
      let media = try openMedia()
      let description = try plan.offer.map { try negotiation.answer(to: $0) } ?? negotiation.offer()
      // Audio runs from here on, because networks open their path only when something comes; the agent may speak once
      // ACK says that somebody is there to hear it. Of an offer of ours, ACK brings the answer.
      if plan.offer == nil { awaitsAnswer = true } else { apply() }
      state = .answering
      call.accept(now: Array(description.text.utf8), headers: options.headers)
      await acknowledged.value(cancelled: ())
      guard case .up = state else { throw LegError(endSoFar) }
      return media
    } catch let error as SDPError {
      await reject(CallEnd(.noCommonCodec, text: error.description, sipStatus: error.sipStatus), headers: [])
    } catch let error as MediaError {
      log.error("cannot answer", ("why", error.description))
      await reject(CallEnd(.failed, text: error.description, sipStatus: 503, retryAfter: 5), headers: [])
    }
    throw LegError(endSoFar)
  }

  func reject(_ end: CallEnd, headers: [Header]) async {
    guard case .ringing = state else { return }
    finish(end)
    await call.reject(rejection(end, headers: headers))
  }

  func hangUp(_ end: CallEnd) async {
    switch state {
    case .ended: break
    case .ringing: await reject(end, headers: [])
    case .answering, .up:
      finish(end)
      await call.hangUp([reason(end)])
    }
  }

  /// The engine is done with the call: whatever is left of it goes.
  func close() async { await hangUp(CallEnd(.failed, text: "nobody took care of the call any more")) }

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
      if case .ended = state {} else { report.yield(ending.cause == .cancelled ? .cancelled : .hungUp(end)) }
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
    acknowledged.resolve(())
    media?.close()
    report.finish()
  }

  private func openMedia() throws(MediaError) -> RTPMedia {
    let media = try RTPMedia.open(plan.media, on: mediaLoop) { [report, digits] event in
      if case .digit(let digit) = event {
        guard digits.withLock({ $0.accepts(digit, by: .event, at: .now) }) else { return }
      }
      report.yield(event)
    }
    self.media = media
    negotiation.wish.port = media.port
    return media
  }

  func apply() {
    if let parameters = negotiation.parameters { media?.apply(parameters) }
  }

  private func receive(_ pending: SIPPendingRequest) {
    let request = pending.request
    if let digit = infoDigit(contentType: request.contentType, body: request.body) {
      if case .ended = state {
      } else if digits.withLock({ $0.accepts(digit, by: .info, at: .now) }) {
        report.yield(.digit(digit))
      }
    }
    pending.respond(infoReply(request))
  }
}
