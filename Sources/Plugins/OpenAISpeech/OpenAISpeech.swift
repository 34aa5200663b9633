internal import FoundationEssentials
public import RouterCore

/// An ear and a mouth behind the audio endpoints of the OpenAI API, and of servers that have them too.
/// https://platform.openai.com/docs/api-reference/audio
public final class OpenAISpeech: Plugin, SpeechRecognizer, SpeechSynthesizer {
  public static let name = "openAISpeech"
  /// The `type:` of its providers.
  public static let type = "openai-speech"

  private let http: any HTTPStreaming

  public convenience init(_ configuration: NoConfiguration, _ host: PluginHost) { self.init(over: host.http) }

  /// Speech over another way out; for tests.
  public init(over http: any HTTPStreaming) { self.http = http }

  public func open(_ request: RecognitionRequest) async throws -> any RecognitionSession {
    OpenAIRecognition(try SpeechSettings(request.configuration), request, http)
  }

  public func speak(_ request: SynthesisRequest) -> AsyncThrowingStream<AudioFrame, any Error> {
    let settings: SpeechSettings
    do { settings = try SpeechSettings(request.configuration) } catch {
      return AsyncThrowingStream { $0.finish(throwing: error) }
    }
    // The limit is 4096 characters (`CreateSpeechRequest`).
    let response = SpokenResponse(
      settings.backend, format: .linear16(settings.sampleRate), maximumCharacters: 4000
    ) { [http] (text) async throws(BackendFailure) in
      let wanted = request.voice ?? settings.voice
      do throws(BackendFailure) {
        return try await OpenAISpeech.open(text, wanted, settings, http)
      } catch {
        // A voice that it does not have must not silence the agent.
        guard wanted != settings.voice, error.failure.kind == .protocolError else { throw error }
        return try await OpenAISpeech.open(text, settings.voice, settings, http)
      }
    }
    return response.frames(request.text)
  }

  private static func open(
    _ text: String, _ voice: String, _ settings: SpeechSettings, _ http: any HTTPStreaming
  ) async throws(BackendFailure) -> HTTPStream {
    var body: [String: JSONValue] = [
      "model": .string(settings.speechModel), "input": .string(text), "voice": .string(voice),
      "response_format": .string(settings.responseFormat),
    ]
    if let speed = settings.speed { body["speed"] = .number(speed) }
    // `tts-1` takes none.
    if let instructions = settings.instructions, !settings.speechModel.hasPrefix("tts-1") {
      body["instructions"] = .string(instructions)
    }
    return try await settings.backend.open(
      settings.speechPath, headers: [Header("Content-Type", "application/json")],
      body: Array(JSONValue.object(body).text.utf8), maximumBodyBytes: 64 << 20,
      limits: HTTPStreamLimits(head: .seconds(8), idle: .seconds(8)), over: http)
  }
}
