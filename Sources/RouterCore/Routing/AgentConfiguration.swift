/// What one call's agent is, after all overrides: decoded from the merged JSON, references resolved.
///
/// Field names are those of the REST contract, so a JSON body pastes into YAML and back.
public struct AgentConfiguration: Sendable, Hashable, Codable {
  /// One question that the agent answers with stored words.
  public struct FAQ: Sendable, Hashable, Codable {
    public var question: String
    public var answer: String
    /// Other ways to ask it.
    public var phrases: [String]
    public init(question: String, answer: String, phrases: [String] = []) {
      self.question = question
      self.answer = answer
      self.phrases = phrases
    }
  }

  /// When a caller's turn begins and ends.
  public struct TurnDetection: Sendable, Hashable, Codable {
    /// 0…1: how far above the noise speech must be; higher wants clearer speech.
    public var threshold: Double = 0.5
    /// Milliseconds of sound before the detected start that belong to the turn.
    public var prefixPadding: Int = 300
    /// Milliseconds of silence that end the turn.
    public var silenceDuration: Int = 500
    public init() {}

    private enum CodingKeys: String, CodingKey {
      case threshold
      case prefixPadding = "prefix_padding_ms"
      case silenceDuration = "silence_duration_ms"
    }
  }

  /// Handing the caller to a person.
  public struct HumanHandoff: Sendable, Hashable, Codable {
    public var enabled: Bool = false
    /// An extension, a number, or a `sip:`/`tel:` URI.
    public var transferExtension: String?
    /// When to hand over, for the model.
    public var transferDescription: String?
    public init() {}
  }

  /// The agent's name in the route files.
  public var name: String
  /// What the agent is told to be: the companion's instructions, or `providerSettings.instructions`.
  public var instructions: String
  public var voiceId: String?
  /// A BCP 47 tag; `nil` leaves the language open.
  public var language: String?
  /// How the agent opens the call; a model reads it as an instruction, the offline agent says it word for word.
  public var initialSpeech: String?
  public var functions: [String]
  public var faqs: [FAQ]
  public var knowledgeBase: String?
  public var turnDetection: TurnDetection
  public var humanHandoff: HumanHandoff
  /// Name of the provider (model backend) that carries the conversation; `offline` needs no account.
  public var provider: String
  /// The provider's `type:`, which names the ``VoiceModel`` to use.
  public var providerType: String
  /// The provider's own settings, secrets in place: never log this value.
  public var providerConfiguration: JSONValue
  /// `providerSettings` as merged, for the model adapter.
  public var providerSettings: JSONValue
  /// Agents to go on with when the backend fails, in order.
  public var fallback: [String]
  /// Seconds after which the call is ended.
  public var maximumDuration: Int

  public init(
    name: String, instructions: String = "", voiceId: String? = nil, language: String? = nil,
    initialSpeech: String? = nil, functions: [String] = [], faqs: [FAQ] = [], knowledgeBase: String? = nil,
    turnDetection: TurnDetection = .init(), humanHandoff: HumanHandoff = .init(),
    provider: String = "offline",
    providerType: String = "offline", providerConfiguration: JSONValue = [:],
    providerSettings: JSONValue = [:], fallback: [String] = [],
    maximumDuration: Int = 14400
  ) {
    self.name = name
    self.instructions = instructions
    self.voiceId = voiceId
    self.language = language
    self.initialSpeech = initialSpeech
    self.functions = functions
    self.faqs = faqs
    self.knowledgeBase = knowledgeBase
    self.turnDetection = turnDetection
    self.humanHandoff = humanHandoff
    self.provider = provider
    self.providerType = providerType
    self.providerConfiguration = providerConfiguration
    self.providerSettings = providerSettings
    self.fallback = fallback
    self.maximumDuration = maximumDuration
  }
}
