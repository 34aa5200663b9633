internal import RouterCore

/// One call at the emulated Vonage: from its answer webhook to its last event.
actor EmulatedVonageCall: FollowingCall {
  nonisolated let id: String
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  var line: EmulatedLine
  var script = FollowedScript()
  private let service: VonageEmulator
  private nonisolated let loop: EventLoop
  private let webhook: String
  private let conversation = "CON-" + VonageEmulator.makeID()

  init(_ service: VonageEmulator, id: String, webhook: String, _ caller: EmulatedLine.Caller) {
    self.service = service
    self.id = id
    self.webhook = webhook
    loop = service.host.loop
    line = EmulatedLine(caller, service.host, rate: VonageEmulator.sampleRate)
  }

  private nonisolated var report: EmulatorReport { service.host.report }

  func begin() {
    report.saw("ringing: \(webhook)")
    script.task = Task {
      tell("started")
      tell("ringing")
      await follow(await service.ask(webhook, fields))
    }
  }

  func hangUp() async {
    guard !line.isOver else { return }
    script.task?.cancel()
    if !line.isAnswered { report.saw("the caller gave up") }
    await end(line.isAnswered ? "completed" : "cancelled")
  }

  // MARK: Webhooks

  private var fields: [(String, String)] {
    [
      ("to", VonageEmulator.digits(service.to)), ("from", VonageEmulator.digits(service.from)),
      ("conversation_uuid", conversation), ("uuid", id), ("endpoint_type", "phone"),
    ]
  }

  private nonisolated func read(_ body: [UInt8]) -> [JSONValue]? {
    switch service.ncco(body) {
    case .success(let actions): return actions
    case .failure(let error):
      report.violation(error.description)
      return nil
    }
  }

  /// What becomes of a leg; each has an identifier of its own.
  private func event(_ status: String, _ leg: Leg? = nil) -> [String: JSONValue] {
    var event: [String: JSONValue] = [
      "from": .string(VonageEmulator.digits(service.from)), "to": .string(VonageEmulator.digits(service.to)),
      "uuid": .string(leg?.id ?? id), "conversation_uuid": .string(conversation),
      "status": .string(status), "direction": .string(leg == nil ? "inbound" : "outbound"),
      "timestamp": "2026-01-15T14:00:00.000Z",
    ]
    if let leg { event["to"] = .string(leg.to) }
    if status == "completed" {
      event.merge(["duration": "1", "price": "0.00", "rate": "0.00", "network": "65512"]) { $1 }
    }
    return event
  }

  /// News that nobody waits for.
  private func tell(_ status: String, _ leg: Leg? = nil) {
    let (url, event) = (leg?.events ?? service.eventURL(webhook), event(status, leg))
    Task { [service] in _ = await service.tell(event, to: url) }
  }

  /// A leg that was called for this call.
  private struct Leg {
    let id = VonageEmulator.makeID()
    var to: String
    var events: String
    /// Whether the replies to its events are followed.
    var isSynchronous: Bool
  }

  // MARK: NCCO

  /// The leg leaves its conversation and follows other actions; why it cannot.
  func transfer(to ncco: JSONValue) -> String? {
    guard let actions = read(Array(ncco.text.utf8)) else { return "no NCCO" }
    return replace(actions) ? nil : "the call is not up"
  }

  func ranOut(wasUnderstood: Bool) async {
    if line.isAnswered {
      await end("completed")
    } else {
      await end(wasUnderstood ? "rejected" : "failed")
    }
  }

  func perform(_ action: JSONValue) async -> Bool {
    if !line.isAnswered {
      answered()
      tell("answered")
    }
    switch action["action"]?.string {
    case "connect": return await connect(action)
    case "wait":
      report.saw("the caller waits")
      // Ends with the call, or with another NCCO.
      try? await Task.sleep(for: .milliseconds(Int((action["timeout"]?.number ?? 10) * 1000)))
    case let other: report.saw("\(other ?? "?"): \(action["text"]?.string ?? "")")
    }
    return true
  }

  private func connect(_ action: JSONValue) async -> Bool {
    guard let endpoint = action["endpoint"]?.array?.first else {
      report.violation("connect without an endpoint")
      return true
    }
    let leg = Leg(
      to: endpoint["uri"]?.string ?? endpoint["number"]?.string ?? "",
      events: action["eventUrl"]?.array?.first?.string ?? service.eventURL(webhook),
      isSynchronous: action["eventType"]?.string == "synchronous")
    guard endpoint["type"]?.string == "websocket" else { return await dial(leg) }
    let headers = endpoint["headers"]?.object ?? [:]
    if JSONValue.object(headers).text.utf8.count > NCCORules.maximumHeaderBytes {
      report.violation("the headers of a WebSocket are longer than \(NCCORules.maximumHeaderBytes) bytes")
    }
    let rate = endpoint["content-type"]?.string?.split(separator: "=").last.flatMap { Int($0) } ?? 16000
    tell("started", leg)
    do throws(HTTPError) {
      let wire = VonageWire(rate: rate, headers: headers, isSoundFirst: service.isSoundFirst)
      tell("answered", leg)
      try await live(leg.to, headers: service.authorization(endpoint["authorization"]), wire)
      tell("completed", leg)
    } catch {
      await streamFailed("the socket was not connected", error)
      tell("failed", leg)
    }
    return true
  }

  // MARK: A hand-over

  private func dial(_ leg: Leg) async -> Bool {
    report.saw("dialling \(leg.to)")
    tell("ringing", leg)
    let status: String
    switch service.board.target {
    case .answer:
      _ = await service.tell(event("answered", leg), to: leg.events)
      report.saw("the target answered")
      // They have little to say to each other; cut short when the call ends meanwhile.
      try? await Task.sleep(for: .milliseconds(200))
      tell("completed", leg)
      return true
    case .busy: status = "busy"
    case .noAnswer: status = "timeout"
    case .failed: status = "failed"
    }
    report.saw("dial: \(status)")
    let reply = await service.tell(event(status, leg), to: leg.events)
    guard leg.isSynchronous, let reply, reply.status == 200, !Task.isCancelled, let next = read(reply.body)
    else { return true }
    await follow(next)
    return false
  }

  // MARK: The end

  func endByREST() async {
    script.task?.cancel()
    await end("completed")
  }

  private func end(_ status: String) async {
    guard await finish() else { return }
    service.board.forget(id)
    report.saw("ended: \(status)")
    line.notice(line.isAnswered || status == "cancelled" ? .ended : .refused(status: 0))
    _ = await service.tell(event(status), to: service.eventURL(webhook))
  }
}
