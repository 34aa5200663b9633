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

  /// A provider that hears or speaks for a text model.
  public struct SpeechProvider: Sendable, Hashable, Codable {
    /// The provider's name in the route files.
    public var name: String
    /// Its `type:`, which names the plugin.
    public var type: String
    /// Its own settings, secrets in place: never log this value.
    public var configuration: JSONValue

    /// Needs no account, and no definition.
    public static let offline = SpeechProvider(name: "offline", type: "offline")

    public init(name: String, type: String, configuration: JSONValue = [:]) {
      self.name = name
      self.type = type
      self.configuration = configuration
    }
  }

  /// Who goes on when the agent's backend fails.
  public enum Fallback: Sendable, Hashable, Codable, ExpressibleByStringLiteral {
    /// Another agent, by its name.
    case agent(String)
    /// Somebody else, who gets the caller.
    case transfer(TransferRequest)

    public init(stringLiteral name: String) { self = .agent(name) }
  }

  /// What the agent remembers from one conversation to the next.
  public struct Memory: Sendable, Hashable, Codable {
    /// How the same person is recognised.
    public enum Identity: String, Sendable, Hashable, Codable {
      /// By the caller's number in E.164; anonymous callers are nobody.
      case caller
      /// By what the calling application calls the person.
      case externalClientId
    }

    public var by: Identity
    /// So many of the last conversations.
    public var conversations: Int
    /// For so many days.
    public var days: Int
    public init(by: Identity = .caller, conversations: Int = 3, days: Int = 30) {
      self.by = by
      self.conversations = conversations
      self.days = days
    }
  }

  /// How long a caller may be left without a voice, in milliseconds; what is `nil` is as the engine's settings say, 0
  /// is never.
  public struct Patience: Sendable, Hashable, Codable {
    /// Until the backend must be ready.
    public var open: Int?
    /// After the answer, the end of the caller's turn or the last sound: then a word to the caller.
    public var word: Int?
    /// From the same moment: then the next fallback.
    public var firstAudio: Int?
    public init(open: Int? = nil, word: Int? = nil, firstAudio: Int? = nil) {
      self.open = open
      self.word = word
      self.firstAudio = firstAudio
    }
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
  /// What it may use, from the snapshot that routed the call; its knowledge and FAQs among them.
  public var functions: [FunctionDefinition]
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
  /// Who hears for a text model, and who speaks for it.
  public var recognizer: SpeechProvider = .offline
  public var synthesizer: SpeechProvider = .offline
  /// `providerSettings` as merged, for the model adapter.
  public var providerSettings: JSONValue
  /// Who goes on when the backend fails, in order.
  public var fallback: [Fallback]
  /// What the agent remembers of people; `nil` is nothing.
  public var memory: Memory?
  /// How long a caller may be left without a voice.
  public var patience: Patience
  /// Seconds after which the call is ended.
  public var maximumDuration: Int
  /// Free labels, for those whom the agent has to do with.
  public var tags: [String: String] = [:]

  public init(
    name: String, instructions: String = "", voiceId: String? = nil, language: String? = nil,
    initialSpeech: String? = nil, functions: [FunctionDefinition] = [], faqs: [FAQ] = [],
    knowledgeBase: String? = nil,
    turnDetection: TurnDetection = .init(), humanHandoff: HumanHandoff = .init(),
    provider: String = "offline",
    providerType: String = "offline", providerConfiguration: JSONValue = [:],
    providerSettings: JSONValue = [:], fallback: [Fallback] = [],
    memory: Memory? = nil, patience: Patience = Patience(), maximumDuration: Int = 14400
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
    self.memory = memory
    self.patience = patience
    self.maximumDuration = maximumDuration
  }

  /// Adds to what the agent is told.
  mutating func add(instructions text: String) {
    guard !text.isEmpty else { return }
    instructions += (instructions.isEmpty ? "" : "\n\n") + text
  }
}
