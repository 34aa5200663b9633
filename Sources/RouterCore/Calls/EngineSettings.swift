/// The `engine:` section of `routerd.yaml`: every limit of a call's life, with its default.
///
/// Seconds are whole numbers unless the name says milliseconds.
public struct EngineSettings: Sendable, Hashable, Decodable {
  /// Calls at once in this process; more get 503 with `Retry-After`.
  public var maximumCalls = 2000
  /// No call lasts longer, whatever its agent allows.
  public var maximumDuration = 14400
  /// How long one agent may take to be ready (its voice session opened), before the next one is tried.
  public var answerDeadline = 8
  /// How long a caller may wait for the answer in all, over every agent that is tried.
  public var ringSeconds = 45
  /// An agent that is ready within this time answers without a 180 before; 0 rings at once, unless the
  /// agent is ready without any waiting.
  public var ringDelayMilliseconds = 0
  /// How long an answered call may be without an agent while others are tried.
  public var noAgentSeconds = 20
  /// Agents, transfers and rejections that are tried in one call.
  public var maximumTargets = 16

  /// How long a tool may take.
  public var toolSeconds = 10
  /// Tools of one call at once; more get an error as their result.
  public var maximumTools = 8
  /// A tool's result as JSON; a longer one is cut.
  public var toolResultBytes = 16384
  /// How long the functions of an agent may take to be ready before its conversation begins without them.
  public var toolOpenSeconds = 4
  /// A tool that takes longer is bridged with words; 0 is never.
  public var fillerMilliseconds = 1500
  /// These words, by language; for other languages, and without this setting, ``FillerWords/usual``.
  public var fillerWords: [String: [String]] = [:]
  /// Addresses that tools may reach although they are not public.
  public var toolNetworks: [AddressPrefix] = []

  /// The caller cannot interrupt the agent's first turn for this long; 0 is never.
  public var greetingProtectionMilliseconds = 0
  /// An agent that began a turn and gives no sound for so long has failed.
  public var silentTurnSeconds = 10
  /// How long the last words may take before a hang-up or a transfer that the agent asked for.
  public var goodbyeSeconds = 15
  /// Said when no agent is left in the middle of a call; empty is nothing.
  public var apology = EngineSettings.usualApology
  /// When a silent backend is given up, and what the caller hears meanwhile.
  public var failover = FailoverSettings()

  /// How long the end of a call may take on the caller's side and the agent's.
  public var hangUpSeconds = 5
  /// How long draining waits for live calls before it ends them.
  public var drainSeconds = 60
  /// `Retry-After` of a call that is refused because the engine is full or draining.
  public var retryAfter = 30

  /// Lines that one call's transcript keeps; then it ends with a note.
  public var transcriptEntries = 2000
  /// UTF-8 bytes that one call's transcript keeps.
  public var transcriptBytes = 262_144
  /// How often a record that could not be saved is tried again.
  public var saveRetries = 3
  /// Events that wait for an observer who is slow; older ones are dropped.
  public var observerBuffer = 1024

  /// Event loops for audio, over which calls are spread: `auto` (`nil`) is one for each core, 0 shares the loop of
  /// signalling, 64 is the most.
  public var mediaLoops: Int?

  static let usualApology = "I am sorry, something went wrong here. Please call again later."

  /// The defaults.
  public init() {}

  private enum CodingKeys: String, CodingKey {
    case maximumCalls, maximumDuration, answerDeadline, ringSeconds, ringDelayMilliseconds, noAgentSeconds
    case maximumTargets, toolSeconds, maximumTools, toolResultBytes, toolOpenSeconds
    case fillerMilliseconds, fillerWords, toolNetworks, greetingProtectionMilliseconds
    case silentTurnSeconds, goodbyeSeconds, apology, failover, hangUpSeconds, drainSeconds, retryAfter
    case transcriptEntries, transcriptBytes, saveRetries, observerBuffer, mediaLoops
  }

  /// Reads the section; what is not there keeps its default. Throws `DecodingError` for a number below its least
  /// useful value.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func read(_ key: CodingKeys, _ path: WritableKeyPath<EngineSettings, Int>, least: Int) throws {
      guard let value = try values.decodeIfPresent(Int.self, forKey: key) else { return }
      guard value >= least else {
        throw DecodingError.dataCorruptedError(
          forKey: key, in: values, debugDescription: "\(key.stringValue) must be \(least) or more")
      }
      self[keyPath: path] = value
    }
    try read(.maximumCalls, \.maximumCalls, least: 1)
    try read(.maximumDuration, \.maximumDuration, least: 1)
    try read(.answerDeadline, \.answerDeadline, least: 1)
    try read(.ringSeconds, \.ringSeconds, least: 1)
    try read(.ringDelayMilliseconds, \.ringDelayMilliseconds, least: 0)
    try read(.noAgentSeconds, \.noAgentSeconds, least: 1)
    try read(.maximumTargets, \.maximumTargets, least: 1)
    try read(.toolSeconds, \.toolSeconds, least: 1)
    try read(.maximumTools, \.maximumTools, least: 1)
    try read(.toolResultBytes, \.toolResultBytes, least: 256)
    try read(.toolOpenSeconds, \.toolOpenSeconds, least: 1)
    try read(.fillerMilliseconds, \.fillerMilliseconds, least: 0)
    fillerWords = try values.decodeIfPresent([String: [String]].self, forKey: .fillerWords) ?? fillerWords
    toolNetworks = try (values.decodeIfPresent([String].self, forKey: .toolNetworks) ?? []).map { text in
      guard let block = AddressPrefix(text) else {
        throw DecodingError.dataCorruptedError(
          forKey: .toolNetworks, in: values, debugDescription: "\(text) is no address or prefix")
      }
      return block
    }
    try read(.greetingProtectionMilliseconds, \.greetingProtectionMilliseconds, least: 0)
    try read(.silentTurnSeconds, \.silentTurnSeconds, least: 1)
    try read(.goodbyeSeconds, \.goodbyeSeconds, least: 0)
    try read(.hangUpSeconds, \.hangUpSeconds, least: 1)
    try read(.drainSeconds, \.drainSeconds, least: 0)
    try read(.retryAfter, \.retryAfter, least: 1)
    try read(.transcriptEntries, \.transcriptEntries, least: 1)
    try read(.transcriptBytes, \.transcriptBytes, least: 256)
    try read(.saveRetries, \.saveRetries, least: 0)
    try read(.observerBuffer, \.observerBuffer, least: 1)
    if let text = try values.decodeIfPresent(String.self, forKey: .mediaLoops), text != "auto" {
      guard let count = Int(text), (0...64).contains(count) else {
        throw DecodingError.dataCorruptedError(
          forKey: .mediaLoops, in: values, debugDescription: "mediaLoops is auto, or a number from 0 to 64")
      }
      mediaLoops = count
    }
    apology = try values.decodeIfPresent(String.self, forKey: .apology) ?? apology
    failover = try values.decodeIfPresent(FailoverSettings.self, forKey: .failover) ?? failover
  }
}
