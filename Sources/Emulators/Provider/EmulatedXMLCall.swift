internal import FoundationEssentials
internal import RouterCore

/// What differs between the providers whose calls follow XML documents.
protocol XMLProvider: ProviderEmulator {
  /// A webhook of a form, signed.
  func request(_ url: String, _ form: [FormFields.Field]) -> HTTPRequest
  /// What opens a media socket.
  func socketHeaders(_ url: String) -> [Header]
  /// What the provider would not like in a `<Stream>`.
  func problems(of stream: XMLElement) -> [String]
  func wire(of call: String, _ stream: XMLElement) -> any StreamWire
}

/// One call at a provider that asks for XML documents, from its webhook to its last status callback: Twilio's language
/// (https://www.twilio.com/docs/voice/twiml), which Telnyx understands as well.
actor EmulatedXMLCall: FollowingCall {
  nonisolated let id: String
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  var line: EmulatedLine
  var script = FollowedScript()
  private let service: any XMLProvider
  private let fields: [FormFields.Field]
  private nonisolated let loop: EventLoop
  private let webhook: String
  private let statusCallback: String

  init(
    _ service: any XMLProvider, id: String, webhook: String, statusCallback: String,
    fields: [FormFields.Field], _ caller: EmulatedLine.Caller
  ) {
    self.service = service
    self.id = id
    self.webhook = webhook
    self.statusCallback = statusCallback
    self.fields = fields
    loop = service.host.loop
    line = EmulatedLine(caller, service.host, rate: 8000)
  }

  private nonisolated var report: EmulatorReport { service.host.report }

  func begin() {
    report.saw("ringing: \(webhook)")
    script.task = Task { await follow(await ask(webhook, status: "ringing")) }
  }

  func hangUp() async {
    guard !line.isOver else { return }
    script.task?.cancel()
    if !line.isAnswered { report.saw("the caller gave up") }
    await end(status: line.isAnswered ? "completed" : "canceled")
  }

  // MARK: Webhooks

  /// Asks what to do; `nil` when there is no answer that could be followed.
  private func ask(_ url: String, status: String, _ more: [FormFields.Field] = []) async -> [XMLElement]? {
    guard let response = await post(url, [.init("CallStatus", status)] + more) else { return nil }
    guard response.status == 200 else {
      report.violation("\(url) answered \(response.status)")
      return nil
    }
    let type = response.header("Content-Type")?.prefix { $0 != ";" } ?? ""
    if !["text/xml", "application/xml"].contains(type) { report.violation("a document comes as \(type)") }
    return read(response.text)
  }

  private nonisolated func read(_ text: String) -> [XMLElement]? {
    do throws(EmulatorError) {
      let document = try XMLElement.parse(text)
      guard document.name == "Response" else {
        throw EmulatorError("XML: <\(document.name)> is no <Response>")
      }
      return document.children
    } catch {
      report.violation("12100 \(error): \(text)")
      return nil
    }
  }

  private func post(_ url: String, _ more: [FormFields.Field]) async -> HTTPResponse? {
    let names = Set(more.map(\.name))
    let request = service.request(url, fields.filter { !names.contains($0.name) } + more)
    do throws(HTTPError) {
      let response = try await service.host.http.send(request)
      report.wire(response, to: request)
      return response
    } catch {
      // The emulator itself may be at its end.
      if ![.cancelled, .closed].contains(error.kind) { report.violation("11200 \(url): \(error)") }
      return nil
    }
  }

  /// Tells somebody; the answer does not matter as long as it is 2xx.
  private func tell(_ url: String, _ more: [FormFields.Field]) async {
    guard let response = await post(url, more) else { return }
    if !(200..<300).contains(response.status) { report.violation("\(url) answered \(response.status)") }
  }

  // MARK: Documents

  /// Another document takes the place of the one that is followed; false when the call is not up.
  func replace(_ text: String) -> Bool { read(text).map { replace($0) } ?? false }

  func ranOut(wasUnderstood: Bool) async {
    if line.isAnswered {
      await end(status: "completed")
    } else {
      await refuse(status: wasUnderstood ? 404 : 503)
    }
  }

  func perform(_ verb: XMLElement) async -> Bool {
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

  private func connect(_ stream: XMLElement) async {
    let url = stream.attributes["url"] ?? ""
    for problem in service.problems(of: stream) { report.violation(problem) }
    do throws(HTTPError) {
      try await live(url, headers: service.socketHeaders(url), service.wire(of: id, stream))
    } catch {
      await streamFailed("31920", error)
      if let callback = stream.attributes["statusCallback"] {
        await tell(callback, [.init("StreamEvent", "stream-error"), .init("StreamError", "31920")])
      }
    }
  }

  // MARK: A hand-over

  private func dial(_ verb: XMLElement) async {
    guard let child = verb.children.first, ["Number", "Sip"].contains(child.name), !child.text.isEmpty else {
      report.violation("<Dial> without <Number> or <Sip>")
      return await end(status: "completed")
    }
    report.saw("dialling \(child.text)")
    let target = service.board.target
    let childSid = "CA" + Secret.token().prefix(32)
    let status = target == .answer ? "completed" : target.rawValue
    if target == .answer {
      if let callback = child.attributes["statusCallback"] {
        let leg: [FormFields.Field] = [
          .init("CallSid", childSid), .init("ParentCallSid", id), .init("CallStatus", "in-progress"),
        ]
        await tell(callback, leg)
      }
      report.saw("the target answered")
      // They have little to say to each other; cut short when the call ends meanwhile.
      try? await Task.sleep(for: .milliseconds(200))
    }
    guard !Task.isCancelled, !line.isOver else { return }
    guard let action = verb.attributes["action"] else { return await end(status: "completed") }
    report.saw("dial: \(status)")
    await follow(
      await ask(
        action, status: "in-progress",
        [.init("DialCallStatus", status), .init("DialCallSid", childSid)]))
  }

  // MARK: The end

  func endByREST() async {
    guard !line.isOver else { return }
    script.task?.cancel()
    await end(status: "completed")
  }

  private func refuse(status: Int) async {
    guard await finish() else { return }
    service.board.forget(id)
    line.notice(.refused(status: status))
    await tell(statusCallback, [.init("CallStatus", status == 486 ? "busy" : "no-answer")])
  }

  private func end(status: String) async {
    guard await finish() else { return }
    service.board.forget(id)
    report.saw("ended: \(status)")
    line.notice(.ended)
    await tell(statusCallback, [.init("CallStatus", status), .init("CallDuration", "1")])
  }
}
