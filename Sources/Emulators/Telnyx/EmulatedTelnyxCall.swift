internal import RouterCore

/// One call at the emulated Telnyx: from `call.initiated` to `call.hangup`.
public actor EmulatedTelnyxCall {
  /// What the caller notices.
  public enum Notice: Hashable, Sendable {
    case answered
    /// With the SIP status that Telnyx gives the caller's network.
    case refused(status: Int)
    case ended
  }

  /// `call_control_id`.
  public nonisolated let id: String
  public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  let service: TelnyxEmulator
  private nonisolated let loop: EventLoop
  private let webhook: String
  private let from: String
  private let to: String
  private let session = Secret.token()
  private let notice: @Sendable (Notice) -> Void
  private var caller: ScriptedCaller?
  private var stream: EmulatedTelnyxStream?
  private var dialling: Task<Void, Never>?
  private var commands: Set<String> = []
  private var isAnswered = false
  private var isOver = false

  init(
    _ service: TelnyxEmulator, id: String, webhook: String, from: String, to: String, caller: ScriptedCaller?,
    notice: @escaping @Sendable (Notice) -> Void
  ) {
    self.service = service
    self.id = id
    self.webhook = webhook
    self.from = from
    self.to = to
    self.caller = caller
    self.notice = notice
    loop = service.host.loop
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

  // MARK: What the caller does

  /// Gives up before the answer, or hangs up after it.
  public func hangUp() async {
    if !isAnswered { report.saw("the caller gave up") }
    await end(isAnswered ? "normal_clearing" : "originator_cancel", source: "caller")
  }

  /// Presses keys, one after the other.
  public func press(_ keys: String) async { await stream?.press(keys) }
  /// Speaks for so long.
  public func speak(milliseconds: Int) async { await stream?.speak(milliseconds: milliseconds) }
  /// Breaks the media socket's connection, as a network does.
  public func breakStream() async { await stream?.cut() }

  /// Takes the caller's sound away, in order, until somebody asks for it again.
  private func stopStream() async {
    await stream?.stop()
    stream = nil
    tell("streaming.stopped")
  }

  /// The stream has told of a key; so does a webhook.
  func pressed(_ key: Character) { tell("call.dtmf.received", ["digit": .string(String(key))]) }

  /// 20 ms for the caller who follows a script.
  func step(_ heard: [Int16]) -> (said: [Int16]?, actions: [ScriptedCaller.Action]) {
    guard var caller else { return (nil, []) }
    defer { self.caller = caller }
    return caller.step(heard)
  }

  // MARK: Commands

  /// Does what REST asks. Returns why it cannot be.
  func perform(_ command: String, _ body: [String: JSONValue]) async -> String? {
    guard let identifier = body["command_id"]?.string else { return "no command_id" }
    guard commands.insert(identifier).inserted else { return nil }
    report.saw("REST: \(command)")
    switch command {
    case "answer":
      if isAnswered { return "the call is answered already" }
      if let problem = EmulatedTelnyxCall.problem(of: body) { return problem }
      isAnswered = true
      notice(.answered)
      tell("call.answered", ["state": "answered"])
      connect(body["stream_url"]?.string ?? "")
    case "streaming_start":
      guard isAnswered, stream == nil else { return "the call has a stream, or is not answered" }
      if let problem = EmulatedTelnyxCall.problem(of: body) { return problem }
      connect(body["stream_url"]?.string ?? "")
    case "reject":
      guard !isAnswered, let cause = body["cause"]?.string, ["CALL_REJECTED", "USER_BUSY"].contains(cause)
      else { return "no cause, or nothing to reject" }
      notice(.refused(status: cause == "USER_BUSY" ? 486 : 603))
      await end("call_rejected", source: "callee", isSilent: true)
    case "hangup": await end("normal_clearing", source: "callee")
    case "send_dtmf":
      guard let digits = body["digits"]?.string, !digits.isEmpty,
        digits.allSatisfy({ "0123456789ABCD*#wW".contains($0) })
      else { return "no digits" }
      report.saw("keys: \(digits)")
    case "transfer":
      guard isAnswered, let target = body["to"]?.string, !target.isEmpty else { return "no 'to'" }
      let state = body["target_leg_client_state"]?.string ?? ""
      if Base64.decode(state) == nil { return "client_state is not base 64" }
      dialling = Task { await dial(target, state) }
    default: return "an unknown command"
    }
    return nil
  }

  private static func problem(of body: [String: JSONValue]) -> String? {
    let url = body["stream_url"]?.string ?? ""
    // Telnyx wants TLS; a local routerd may do without.
    if !url.hasPrefix("wss://"), !url.hasPrefix("ws://127.0.0.1"), !url.hasPrefix("ws://[::1]") {
      return "a stream wants wss:, not \(url)"
    }
    if body["stream_bidirectional_mode"]?.string != "rtp" { return "our sound would have to be MP3" }
    if body["stream_bidirectional_codec"]?.string ?? "PCMU" != "PCMU" { return "the emulator hears PCMU" }
    return nil
  }

  private func connect(_ url: String) {
    Task {
      do throws(HTTPError) {
        let socket = try await WebSocket.connect(url, over: service.host.http)
        if isOver { return await socket.close() }
        let stream = EmulatedTelnyxStream(self, socket, codec: service.codec, on: loop)
        self.stream = stream
        tell("streaming.started", ["stream_url": .string(url)])
        await stream.run()
        if self.stream === stream { self.stream = nil }
      } catch {
        if isOver { return }
        report.violation("the stream was not connected: \(error)")
        tell("streaming.failed", ["failure_reason": "connection_failed"])
      }
    }
  }

  // MARK: A hand-over

  private func dial(_ target: String, _ state: String) async {
    report.saw("dialling \(target)")
    if service.isQuiet { await stopStream() }
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
    switch service.target.withLock({ $0 }) {
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

  // MARK: The end

  private func end(_ cause: String, source: String, isSilent: Bool = false) async {
    guard !isOver else { return }
    isOver = true
    service.forget(id)
    dialling?.cancel()
    await stream?.stop()
    stream = nil
    caller?.finish()
    report.saw("ended: \(cause)")
    if !isSilent { notice(.ended) }
    tell(
      "call.hangup",
      [
        "state": "hangup", "hangup_cause": .string(cause), "hangup_source": .string(source),
        "sip_hangup_cause": "unspecified",
      ])
  }
}
