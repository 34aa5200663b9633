/// Turns the caller's sound into words.
public protocol SpeechRecognizer: Sendable {
  /// Starts listening for one conversation. Throws ``VoiceFailure``.
  func open(_ request: RecognitionRequest) async throws -> any RecognitionSession
  /// What of an agent this recogniser will hardly hear, a line each, for whoever wrote it: `routerd check` warns with
  /// these words where a text model hears with it.
  static func warnings(for agent: AgentConfiguration) -> [String]
}

extension SpeechRecognizer {
  /// None.
  public static func warnings(for agent: AgentConfiguration) -> [String] { [] }
}

/// What a recogniser is told at the start.
public struct RecognitionRequest: Sendable {
  /// BCP 47, or `nil` for the recogniser's own choice.
  public var language: String?
  /// Sentences and words that are likely here: questions of the agent's FAQs, names. A grammar for those that need one.
  public var phrases: [String]
  /// The provider's own settings, secrets in place: never log this value.
  public var configuration: JSONValue
  /// What the caller's wire carries: a recogniser that can, asks for this format.
  public var wireFormat: AudioFormat
  /// Where ``RecognitionSession/hear(_:)`` will be called, see ``ConversationRequest/executor``.
  public var executor: (any SerialExecutor)?
  public var log: Log
  public init(
    language: String? = nil, phrases: [String] = [], configuration: JSONValue = [:],
    wireFormat: AudioFormat = .muLaw, executor: (any SerialExecutor)? = nil, log: Log
  ) {
    self.language = language
    self.phrases = phrases
    self.configuration = configuration
    self.wireFormat = wireFormat
    self.executor = executor
    self.log = log
  }
}

/// One conversation's recognition. A turn detector tells it where an utterance begins and ends.
public protocol RecognitionSession: Sendable {
  /// The format that ``hear(_:)`` wants; constant for the session.
  var hearingFormat: AudioFormat { get }
  /// Sound of the utterance that is going on, from its beginning (with the padding before it). Must not block.
  func hear(_ audio: AudioFrame)
  /// The utterance is over: ``RecognitionEvent/final(_:confidence:)`` follows, once for each call of this.
  func endUtterance()
  /// One reader. Finishes when closed or after ``RecognitionEvent/failed(_:)``.
  var events: AsyncStream<RecognitionEvent> { get }
  func close() async
}

/// What a recogniser reports.
public enum RecognitionEvent: Sendable, Hashable {
  /// The words so far; replaced by the next event.
  case partial(String)
  /// The utterance; empty when nothing was understood.
  case final(String, confidence: Double?)
  case failed(VoiceFailure)
}

/// Turns words into sound.
public protocol SpeechSynthesizer: Sendable {
  /// Speaks one piece of text, frame by frame as it becomes ready; cancelling the reader stops the work.
  /// Throws ``VoiceFailure``.
  func speak(_ request: SynthesisRequest) -> AsyncThrowingStream<AudioFrame, any Error>
  /// Whether it speaks a language, by its primary tag (`en`, `de`).
  func speaks(_ language: String) -> Bool
}

extension SpeechSynthesizer {
  /// Every language, for those that find out themselves.
  public func speaks(_ language: String) -> Bool { true }
}

/// What is to be spoken.
public struct SynthesisRequest: Sendable {
  public var text: String
  /// The agent's `voiceId`; an unknown one falls back to the synthesiser's own choice.
  public var voice: String?
  public var language: String?
  /// What the wire carries: a synthesiser that can, speaks it.
  public var preferredFormat: AudioFormat
  /// The provider's own settings, secrets in place: never log this value.
  public var configuration: JSONValue
  public init(
    text: String, voice: String? = nil, language: String? = nil, preferredFormat: AudioFormat = .muLaw,
    configuration: JSONValue = [:]
  ) {
    self.configuration = configuration
    self.text = text
    self.voice = voice
    self.language = language
    self.preferredFormat = preferredFormat
  }
}
