internal import FoundationEssentials
public import RouterCore

/// Speech without an account or a network: flite speaks, pocketsphinx recognises.
///
/// Everything heavy runs on threads of its own; nothing here blocks an event loop or Swift's pool.
public final class OfflineSpeech: Plugin, SpeechSynthesizer, SpeechRecognizer {
  public static let name = "offlineSpeech"

  /// Section `offlineSpeech:` of `routerd.yaml`.
  public struct Configuration: Decodable, Sendable {
    /// The voice when an agent names none that flite has: `slt`, `rms`, `kal` or `kal16`.
    public var voice = "slt"
    /// How many utterances are recognised at the same time; some 30 MB of memory each.
    public var decoders = 2
    /// Where the acoustic model and the dictionary are.
    public var modelDirectory = "/usr/share/pocketsphinx/model/en-us"

    public init() {}

    private enum CodingKeys: CodingKey { case voice, decoders, modelDirectory }

    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      if let voice = try values.decodeIfPresent(String.self, forKey: .voice) {
        guard FliteVoices.names.contains(voice) else {
          throw DecodingError.dataCorruptedError(
            forKey: .voice, in: values,
            debugDescription:
              "flite has no voice \(voice); use one of \(FliteVoices.names.joined(separator: ", "))")
        }
        self.voice = voice
      }
      if let decoders = try values.decodeIfPresent(Int.self, forKey: .decoders) {
        guard (1...16).contains(decoders) else {
          throw DecodingError.dataCorruptedError(
            forKey: .decoders, in: values, debugDescription: "decoders is a number from 1 to 16")
        }
        self.decoders = decoders
      }
      modelDirectory = try values.decodeIfPresent(String.self, forKey: .modelDirectory) ?? modelDirectory
    }
  }

  private let voices: FliteVoices
  private let decoders: DecoderPool

  /// Loads nothing yet: voices and models are loaded when they are first needed.
  public init(_ configuration: Configuration = .init()) {
    voices = FliteVoices(preferred: configuration.voice)
    decoders = DecoderPool(count: configuration.decoders, modelDirectory: configuration.modelDirectory)
  }

  public convenience init(_ configuration: Configuration, _ host: PluginHost) async throws {
    self.init(configuration)
  }

  /// Models are loaded late; that there are any is told early.
  public static func obstacles(to configuration: Configuration) -> [SettingObstacle] {
    PocketSphinx.missing(in: configuration.modelDirectory).map { missing in
      [
        SettingObstacle(
          "modelDirectory", "no acoustic model in \(configuration.modelDirectory): \(missing) is not there",
          hint: "install the package pocketsphinx-en-us, or name the folder that holds its model")
      ]
    } ?? []
  }

  /// It listens for the agent's own questions and cannot take dictation.
  public static func warnings(for agent: AgentConfiguration) -> [String] {
    guard agent.faqs.isEmpty else { return [] }
    return [
      "it hears with the offline recogniser, which knows nothing but an agent's questions, and it has none: name a "
        + "provider in 'speech: {recognizer: …}', or give it 'faqCollections'"
    ]
  }

  /// Speaks sentence by sentence; each is ready some 15 ms for a second of sound after the one before.
  public func speak(_ request: SynthesisRequest) -> AsyncThrowingStream<AudioFrame, any Error> {
    voices.speak(SpokenText.sentences(of: request.text), voice: request.voice)
  }

  /// flite's voices speak English.
  public func speaks(_ language: String) -> Bool { language == "en" }

  /// Listens for the phrases of `request` and nothing else; see docs/decisions/0032-free-phones.md.
  public func open(_ request: RecognitionRequest) async throws -> any RecognitionSession {
    OfflineRecognition(Grammar(phrases: request.phrases), decoders)
  }
}
