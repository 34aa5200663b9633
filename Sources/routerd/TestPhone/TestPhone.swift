internal import Emulators
internal import RouterCore

/// A telephone in the terminal: places one call over real SIP and RTP, follows a script, and says what happens.
///
/// All of it lives on one event loop: SIP events and 20 ms frames come in without a hop.
actor TestPhone {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  let options: PhoneOptions
  let printer: PhonePrinter
  let voice: PhoneVoice
  let outcome = OneShot<SIPCallEnding>()

  // The state of the one call; the extensions in this folder share it.
  var media: RTPMedia?
  var call: SIPClientCall?
  var endpoint: SIPEndpoint?
  /// The call that the other side asked for.
  var referred: PhoneReferral?
  var negotiation: SDPNegotiation?
  var sound: PhoneSound?
  var recorder: StereoRecorder?
  var script: PhoneScript
  var ear = PhoneEar()
  var isAnswered = false
  var isOver = false
  var elapsed = 0
  var gaveUp: PhoneOutcome.GivingUp?
  var speakingSince: Int?
  var follower: TranscriptFollower?
  var stepAfter: (at: Int, action: @Sendable (isolated TestPhone) -> Void)?

  init(_ options: PhoneOptions, on loop: EventLoop, synthesizer: any SpeechSynthesizer) {
    self.options = options
    self.loop = loop
    voice = PhoneVoice(synthesizer, name: options.voice)
    printer = PhonePrinter(isJSON: options.isJSON)
    script = PhoneScript(
      options.steps, patience: options.patience * 1000, greeting: options.greeting * 1000,
      stays: options.stays)
  }

  /// Places the call and returns when it is over. Throws ``ControlFailure`` when it could not even be tried.
  func run(log: Log) async throws -> PhoneOutcome {
    let host = options.proxy?.host ?? options.target.host
    let address = try LocalAddress.toward(host, port: 5060)
    let media = try RTPMedia.open(
      MediaSettings(bindAddress: address, ports: RTPPorts(20000...29999), timeout: .seconds(20)), on: loop
    ) { event in
      self.assumeIsolated { $0.media(event) }
    }
    self.media = media
    var settings = SIPSettings(listeners: [.init(options.transport, address: address, port: 0)])
    settings.product = "routerd-phone"
    settings.verifiesServers = options.verifiesServers
    let endpoint = SIPEndpoint(loop: loop, settings: settings, log: log)
    self.endpoint = endpoint
    try await endpoint.listen(SIPHandlers { _ in .refuse(SIPReply(486)) })
    var negotiation = SDPNegotiation(
      .init(
        addresses: [address], port: media.port, codecs: options.codecs, encryption: options.encryption))
    let offer = options.isLateOffer ? nil : negotiation.offer().bytes
    self.negotiation = negotiation
    let from =
      PhoneOptions.caller(options.from ?? "phone", host: address) ?? SIPAddress(uri: SIPURI(host: address))
    try await follow()
    printer.event(
      "calling", "calling \(options.target) by \(options.transport.token), as \(from.uri)",
      ["to": .string("\(options.target)"), "from": .string("\(from.uri)")])
    call = await endpoint.call(
      SIPOutgoingCall(
        target: target(), from: from, sdp: offer, headers: options.headers,
        credentials: options.credentials, proxy: options.proxy)
    ) { event in
      self.assumeIsolated { $0.sip(event) }
    }
    startRingLimit()
    let ending = await outcome.value(cancelled: SIPCallEnding(.closed, status: 0))
    isOver = true
    finishRecording()
    await follower?.finish()
    let outcome = summary(ending)
    media.close()
    referred?.media.close()
    await endpoint.close()
    return outcome
  }

  /// Ctrl-C: hangs up; before the answer the call is given up.
  func interrupt() { giveUp(.interrupted) }

  private func follow() async throws {
    guard let path = options.transcriptFrom else { return }
    let follower = TranscriptFollower(printer)
    try await follower.start(at: path)
    self.follower = follower
  }

  /// The target with the transport that was asked for, so that the stack takes it.
  private func target() -> SIPURI {
    var target = options.target
    if target.transport != options.transport, target.scheme == "sip", options.transport != .udp {
      target.parameters = SIPParameters(
        target.parameters.all + [.init("transport", options.transport.rawValue)])
    }
    return target
  }

  private func startRingLimit() {
    Task {
      // Cancelled never: when the call is over, or up, the limit finds nothing to do.
      try? await Task.sleep(for: .seconds(options.ringSeconds))
      if !isAnswered { giveUp(.unanswered) }
    }
  }

  func giveUp(_ reason: PhoneOutcome.GivingUp) {
    guard !isOver, let call else { return }
    gaveUp = gaveUp ?? reason
    Task { await call.hangUp() }
  }

  /// Says how it ended, with the figures of the audio.
  private func summary(_ ending: SIPCallEnding) -> PhoneOutcome {
    let figures = media?.statistics() ?? AudioStatistics()
    // A call of a moment has no right to sound.
    let isSilent = isAnswered && elapsed >= 2000 && figures.packetsReceived == 0
    let outcome = PhoneOutcome(ending, wasAnswered: isAnswered, isSilent: isSilent, gaveUp: gaveUp)
    var words = "ended: \(outcome.words)"
    if isAnswered {
      let loss = (figures.lossFraction * 1000).rounded() / 10
      words +=
        " after \(PhonePrinter.seconds(elapsed)); heard \(PhonePrinter.seconds(ear.speech)) of speech"
        + "; \(figures.packetsReceived) packets in, \(figures.packetsSent) out, \(loss) % lost"
    }
    printer.event(
      "ended", at: isAnswered ? elapsed : nil, words,
      [
        "code": .integer(Int(outcome.code.rawValue)), "status": .integer(ending.status),
        "words": .string(outcome.words), "milliseconds": .integer(elapsed),
        "speechMilliseconds": .integer(ear.speech), "packetsReceived": .integer(figures.packetsReceived),
        "packetsSent": .integer(figures.packetsSent), "lossFraction": .number(figures.lossFraction),
      ])
    return outcome
  }
}
