public import RouterCore

/// What a provider of type `openai-speech` says.
struct SpeechSettings: Sendable {
  let backend: HTTPBackend
  let transcriptionPath: String
  let transcriptionModel: String
  let speechPath: String
  let speechModel: String
  let voice: String
  let speed: Double?
  let instructions: String?
  /// What is asked for: raw samples where their rate is known, else WAV, which says it.
  let responseFormat: String
  let sampleRate: Int

  static let defaultBaseURL = "https://api.openai.com/v1"

  init(_ configuration: JSONValue) throws(VoiceFailure) {
    let base = configuration["baseURL"]?.string ?? SpeechSettings.defaultBaseURL
    guard base.hasPrefix("http://") || base.hasPrefix("https://") else {
      throw VoiceFailure(.protocolError, "the provider's baseURL begins with http:// or https://")
    }
    let key = configuration["apiKey"]?.string ?? ""
    var headers: [Header] = []
    if !key.isEmpty {
      headers.append(
        configuration["apiVersion"] == nil ? Header("Authorization", "Bearer \(key)") : Header("api-key", key)
      )
    }
    for (name, value) in (configuration["headers"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
      if let value = value.string { headers.append(Header(name, value)) }
    }
    backend = HTTPBackend(baseURL: base, headers: headers, secrets: [key])
    transcriptionModel = configuration["transcriptionModel"]?.string ?? "gpt-4o-mini-transcribe"
    speechModel = configuration["speechModel"]?.string ?? "gpt-4o-mini-tts"
    // Azure: a deployment for each, and the version in the query.
    let version = configuration["apiVersion"]?.string
    func path(_ key: String, _ usual: String, _ deployment: String) -> String {
      let path = configuration[key]?.string ?? usual
      guard let version else { return path }
      return "/openai/deployments/\(deployment)\(path)?api-version=\(version)"
    }
    transcriptionPath = path("transcriptionPath", "/audio/transcriptions", transcriptionModel)
    speechPath = path("speechPath", "/audio/speech", speechModel)
    voice = configuration["voice"]?.string ?? "alloy"
    speed = configuration["speed"]?.number
    instructions = configuration["instructions"]?.string
    let rate = configuration["sampleRate"]?.integer
    let isKnown = base == SpeechSettings.defaultBaseURL || version != nil || rate != nil
    responseFormat = configuration["responseFormat"]?.string == "wav" || !isKnown ? "wav" : "pcm"
    sampleRate = rate.flatMap { (4000...192_000).contains($0) ? $0 : nil } ?? 24_000
  }
}

extension OpenAISpeech {
  public static func providerKeys(of type: String) -> [ProviderKey]? {
    [
      ProviderKey(
        "baseURL", as: .url(["https", "http"]), "Where the API is (\(SpeechSettings.defaultBaseURL))."),
      ProviderKey("apiKey", "None for servers that want none."),
      ProviderKey("apiVersion", "Azure: the version of the API; models are then deployments."),
      .headers,
      ProviderKey("transcriptionModel", "The ear's model (gpt-4o-mini-transcribe)."),
      ProviderKey("transcriptionPath", "The ear's path (/audio/transcriptions)."),
      ProviderKey("speechModel", "The mouth's model (gpt-4o-mini-tts)."),
      ProviderKey("speechPath", "The mouth's path (/audio/speech)."),
      ProviderKey("voice", "The voice of agents without a voiceId (alloy)."),
      ProviderKey("speed", as: .number(0.25...4), "How fast it speaks (1)."),
      ProviderKey("instructions", "How it speaks, in words."),
      ProviderKey("responseFormat", as: .choice(["pcm", "wav"]), "What the mouth is asked for."),
      ProviderKey("sampleRate", as: .integer(4000...192_000), "Of the mouth's pcm, in Hz."),
    ]
  }
}
