internal import FoundationEssentials
internal import RouterCore

/// One call at the emulated Twilio: from its webhook to its last status callback.
public actor EmulatedTwilioCall {
  /// What the caller notices.
  public enum Notice: Hashable, Sendable {
    case answered
    /// With the SIP status that Twilio gives the caller's network.
    case refused(status: Int)
    case ended
  }

  public nonisolated let sid: String
  public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  let service: TwilioEmulator
  let fields: [FormFields.Field]
  var stream: EmulatedTwilioStream?
  private nonisolated let loop: EventLoop
  private let webhook: String
  private let statusCallback: String
  private let notice: @Sendable (Notice) -> Void
  private(set) var caller: ScriptedCaller?
  private var following: Task<Void, Never>?
  private var isAnswered = false
  private(set) var isOver = false
  private var documents = 0
  /// Where the streams of this call were to go; for tests of what strangers can do with it.
  public private(set) var streamURLs: [String] = []

  init(
    _ service: TwilioEmulator, sid: String, webhook: String, statusCallback: String,
    fields: [(String, String)], caller: ScriptedCaller?, notice: @escaping @Sendable (Notice) -> Void
  ) {
    self.service = service
    self.sid = sid
    self.webhook = webhook
    self.statusCallback = statusCallback
    self.caller = caller
    self.notice = notice
    loop = service.host.loop
    let from = fields.last { $0.0 == "From" }?.1 ?? ""
    let to = fields.last { $0.0 == "To" }?.1 ?? ""
    var all: [(String, String)] = [
      ("AccountSid", service.account), ("ApiVersion", "2010-04-01"), ("CallSid", sid), ("Called", to),
      ("Caller", from), ("Direction", "inbound"), ("From", from), ("FromCity", ""), ("FromCountry", "US"),
      ("To", to), ("ToCity", ""),
    ]
    all += fields.filter { $0.0 != "From" && $0.0 != "To" }
    self.fields = all.map { FormFields.Field($0.0, $0.1) }
  }

  private var report: EmulatorReport { service.host.report }

  func begin() {
    report.saw("ringing: \(webhook)")
    following = Task { await follow(await ask(webhook, status: "ringing")) }
  }

  // MARK: What the caller does

  /// Gives up before the answer, or hangs up after it.
  public func hangUp() async {
    guard !isOver else { return }
    following?.cancel()
    if !isAnswered { report.saw("the caller gave up") }
    await end(status: isAnswered ? "completed" : "canceled")
  }

  /// Presses keys, one after the other.
  public func press(_ keys: String) async { await stream?.press(keys) }

  /// Speaks for so long.
  public func speak(milliseconds: Int) async { await stream?.speak(milliseconds: milliseconds) }

  /// Breaks the media socket's connection, as a network does.
  public func breakStream() async { await stream?.cut() }

  // MARK: Webhooks

  /// Asks what to do; `nil` when there is no answer that Twilio could follow.
  func ask(_ url: String, status: String, _ more: [FormFields.Field] = []) async -> XMLElement? {
    guard let response = await post(url, [.init("CallStatus", status)] + more) else { return nil }
    guard response.status == 200 else {
      report.violation("\(url) answered \(response.status)")
      return nil
    }
    let type = response.header("Content-Type")?.prefix { $0 != ";" } ?? ""
    if !["text/xml", "application/xml"].contains(type) { report.violation("TwiML comes as \(type)") }
    do throws(EmulatorError) {
      let document = try XMLElement.parse(response.text)
      guard document.name == "Response" else {
        throw EmulatorError("XML: <\(document.name)> is no <Response>")
      }
      return document
    } catch {
      report.violation("12100 \(error): \(response.text)")
      return nil
    }
  }

  private func post(_ url: String, _ more: [FormFields.Field]) async -> HTTPResponse? {
    let names = Set(more.map(\.name))
    let form = fields.filter { !names.contains($0.name) } + more
    let request = HTTPRequest(
      "POST", url: url,
      headers: [
        service.signature(url, form),
        Header("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8"),
        Header("User-Agent", "TwilioProxy/1.1"),
      ], body: Array(FormFields(form).encoded.utf8), deadline: .seconds(15))
    do throws(HTTPError) { return try await service.host.http.send(request) } catch {
      // The emulator itself may be at its end.
      if ![.cancelled, .closed].contains(error.kind) { report.violation("11200 \(url): \(error)") }
      return nil
    }
  }

  /// Tells somebody; the answer does not matter as long as it is 2xx.
  func tell(_ url: String, _ more: [FormFields.Field]) async {
    guard let response = await post(url, more) else { return }
    if !(200..<300).contains(response.status) { report.violation("\(url) answered \(response.status)") }
  }

  // MARK: Documents

  /// Another document takes the place of the one that is followed; false when the call is not up.
  func replace(_ twiml: String) async -> Bool {
    guard isAnswered, !isOver else { return false }
    let document: XMLElement
    do throws(EmulatorError) { document = try XMLElement.parse(twiml) } catch {
      report.violation("12100 \(error)")
      return false
    }
    following?.cancel()
    following = Task {
      await stopStream()
      await follow(document)
    }
    return true
  }

  /// Follows a document to its end; then the call ends.
  private func follow(_ document: XMLElement?) async {
    documents += 1
    let number = documents
    guard !Task.isCancelled, !isOver else { return }
    guard let document else {
      await isAnswered ? end(status: "completed") : refuse(status: 503)
      return
    }
    for verb in document.children {
      guard await perform(verb), !Task.isCancelled, !isOver, number == documents else { return }
    }
    await isAnswered ? end(status: "completed") : refuse(status: 404)
  }

  /// One verb; false when the document is over with it.
  private func perform(_ verb: XMLElement) async -> Bool {
    switch verb.name {
    case "Reject":
      let reason = verb.attributes["reason"] ?? "rejected"
      report.saw("rejected: \(reason)")
      await refuse(status: reason == "busy" ? 486 : 404)
      return false
    case "Connect":
      guard let stream = verb.children.first, stream.name == "Stream" else {
        report.violation("<Connect> without <Stream>")
        return true
      }
      answered()
      await connect(stream)
      return true
    case "Dial":
      answered()
      await dial(verb)
      return false
    case "Hangup":
      await end(status: "completed")
      return false
    case "Say", "Play", "Pause":
      answered()
      report.saw("<\(verb.name)> \(verb.text)")
      return true
    default:
      report.violation("12100 an unknown verb <\(verb.name)>")
      return true
    }
  }

  private func answered() {
    guard !isAnswered else { return }
    isAnswered = true
    report.saw("answered")
    notice(.answered)
  }

  // MARK: The media stream

  private func connect(_ element: XMLElement) async {
    let url = element.attributes["url"] ?? ""
    // Twilio takes wss: alone; a local routerd may do without TLS.
    if !url.hasPrefix("wss://"), !url.hasPrefix("ws://127.0.0.1"), !url.hasPrefix("ws://[::1]") {
      report.violation("31920 a stream wants wss:, not \(url)")
    }
    if url.contains("?") { report.violation("31920 a stream's URL has no query") }
    streamURLs.append(url)
    let callback = element.attributes["statusCallback"]
    do throws(HTTPError) {
      let socket = try await WebSocket.connect(
        url, headers: [service.signature(url, [])], over: service.host.http)
      if isOver || Task.isCancelled { return await socket.close() }
      let stream = EmulatedTwilioStream(self, socket, element.children, on: loop)
      self.stream = stream
      await stream.run()
      if self.stream === stream { self.stream = nil }
    } catch {
      // The emulator itself may be at its end.
      if error.kind != .cancelled { report.violation("31920 \(error)") }
      if let callback {
        await tell(callback, [.init("StreamEvent", "stream-error"), .init("StreamError", "31920")])
      }
    }
  }

  private func stopStream() async {
    await stream?.stop()
    stream = nil
  }

  /// 20 ms for the caller who follows a script; what he wants done is done by the stream's owner.
  func step(_ heard: [Int16]) -> (said: [Int16]?, actions: [ScriptedCaller.Action]) {
    guard var caller else { return (nil, []) }
    defer { self.caller = caller }
    return caller.step(heard)
  }

  // MARK: A hand-over

  private func dial(_ verb: XMLElement) async {
    guard let child = verb.children.first, ["Number", "Sip"].contains(child.name), !child.text.isEmpty else {
      report.violation("<Dial> without <Number> or <Sip>")
      return await end(status: "completed")
    }
    report.saw("dialling \(child.text)")
    let target = service.target.withLock { $0 }
    let childSid = "CA" + Secret.token().prefix(32)
    let status: String
    switch target {
    case .answer:
      status = "completed"
      if let callback = child.attributes["statusCallback"] {
        let leg: [FormFields.Field] = [
          .init("CallSid", childSid), .init("ParentCallSid", sid), .init("CallStatus", "in-progress"),
        ]
        await tell(callback, leg)
      }
      report.saw("the target answered")
      try? await Task.sleep(for: .milliseconds(200))  // they have little to say to each other
    case .busy: status = "busy"
    case .noAnswer: status = "no-answer"
    case .failed: status = "failed"
    }
    guard !Task.isCancelled, !isOver else { return }
    guard let action = verb.attributes["action"] else { return await end(status: "completed") }
    report.saw("dial: \(status)")
    await follow(
      await ask(
        action, status: "in-progress",
        [.init("DialCallStatus", status), .init("DialCallSid", childSid)]))
  }

  // MARK: The end

  func endByREST() async {
    guard !isOver else { return }
    following?.cancel()
    await end(status: "completed")
  }

  private func refuse(status: Int) async {
    guard !isOver else { return }
    isOver = true
    service.forget(sid)
    notice(.refused(status: status))
    await tell(statusCallback, [.init("CallStatus", status == 486 ? "busy" : "no-answer")])
  }

  private func end(status: String) async {
    guard !isOver else { return }
    isOver = true
    service.forget(sid)
    await stopStream()
    caller?.finish()
    report.saw("ended: \(status)")
    notice(.ended)
    await tell(statusCallback, [.init("CallStatus", status), .init("CallDuration", "1")])
  }
}
