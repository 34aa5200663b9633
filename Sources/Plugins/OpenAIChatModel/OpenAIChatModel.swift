public import RouterCore

/// A text model behind the Chat Completions API, streamed: OpenAI, Azure OpenAI, and whoever speaks it too (llama.cpp,
/// vLLM, Ollama, …). https://platform.openai.com/docs/api-reference/chat
public final class OpenAIChatModel: Plugin, TextModel {
  public static let name = "openAIChat"
  /// The `type:` of its providers.
  public static let type = "openai-chat"

  /// A turn that takes longer than this, the speaking excluded, is given up.
  private static let wholeTurn = Duration.seconds(120)
  private static let maximumBytes = 8 << 20
  /// What the caller hears when the service's filter took the answer away.
  private static let apology = "I am sorry, I cannot talk about that."

  private let http: any HTTPStreaming

  public convenience init(_ configuration: NoConfiguration, _ host: PluginHost) { self.init(over: host.http) }

  /// A model over another way out; for tests.
  public init(over http: any HTTPStreaming) { self.http = http }

  public func respond(to request: TextRequest) -> AsyncThrowingStream<TextEvent, any Error> {
    // Unbounded, but no larger than the exchange's limit of bytes.
    AsyncThrowingStream { continuation in
      let task = Task {
        do {
          try await answer(request) { continuation.yield($0) }
          continuation.finish()
        } catch {
          continuation.finish(throwing: error)
        }
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }

  private func answer(_ request: TextRequest, _ tell: (TextEvent) -> Void) async throws(VoiceFailure) {
    let settings = try ChatSettings(request.agent)
    do throws(BackendFailure) {
      try await converse(request, settings, tell)
    } catch {
      guard error.code == "content_filter" else { throw error.failure }
      request.log.warning("the model's service refused the conversation", ("words", error.failure.message))
      tell(.text(OpenAIChatModel.apology))
    }
  }

  /// One answer: asked for again while nothing of it has come, and read to its end.
  private func converse(
    _ request: TextRequest, _ settings: ChatSettings, _ tell: (TextEvent) -> Void
  ) async throws(BackendFailure) {
    let body = Array(ChatMessages.body(request, settings).text.utf8)
    var (reader, pieces) = try await BackendFailure.retrying(settings.retries, within: settings.firstToken) {
      (left) async throws(BackendFailure) in
      try await self.begin(body, settings, request.turn, within: left)
    }
    var hasSpoken = false
    while true {
      for piece in pieces {
        switch piece {
        case .text(let text):
          hasSpoken = true
          tell(.text(text))
        case .toolCall(let call): tell(.toolCall(call))
        case .failed(let words, let code): throw OpenAIChatModel.failure(words, code, settings.backend)
        case .finished(let reason):
          note(reason, hasSpoken, request.log, tell)
          let rest = reader
          Task { await rest.drain(within: .seconds(2)) }
          return
        }
      }
      guard let more = try await reader.next(within: settings.idle) else { return }
      pieces = more
    }
  }

  /// Sends the request and reads until something of the answer is there.
  private func begin(
    _ body: [UInt8], _ settings: ChatSettings, _ turn: TurnID, within limit: Duration
  ) async throws(BackendFailure) -> (ChatReader, [ChatTurn.Piece]) {
    let deadline = ContinuousClock.now + limit
    let stream = try await settings.backend.open(
      settings.path, body: body, deadline: OpenAIChatModel.wholeTurn,
      maximumBodyBytes: OpenAIChatModel.maximumBytes,
      limits: HTTPStreamLimits(head: limit, idle: .seconds(60)),
      over: http)
    var reader = try ChatReader(stream, settings.backend, turn)
    while let pieces = try await reader.next(within: deadline - ContinuousClock.now) {
      if case .failed(let words, let code)? = pieces.first {
        throw OpenAIChatModel.failure(words, code, settings.backend)
      }
      if case .finished? = pieces.first, !reader.turn.hasContent, reader.turn.finishReason == nil {
        throw BackendFailure(
          VoiceFailure(.closed, "the answer ended before its first word"), isTransient: true)
      }
      if !pieces.isEmpty { return (reader, pieces) }
    }
    throw BackendFailure(VoiceFailure(.closed, "there was no answer"), isTransient: true)
  }

  /// An error in the middle of a stream, whose status was 200.
  private static func failure(_ words: String, _ code: String?, _ backend: HTTPBackend) -> BackendFailure {
    let code = code ?? ""
    let isLimit = code.contains("rate_limit")
    return BackendFailure(
      VoiceFailure(isLimit ? .rateLimited : .protocolError, backend.redacted(words)), code: code,
      isTransient: !["invalid", "quota", "content_filter"].contains { code.contains($0) })
  }

  private func note(_ reason: String, _ hasSpoken: Bool, _ log: Log, _ tell: (TextEvent) -> Void) {
    switch reason {
    case "length": log.warning("the model's answer was cut at its limit of tokens")
    case "content_filter":
      log.warning("the service's filter cut the model's answer")
      if !hasSpoken { tell(.text(OpenAIChatModel.apology)) }
    case "": log.info("the model's answer ended without a reason")
    default: break
    }
  }
}
