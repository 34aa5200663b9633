/// One call that a provider announced by webhook and whose sound comes over its media socket.
///
/// What is told to the provider, and how, is its ``CallControl``'s business; what it all means is
/// ``WebhookCallMachine``'s. The leg lives on a media loop, as its sound does.
public actor WebhookLeg: CallLeg {
  /// What all calls of a channel share.
  public struct Settings: Sendable, Hashable {
    /// How long the provider may take to connect its media socket.
    public var socketSeconds = 15
    /// How much longer than its own time limit a transfer may take to be told.
    public var transferGraceSeconds = 5
    public var media = SocketMedia.Settings()
    /// Longer messages close the socket.
    public var messageBytes = 64 << 10
    /// Sound that a provider does not take in time; beyond, its socket is given up.
    public var queuedBytes = 256 << 10

    public init() {}
  }

  public nonisolated let call: InboundCall
  public nonisolated let executor: any SerialExecutor
  public nonisolated let expectedFormat: AudioFormat
  public nonisolated var events: AsyncStream<LegEvent> { report.stream }
  public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  /// What the plugin gave for this call.
  public nonisolated let control: any CallControl
  nonisolated let loop: EventLoop
  nonisolated let settings: Settings
  private nonisolated let report = LegEvents()
  private nonisolated let digits = Lock(DigitFilter())
  private let log: Log
  private let media: SocketMedia
  private let codec: @Sendable () -> any MediaSocketCodec
  private let invite: @Sendable () -> MediaSocketInvitation
  private var released: (@Sendable () -> Void)?

  private var machine = WebhookCallMachine()
  private var socket: MediaSocket?
  private var answered: OneShot<Result<Void, LegError>>?
  private var transferred: OneShot<TransferOutcome>?
  private var waiting: Task<Void, Never>?
  /// What the provider is being told last: rejections and hang-ups are waited for.
  private var telling: Task<Void, Never>?

  /// What a leg is made of.
  struct Parts: Sendable {
    var call: InboundCall
    var control: any CallControl
    var codec: @Sendable () -> any MediaSocketCodec
    /// A new address for a media socket of this call.
    var invite: @Sendable () -> MediaSocketInvitation
    var format: AudioFormat
    var settings: Settings
    var log: Log
    /// The call is over, and nothing finds it any more.
    var released: @Sendable () -> Void
  }

  init(_ parts: Parts, on loop: EventLoop) {
    call = parts.call
    control = parts.control
    codec = parts.codec
    invite = parts.invite
    expectedFormat = parts.format
    settings = parts.settings
    log = parts.log
    released = parts.released
    self.loop = loop
    executor = loop
    media = SocketMedia(
      parts.format, parts.settings.media, on: loop, pressKeys: { [control] in await control.sendDigits($0) },
      events: { [report] in report.yield($0) })
  }

  // MARK: What the engine wants

  public func ring() async {
    guard machine.state == .ringing else { return }
    await control.ring()
  }

  public func answer(_ options: AnswerOptions) async throws -> any CallMedia {
    guard machine.state == .ringing else { throw LegError(endSoFar) }
    let outcome = OneShot<Result<Void, LegError>>()
    answered = outcome
    handle(.answer)
    try await outcome.value(cancelled: .failure(LegError(CallEnd(.cancelled)))).get()
    return media
  }

  public func reject(_ end: CallEnd, headers: [Header]) async {
    handle(.reject(end))
    await telling?.value
  }

  public func hangUp(_ end: CallEnd) async {
    handle(.hangUp(end))
    await telling?.value
  }

  public func transfer(_ request: TransferRequest) async -> TransferOutcome {
    let outcome = OneShot<TransferOutcome>()
    if machine.state == .up { transferred = outcome }
    for action in machine.handle(.transfer) {
      if case .tellTransfer(let refusal) = action { return refusal }
    }
    log.info("transfer", ("to", request.target))
    let asking = Task { [control] in handle(.transferEnded(await control.transfer(request, invite()))) }
    let limit = Duration.seconds(max(0, request.timeout) + settings.transferGraceSeconds)
    let deadline = Task {
      // Cancelled when the outcome is known: then there is no deadline.
      guard (try? await Task.sleep(for: limit)) != nil else { return }
      handle(.transferEnded(.timedOut))
    }
    let result = await outcome.value(cancelled: .callerHungUp)
    deadline.cancel()
    asking.cancel()
    log.info("transfer over", ("outcome", "\(result)"))
    return result
  }

  private var endSoFar: CallEnd {
    if case .over(let end) = machine.state {
      end
    } else {
      CallEnd(.failed, text: "the call was answered already")
    }
  }

  // MARK: What the provider says by webhook

  /// The call is over on the provider's side; before the answer, the caller gave up.
  public func ended(_ end: CallEnd) { handle(.ended(end)) }

  /// The provider will not connect the call after all. Returns whether it was waited for.
  @discardableResult public func refused(_ end: CallEnd) -> Bool {
    guard machine.state == .connecting else { return false }
    handle(.refused(end))
    return true
  }

  /// Whether a media socket is there now.
  public var hasMedia: Bool { socket != nil }

  /// A key that came beside the media socket; the same press on both counts once.
  /// - Parameter isCounted: Whether the plugin has told presses apart already, on both ways: then each is one.
  public nonisolated func pressed(_ digit: Character, isCounted: Bool = false) {
    let method: DigitFilter.Method = isCounted ? .event : .info
    if digits.withLock({ $0.accepts(digit, by: method, at: .now) }) { report.yield(.digit(digit)) }
  }

  /// The engine is done with the call: whatever is left of it goes.
  func close() async { await hangUp(CallEnd(.failed, text: "nobody took care of the call any more")) }

  // MARK: The media socket

  /// Takes a media socket that came to this call's address; called on the leg's loop, by its WebSocket's start.
  func connect(_ webSocket: WebSocket) {
    if let socket { socket.close(1008) }  // the newer one is the one that the provider still knows
    let socket = MediaSocket(webSocket, codec(), on: loop)
    if case .over = machine.state {
      socket.start { _ in }
      return socket.close()
    }
    self.socket = socket
    socket.start { [weak self, weak socket] event in
      guard let self, let socket else { return }
      nonisolated(unsafe) let event = event  // this is the leg's loop already
      self.assumeIsolated { $0.receive(event, from: socket) }
    }
  }

  private func receive(_ event: MediaSocket.Event, from socket: MediaSocket) {
    guard socket === self.socket else { return }
    switch event {
    case .started(let start):
      guard start.callID == nil || start.callID == call.foreignID else {
        log.warning("a media socket of another call came to this one's address")
        return socket.close(1008)
      }
      media.attach(socket, start)
      handle(.socketStarted)
    case .audio(let bytes, let number): media.receive(bytes, number: number)
    case .mark(let name): media.marked(name)
    case .digit(let digit):
      if digits.withLock({ $0.accepts(digit, by: .event, at: .now) }) { report.yield(.digit(digit)) }
    case .ended(let how):
      log.debug("media socket closed", ("why", how.why), ("malformed", "\(socket.malformed)"))
      self.socket = nil
      media.detach()
      handle(.socketEnded(how))
    }
  }

  // MARK: Obeying

  private func handle(_ event: WebhookCallMachine.Event) {
    for action in machine.handle(event) { perform(action) }
  }

  private func perform(_ action: WebhookCallMachine.Action) {
    switch action {
    case .askAnswer:
      let invitation = invite()
      Task { [control] in
        do { try await control.answer(invitation) } catch {
          let end = (error as? LegError)?.end ?? CallEnd(.failed, text: "the provider could not be asked")
          handle(.refused(end))
        }
      }
    case .askReject(let end): telling = Task { [control] in await control.reject(end) }
    case .askHangUp(let end): telling = Task { [control] in await control.hangUp(end) }
    case .waitForSocket:
      waiting?.cancel()
      waiting = Task { [weak self, limit = settings.socketSeconds] in
        // Cancelled when the socket is there: then there is no deadline.
        guard (try? await Task.sleep(for: .seconds(limit))) != nil else { return }
        await self?.handle(.deadline)
      }
    case .stopWaiting: waiting?.cancel()
    case .answered: answered?.resolve(.success(()))
    case .notAnswered(let end): answered?.resolve(.failure(LegError(end)))
    case .tell(let event): report.yield(event)
    case .closeSocket:
      socket?.close()
      if case .over = machine.state { socket = nil }
    case .tellTransfer(let outcome): transferred?.resolve(outcome)
    case .finish:
      media.close()
      report.finish()
      released?()
      released = nil
    }
  }
}
