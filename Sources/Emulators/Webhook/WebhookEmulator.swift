internal import FoundationEssentials
public import RouterCore

/// A scripted agent behind a webhook, as handlers for AgentPhone are written; it checks signature and body strictly.
public struct WebhookEmulator: Emulator {
  public static let name = "webhook"
  public static let summary = "An agent behind a webhook, scripted"
  public static let options = [
    EmulatorOption(
      "--step", value: "STEP", repeatable: true, "What the next turn is answered with; see below"),
    EmulatorOption("--secret", value: "TEXT", "Requires signatures made with it"),
    EmulatorOption("--line-pause", value: "MS", "Between the lines of a stream; 100"),
    EmulatorOption("--fail-ended", value: "N", "Answer the first N reports of a call's end with 500"),
  ]
  public static let notes = """
    \(WebhookStep.help)
    Point a provider of the type webhook at it: url: http://127.0.0.1:PORT/.
    """

  private let report: EmulatorReport
  private let secret: String?
  private let linePause: Int
  private let steps: Lock<[WebhookStep]>
  private let failures: Lock<Int>
  /// Deliveries by their identifiers: a repeated one has the same body.
  private let deliveries = Lock<[String: [UInt8]]>([:])

  public init(_ options: EmulatorOptions, _ host: EmulatorHost) throws {
    report = host.report
    secret = options.value("--secret")
    linePause = try options.integer("--line-pause", 0...60_000) ?? 100
    failures = Lock(try options.integer("--fail-ended", 0...100) ?? 0)
    var steps: [WebhookStep] = []
    for text in options.all("--step") {
      guard let step = WebhookStep(text) else { throw EmulatorError("there is no step '\(text)'") }
      steps.append(step)
    }
    self.steps = Lock(steps)
  }

  public func answer(_ request: HTTPServerRequest) async -> HTTPServerReply {
    guard request.method == "POST" else { return violation(405, "\(request.method) instead of POST") }
    if let fault = fault(of: request) { return violation(401, fault) }
    // What is no JSON is a violation, told below.
    guard let event = try? JSONDecoder().decode(JSONValue.self, from: Data(request.body)) else {
      return violation(400, "no JSON")
    }
    guard let name = event["event"]?.string, let rule = WebhookRules.events[name] else {
      report.saw("an unknown event")
      return .text(200, "")
    }
    if let fault = rule.fault(event) { return violation(400, "\(name): \(fault.path): \(fault.message)") }
    if name == "agent.call_ended" {
      report.saw("ended: \(event.text)")
      let fails = failures.withLock { left in
        defer { left = max(0, left - 1) }
        return left > 0
      }
      return .text(fails ? 500 : 200, "")
    }
    report.saw("message: \(event.text)")
    let words = event["data"]?["transcript"]?.string ?? ""
    let usual = words.isEmpty ? "Hello, what can I do for you?" : "You said: \(words)."
    return await reply(to: steps.withLock { $0.isEmpty ? nil : $0.removeFirst() } ?? .say(usual))
  }

  private func violation(_ status: Int, _ text: String) -> HTTPServerReply {
    report.violation(text)
    return .text(status, text + "\n")
  }

  /// What is wrong with a request's head.
  private func fault(of request: HTTPServerRequest) -> String? {
    guard request.header("Content-Type")?.hasPrefix("application/json") == true else {
      return "no JSON by its type"
    }
    guard let id = request.header("X-Webhook-ID"), !id.isEmpty else { return "no X-Webhook-ID" }
    let isOther = deliveries.withLock { deliveries in
      defer { deliveries[id] = request.body }
      return deliveries[id].map { $0 != request.body } ?? false
    }
    if isOther { return "two bodies under one X-Webhook-ID" }
    guard let time = request.header("X-Webhook-Timestamp"), let seconds = Int(time) else {
      return "no X-Webhook-Timestamp"
    }
    if abs(Int(Date().timeIntervalSince1970) - seconds) > 300 { return "a timestamp of another time" }
    guard let secret else { return nil }
    let signed = Digest.authenticate(Array("\(time).".utf8) + request.body, key: secret.utf8)
    guard request.header("X-Webhook-Signature") == "sha256=" + Digest.hexadecimal(signed) else {
      return "a wrong signature"
    }
    return nil
  }

  // MARK: Answers

  private static func json(_ members: JSONValue) -> HTTPServerReply {
    let type = Header("Content-Type", "application/json")
    return .response(HTTPResponse(status: 200, headers: [type], body: Array(members.text.utf8)))
  }

