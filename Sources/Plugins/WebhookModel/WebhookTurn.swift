internal import FoundationEssentials
internal import RouterCore

/// One turn: asks the webhook, and passes on what it answers as it arrives. Cancelling the task ends the request at
/// once, which is how the other side learns of an interruption.
struct WebhookTurn: Sendable {
  let request: TextRequest
  let settings: WebhookSettings
  let http: any HTTPStreaming
  let yield: @Sendable (TextEvent) -> Void

  /// How long an answer may take in all; the contract bounds only its beginning.
  static let longestAnswer = Duration.seconds(300)
  /// Turns without an answer in a row, after which the webhook counts as gone.
  static let patience = 3
  static let unanswered = "webhook: no answer"

  func run() async throws {
    switch request.prompt {
    case .greeting:
      // The agent's first words need no webhook; without them it is asked with nothing said.
      if let words = request.agent.initialSpeech, !words.isEmpty { return yield(.text(words)) }
      try await ask("")
    case .takeover: try await ask("")
    case .speech(let words, let confidence): try await ask(words, confidence: confidence)
    case .digits(let digits): try await ask(digits, digits: digits)
    // The contract has no word for it; the handler answers what it can read.
    case .information(let text): try await ask("[\(text)]")
    case .silence: if !settings.silence.isEmpty { yield(.text(settings.silence)) }
    case .toolResults(let results):
      // Keys that were pressed need no words; a transfer that failed does.
      if results.contains(where: \.isError), !settings.apology.isEmpty { yield(.text(settings.apology)) }
    }
  }

  private func ask(_ words: String, confidence: Double? = nil, digits: String? = nil) async throws {
    let now = Date()
    let event = WebhookEvents.message(
      words, confidence: confidence, digits: digits, in: request, contextLimit: settings.contextLimit, at: now
    )
    var message = settings.request(
      Array(event.text.utf8), id: DeliveryID.make(), unixTime: Int(now.timeIntervalSince1970))
    message.deadline = settings.timeout + Self.longestAnswer
    message.maximumBodyBytes = WebhookReader.maximumBytes
    let limits = HTTPStreamLimits(head: settings.timeout, idle: settings.timeout)
    do {
      let answer = try await http.stream(message, limits: limits)
      guard (200...299).contains(answer.status) else { return try await refused(answer) }
      let isAnswered = try await pass(answer.body)
      try Task.checkCancellation()
      if !isAnswered { try drop("an answer without words") }
    } catch let error as HTTPError {
      try Task.checkCancellation()
      switch error.kind {
      case .timedOut, .tooLarge: try drop(error.message)
      // What was spoken before it broke stays spoken.
      case .closed, .protocolError, .cancelled: try drop(error.message)
      default: throw VoiceFailure(.unreachable, error.message)
      }
    }
  }

  /// Passes the answer on. Returns whether there was one.
  private func pass(_ body: HTTPBody) async throws -> Bool {
    var reader = WebhookReader()
    var isAnswered = false
    while let piece = try await body.next() {
      for chunk in reader.add(piece) {
        isAnswered = give(chunk) || isAnswered
        // What follows the end of the turn is nobody's; letting go of the body ends the request.
        if !chunk.isInterim { return isAnswered }
      }
    }
    for chunk in reader.end() { isAnswered = give(chunk) || isAnswered }
    if reader.ignored > 0 {
      request.log.warning("the webhook's answer has \(reader.ignored) lines that are no objects")
    }
    return isAnswered
  }

  /// Speaks and does what a chunk says. Returns whether it says anything.
  private func give(_ chunk: WebhookChunk) -> Bool {
    // The line break ends the sentence: a chunk is spoken when it is there.
    if chunk.text.contains(where: { !$0.isWhitespace }) { yield(.text(chunk.text + "\n")) }
    var acts = false
    func use(_ tool: String, _ arguments: JSONValue = [:]) {
      guard request.tools.contains(where: { $0.name == tool }) else {
        return request.log.warning("the webhook wants \(tool), which this agent cannot")
      }
      acts = true
      let id = "\(tool)-\(request.turn.number)"
      yield(.toolCall(ToolCall(id: id, name: tool, arguments: arguments, turn: request.turn)))
    }
    if !chunk.digits.isEmpty { use(Tool.sendDigits, ["digits": .string(chunk.digits)]) }
    if chunk.transfers { use(Tool.handOver) }
    if chunk.hangsUp { use(Tool.hangUp) }
    return acts || !chunk.text.isEmpty
  }

  // MARK: No answer

  private func refused(_ answer: HTTPStream) async throws {
    let words = try await answer.body.next().map { String(decoding: $0.prefix(200), as: UTF8.self) } ?? ""
    let text = clean("the webhook answered \(answer.status) \(words)")
    switch answer.status {
    case 401, 403: throw VoiceFailure(.unauthorized, text)
    case 429: throw VoiceFailure(.rateLimited, text)
    case 500...599: try drop(text)
    default: throw VoiceFailure(.protocolError, text)  // it moved, is gone, or wants something else
    }
  }

  /// The turn is lost and the call goes on; a webhook that never answers is given up.
  private func drop(_ words: String) throws {
    if lostTurns + 1 >= Self.patience { throw VoiceFailure(.timedOut, clean(words)) }
    yield(.trouble("the webhook did not answer: \(clean(words))"))
    yield(.note(Self.unanswered))
    if !settings.apology.isEmpty { yield(.text(settings.apology)) }
  }

  /// Turns without an answer right before this one, as the transcript tells.
  private var lostTurns: Int {
    let lost = Set(
      request.transcript.filter { $0.kind == .note && $0.text == Self.unanswered }.compactMap(\.turn))
    var turns: [TurnID] = []
    for turn in request.transcript.reversed().compactMap(\.turn) where turns.last != turn {
      turns.append(turn)
    }
    return turns.prefix { lost.contains($0) }.count
  }

  private func clean(_ words: String) -> String {
    guard let secret = settings.secret, secret.count >= 4 else { return words }
    return words.replacing(secret, with: "…")
  }
}

/// Identifiers of deliveries: unique, and the same for a retry.
enum DeliveryID {
  static func make() -> String {
    "whd_" + Digest.hexadecimal((0..<16).map { _ in UInt8.random(in: .min ... .max) })
  }
}
