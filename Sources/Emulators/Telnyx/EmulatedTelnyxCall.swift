internal import RouterCore

/// One call under Call Control: from `call.initiated` to `call.hangup`.
actor EmulatedTelnyxCall: EmulatedCall {
  /// `call_control_id`.
  nonisolated let id: String
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  var line: EmulatedLine
  private let service: TelnyxEmulator
  private nonisolated let loop: EventLoop
  private let webhook: String
  private let from: String
  private let to: String
  private let session = Secret.token()
  private var dialling: Task<Void, Never>?
  private var commands: Set<String> = []

  init(
    _ service: TelnyxEmulator, id: String, webhook: String, from: String, to: String,
    _ caller: EmulatedLine.Caller
  ) {
    self.service = service
    self.id = id
    self.webhook = webhook
    self.from = from
    self.to = to
    loop = service.host.loop
    line = EmulatedLine(caller, service.host, rate: 8000)
  }

  private nonisolated var report: EmulatorReport { service.host.report }

  func begin() {
    report.saw("ringing: \(webhook)")
    tell("call.initiated", ["direction": "incoming", "state": "parked"])
  }

  /// News of this call's own leg; nobody waits for its delivery, as at Telnyx.
  private func tell(_ type: String, _ more: [String: JSONValue] = [:]) {
    let payload: [String: JSONValue] = [
      "call_control_id": .string(id), "call_leg_id": .string("leg-\(session)"),
      "call_session_id": .string(session), "connection_id": .string(service.connection),
      "client_state": .null, "from": .string(from), "to": .string(to),
    ]
    Task { [service, webhook] in await service.tell(type, payload.merging(more) { $1 }, to: webhook) }
  }

  func hangUp() async {
    if !line.isAnswered { report.saw("the caller gave up") }
    await end(line.isAnswered ? "normal_clearing" : "originator_cancel", source: "caller")
  }

  /// The stream has told of a key; so does a webhook.
  func pressed(_ key: Character) { tell("call.dtmf.received", ["digit": .string(String(key))]) }

  // MARK: Commands

  /// Does what REST asks. Returns why it cannot be.
  func perform(_ command: String, _ body: [String: JSONValue]) async -> String? {
    guard let identifier = body["command_id"]?.string else { return "no command_id" }
    guard commands.insert(identifier).inserted else { return nil }
    report.saw("REST: \(command)")
    switch command {
    case "answer":
      if line.isAnswered { return "the call is answered already" }
      if let problem = EmulatedTelnyxCall.problem(of: body) { return problem }
      answered()
      tell("call.answered", ["state": "answered"])
      connect(body["stream_url"]?.string ?? "")
    case "streaming_start":
      guard line.isAnswered, line.stream == nil else { return "the call has a stream, or is not answered" }
      if let problem = EmulatedTelnyxCall.problem(of: body) { return problem }
      connect(body["stream_url"]?.string ?? "")
    case "reject":
      guard !line.isAnswered, let cause = body["cause"]?.string,
        ["CALL_REJECTED", "USER_BUSY"].contains(cause)
      else { return "no cause, or nothing to reject" }
      line.notice(.refused(status: cause == "USER_BUSY" ? 486 : 603))
      await end("call_rejected", source: "callee", isSilent: true)
    case "hangup": await end("normal_clearing", source: "callee")
    case "send_dtmf":
      guard let digits = body["digits"]?.string, !digits.isEmpty,
        digits.allSatisfy({ "0123456789ABCD*#wW".contains($0) })
      else { return "no digits" }
      report.saw("keys: \(digits)")
    case "transfer":
      guard line.isAnswered, let target = body["to"]?.string, !target.isEmpty else { return "no 'to'" }
      let state = body["target_leg_client_state"]?.string ?? ""
      if Base64.decode(state) == nil { return "client_state is not base 64" }
      dialling = Task { await dial(target, state) }
    case "refer":
      guard line.isAnswered, let target = body["sip_address"]?.string, target.hasPrefix("sip") else {
        return "no 'sip_address'"
      }
      dialling = Task { await refer(target) }
    default: return "an unknown command"
    }
    return nil
  }

  private static func problem(of body: [String: JSONValue]) -> String? {
    if body["stream_bidirectional_mode"]?.string != "rtp" { return "our sound would have to be MP3" }
    if body["stream_bidirectional_codec"]?.string ?? "PCMU" != "PCMU" { return "the emulator hears PCMU" }
    return nil
  }

  private func connect(_ url: String) {
    Task {
      do throws(HTTPError) {
        tell("streaming.started", ["stream_url": .string(url)])
        try await live(url, TelnyxWire(codec: service.codec, callID: id))
      } catch {
        await streamFailed("the stream was not connected", error)
        if line.isOver { return }
        tell("streaming.failed", ["failure_reason": "connection_failed"])
      }
    }
  }

  // MARK: A hand-over

  private func dial(_ target: String, _ state: String) async {
    report.saw("dialling \(target)")
    if service.isQuiet {
      // The caller's sound is away, in order, until somebody asks for it again.
      await stopStream()
      tell("streaming.stopped")
    }
    let leg = TelnyxEmulator.makeID()
    func told(_ type: String, _ more: [String: JSONValue] = [:]) async {
      let payload: [String: JSONValue] = [
        "call_control_id": .string(leg), "call_session_id": .string(session),
        "connection_id": .string(service.connection), "client_state": .string(state),
        "from": .string(to), "to": .string(target),
      ]
      await service.tell(type, payload.merging(more) { $1 }, to: webhook)
    }
    await told("call.initiated", ["direction": "outgoing", "state": "bridging"])
    let cause: (String, String)
    switch service.board.target {
    case .answer:
      await told("call.answered")
      tell("call.bridged")
      await told("call.bridged")
      report.saw("the target answered")
      // They have little to say to each other; cut short when the call ends meanwhile.
      try? await Task.sleep(for: .milliseconds(200))
      await told("call.hangup", ["hangup_cause": "normal_clearing", "sip_hangup_cause": "200"])
      return await end("normal_clearing", source: "callee")
    case .busy: cause = ("user_busy", "486")
    case .noAnswer: cause = ("timeout", "unspecified")
    case .failed: cause = ("unspecified", "503")
    }
    report.saw("dial: \(cause.0)")
    await told("call.hangup", ["hangup_cause": .string(cause.0), "sip_hangup_cause": .string(cause.1)])
  }

  /// The caller's own network is asked to call somebody else (RFC 3515).
  private func refer(_ target: String) async {
    report.saw("referring to \(target)")
    tell("call.refer.started", ["sip_notify_response": 100])
    let status: Int
    switch service.board.target {
    case .answer:
      report.saw("the target answered")
      tell("call.refer.completed", ["sip_notify_response": 200])
      return await end("normal_clearing", source: "caller")
    case .busy: status = 486
    case .noAnswer: status = 480
    case .failed: status = 503
    }
    report.saw("refer: \(status)")
    tell("call.refer.failed", ["sip_notify_response": .integer(status)])
  }

  // MARK: The end

  private func end(_ cause: String, source: String, isSilent: Bool = false) async {
    guard await finish() else { return }
    service.board.forget(id)
    dialling?.cancel()
    report.saw("ended: \(cause)")
    if !isSilent { line.notice(.ended) }
    tell(
      "call.hangup",
      [
        "state": "hangup", "hangup_cause": .string(cause), "hangup_source": .string(source),
        "sip_hangup_cause": "unspecified",
      ])
  }
}
