internal import FoundationEssentials
public import RouterCore

/// An ear that listens while the caller speaks, and a mouth, both Deepgram's.
/// https://developers.deepgram.com/reference/speech-to-text/listen-streaming
public final class DeepgramSpeech: Plugin, SpeechRecognizer, SpeechSynthesizer {
  public static let name = "deepgramSpeech"
  /// The `type:` of its providers.
  public static let type = "deepgram"

  private let client: @Sendable (EventLoop?) -> HTTPClient

  public convenience init(_ configuration: NoConfiguration, _ host: PluginHost) {
    self.init { loop in loop.map { host.clients.client(on: $0) } ?? host.http }
  }

  /// Speech over other ways out; for tests.
  public init(_ client: @escaping @Sendable (EventLoop?) -> HTTPClient) { self.client = client }

  public func open(_ request: RecognitionRequest) async throws -> any RecognitionSession {
    let settings = try DeepgramSettings(request)
    do {
      // On the call's own loop sound goes out without a change of threads.
      let socket = try await WebSocket.connect(
        settings.listenURL, headers: settings.backend.headers, over: client(request.executor as? EventLoop),
        deadline: .seconds(8))
      let session = DeepgramRecognition(socket, settings)
      await session.start()
      return session
    } catch {
      throw settings.backend.failure(error).failure
    }
  }

  public func speak(_ request: SynthesisRequest) -> AsyncThrowingStream<AudioFrame, any Error> {
    let settings: DeepgramSettings
    do { settings = try DeepgramSettings(request.configuration) } catch {
      return AsyncThrowingStream { $0.finish(throwing: error) }
    }
    let format = DeepgramSpeech.format(request.preferredFormat)
    let http = client(nil)
    // Aura takes 2000 characters.
    let response = SpokenResponse(settings.backend, format: format, maximumCharacters: 1900) {
      (text) async throws(BackendFailure) in
      do throws(BackendFailure) {
        return try await DeepgramSpeech.open(text, request.voice, format, settings, http)
      } catch {
        // A voice that it does not have must not silence the agent.
        guard request.voice != nil, error.failure.kind == .protocolError else { throw error }
        return try await DeepgramSpeech.open(text, nil, format, settings, http)
      }
    }
    return response.frames(request.text)
  }

  /// What it can speak of what is wanted.
  private static func format(_ wanted: AudioFormat) -> AudioFormat {
    switch wanted.encoding {
    case .muLaw, .aLaw: wanted.sampleRate == 8000 ? wanted : .linear16(16000)
    case .linear16: [8000, 16000, 24000, 48000].contains(wanted.sampleRate) ? wanted : .linear16(16000)
    }
  }

  private static func open(
    _ text: String, _ voice: String?, _ format: AudioFormat, _ settings: DeepgramSettings, _ http: HTTPClient
  ) async throws(BackendFailure) -> HTTPStream {
    try await settings.backend.open(
      settings.speakPath(voice, format), headers: [Header("Content-Type", "application/json")],
      body: Array(JSONValue.object(["text": .string(text)]).text.utf8), maximumBodyBytes: 64 << 20,
      limits: HTTPStreamLimits(head: .seconds(8), idle: .seconds(8)), over: http)
  }
}