  private func reply(to step: WebhookStep) async -> HTTPServerReply {
    switch step {
    case .say(let words): return Self.json(["text": .string(words)])
    case .hangup(let words): return Self.json(["text": .string(words), "hangup": true])
    case .transfer(let words): return Self.json(["text": .string(words), "action": "transfer"])
    case .digits(let keys): return Self.json(["digits": .string(keys)])
    case .empty: return .response(HTTPResponse(status: 200))
    case .status(let code): return .text(code, "as the script says")
    case .slow(let milliseconds):
      try? await Task.sleep(for: .milliseconds(milliseconds))  // ends early when the client leaves
      return Self.json(["text": "Sorry for the delay."])
    case .raw(let text): return lines([text])
    case .stream(let words):
      return lines(
        words.enumerated().map { index, words in
          let isLast = index == words.count - 1 ? "" : #", "interim": true"#
          return #"{"text": \#(JSONValue.string(words).text)\#(isLast)}"# + "\n"
        })
    case .cut(let words): return lines([Self.interim(words)])
    case .snap(let words): return lines([Self.interim(words), ""], isBroken: true)
    case .stall(let words): return lines([Self.interim(words), ""], pause: 600_000)
    case .megabytes(let size):
      return lines(["{\"text\": \""] + Array(repeating: String(repeating: "x", count: 1 << 20), count: size))
    case .endless:
      return lines(Array(repeating: "{\"text\": \"And so on.\", \"interim\": true}\n", count: 10_000))
    }
  }

  private static func interim(_ words: String) -> String {
    #"{"text": \#(JSONValue.string(words).text), "interim": true}"# + "\n"
  }

  private func lines(_ lines: [String], pause: Int? = nil, isBroken: Bool = false) -> HTTPServerReply {
    let (pieces, continuation) = AsyncStream<[UInt8]>.makeStream(bufferingPolicy: .bufferingOldest(4))
    let writer = Task { [linePause = pause ?? linePause, report] in
      for (index, line) in lines.enumerated() {
        if index > 0 { try? await Task.sleep(for: .milliseconds(linePause)) }  // ends when nobody reads
        if Task.isCancelled {
          report.saw("the client left")
          break
        }
        if !line.isEmpty { continuation.yield(Array(line.utf8)) }
      }
      continuation.finish()
    }
    continuation.onTermination = { reason in if case .cancelled = reason { writer.cancel() } }
    let type = Header("Content-Type", "application/x-ndjson")
    return isBroken
      ? .broken(status: 200, headers: [type], pieces) : .stream(status: 200, headers: [type], pieces)
  }
}

/// The events as AgentPhone sends them, strictly.
enum WebhookRules {
  static let events: [String: Rule] = ["agent.message": message, "agent.call_ended": ended]

  private static let time: Rule = .textOf(maximum: 32)
  private static let textOrNull: Rule = .either([.text, .null])

  private static func event(_ data: Rule, _ more: [String: Rule.Member] = [:]) -> Rule {
    .object(
      more.merging([
        "event": Rule.required(.text), "channel": Rule.required(.choice(["voice"])),
        "timestamp": Rule.required(time), "agentId": Rule.required(.text), "data": Rule.required(data),
      ]) { own, _ in own })
  }

  private static let message: Rule = event(
    .object([
      "callId": Rule.required(.text), "numberId": Rule.required(textOrNull), "from": Rule.required(.text),
      "to": Rule.required(.text), "status": Rule.required(.choice(["in-progress"])),
      "transcript": Rule.required(.text), "confidence": Rule.optional(.number(0...1)),
      "digits": Rule.optional(.text), "direction": Rule.required(.choice(["inbound", "outbound", "web"])),
    ]),
    [
      "conversationState": Rule.required(.either([.free, .null])),
      "recentHistory": Rule.required(
        .list(
          .object([
            "content": Rule.required(.text), "direction": Rule.required(.choice(["inbound", "outbound"])),
            "channel": Rule.required(.choice(["voice"])), "at": Rule.required(time),
          ]))),
    ])

  private static let ended: Rule = event(
    .object([
      "callId": Rule.required(.text), "numberId": Rule.required(textOrNull), "from": Rule.required(.text),
      "to": Rule.required(.text), "contact": Rule.required(.either([.free, .null])),
      "direction": Rule.required(.choice(["inbound", "outbound", "web"])),
      "status": Rule.required(.choice(["completed", "failed"])), "startedAt": Rule.required(time),
      "endedAt": Rule.required(time), "durationSeconds": Rule.required(.integer(0...1_000_000)),
      "disconnectionReason": Rule.required(textOrNull),
      "transcript": Rule.required(
        .list(
          .object(["role": Rule.required(.choice(["agent", "user"])), "content": Rule.required(.text)]))),
      "summary": Rule.required(textOrNull), "userSentiment": Rule.required(textOrNull),
      "callSuccessful": Rule.required(.either([.bool, .null])),
    ]))
}
