public import FoundationEssentials

/// Asks a ``PreAnswerHook`` about a call: one signed POST within a hard deadline, and a typed answer whatever happens.
///
/// The body is JSON: `{"event": "call.routing", "call": {…}, "decision": {"id", "route", "version", "summary"}}`. With a
/// secret, `X-Routerd-Signature: t=UNIXTIME,v1=HEX` carries the HMAC-SHA256 of `UNIXTIME.BODY`.
public struct PreAnswerQuestion: Sendable {
  /// What came of it.
  public struct Outcome: Sendable, Hashable {
    public var advice: PreAnswerAdvice
    /// For the log and the record: what was answered, or why the default applies.
    public var note: String
    /// Whether the server gave a usable answer in time.
    public var isAnswered: Bool
  }

  private let hook: PreAnswerHook
  private let http: any HTTPSending

  /// A question that goes out over `http`.
  public init(_ hook: PreAnswerHook, over http: any HTTPSending) {
    self.hook = hook
    self.http = http
  }

  /// Asks. Returns no later than the hook's deadline (plus scheduling).
  public func ask(about call: InboundCall, _ decision: RouteDecision, now: Date = Date()) async -> Outcome {
    let body = PreAnswerQuestion.body(call, decision)
    var request = HTTPRequest(
      "POST", url: hook.url, headers: PreAnswerQuestion.headers(for: body, secret: hook.secret, now: now),
      body: body,
      deadline: hook.deadline, maximumBodyBytes: 64 << 10)
    request.reach = hook.reach
    do {
      let response = try await http.send(request)
      guard (200..<300).contains(response.status) else {
        return fallback("the hook answered \(response.status)")
      }
      return Outcome(
        advice: try PreAnswerAdvice(parsing: response.body), note: "the hook answered", isAnswered: true)
    } catch let error as HTTPError {
      return fallback(
        error.kind == .timedOut ? "the hook did not answer in time" : "the hook: \(error.message)")
    } catch {
      return fallback("the hook's answer is no use: \(error)")
    }
  }

  private func fallback(_ why: String) -> Outcome { PreAnswerQuestion.unanswered(hook, why) }

  /// What follows when a hook gave no usable answer.
  static func unanswered(_ hook: PreAnswerHook, _ why: String) -> Outcome {
    switch hook.onFailure {
    case .proceed: Outcome(advice: .proceed, note: why, isAnswered: false)
    case .reject:
      Outcome(
        advice: .reject(CallEnd(.agentUnavailable, text: "the pre-answer hook gave no answer")), note: why,
        isAnswered: false)
    }
  }

  private struct Body: Encodable {
    struct Decision: Encodable {
      let id: String
      let route: String?
      let version: String
      let summary: String
    }

    let event = "call.routing"
    let call: InboundCall
    let decision: Decision
  }

  private static func body(_ call: InboundCall, _ decision: RouteDecision) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    let body = Body(
      call: call,
      decision: .init(
        id: decision.id, route: decision.route, version: decision.snapshotVersion, summary: decision.summary))
    guard let data = try? encoder.encode(body) else {  // plain values: a failure would be our mistake
      preconditionFailure("a call that is no JSON")
    }
    return Array(data)
  }

  private static func headers(for body: [UInt8], secret: String?, now: Date) -> [Header] {
    var headers = [Header("Content-Type", "application/json"), Header("Accept", "application/json")]
    if let secret { headers.append(RequestSignature.header(for: body, secret: secret, now: now)) }
    return headers
  }
}

extension PreAnswerAdvice {
  private struct Answer: Decodable {
    var action: String?
    var agent: String?
    var overrides: JSONValue?
    var transfer: String?
    var code: Int?
    var reason: String?
  }

  /// What is wrong with an answer, for the log.
  struct Unusable: Error, CustomStringConvertible {
    let description: String
  }

  /// Reads `{"action": "continue" | "agent" | "transfer" | "reject", …}`; an empty body means `continue`.
  public init(parsing body: [UInt8]) throws {
    guard body.contains(where: { $0 > 32 }) else {
      self = .proceed
      return
    }
    guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(body)) else {  // told below
      throw Unusable(description: "not a JSON object of the expected form")
    }
    switch answer.action ?? "continue" {
    case "continue":
      self = .proceed
    case "agent":
      guard let agent = answer.agent else { throw Unusable(description: "action agent without \"agent\"") }
      self = .agent(agent, overrides: answer.overrides ?? [:])
    case "transfer":
      guard let target = answer.transfer, !target.isEmpty else {
        throw Unusable(description: "action transfer without \"transfer\"")
      }
      self = .transfer(TransferRequest(target: target))
    case "reject":
      let code = answer.code ?? 603
      guard (400..<700).contains(code) else {
        throw Unusable(description: "code \(code) is no SIP refusal (400…699)")
      }
      self = .reject(CallEnd(.rejectedByRoute, text: answer.reason ?? "Declined", sipStatus: code))
    case let other:
      throw Unusable(
        description: "unknown action \"\(other.prefix(40))\"; use continue, agent, transfer or reject")
    }
  }
}
