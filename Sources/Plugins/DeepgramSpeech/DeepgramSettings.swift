public import RouterCore

/// What a provider of type `deepgram` says.
struct DeepgramSettings: Sendable {
  let backend: HTTPBackend
  /// `wss://…` with the query of one conversation's ear.
  let listenURL: String
  let hearing: AudioFormat
  private let speakModel: String

  static let defaultBaseURL = "https://api.deepgram.com"
  /// Phrases that are given to the recogniser, and their longest.
  private static let maximumKeyterms = 50
  private static let maximumKeyterm = 60
  /// All of them together, in UTF-8: the service takes 500 tokens, of three bytes and more.
  private static let maximumKeytermBytes = 1500

  /// For hearing.
  init(_ request: RecognitionRequest) throws(VoiceFailure) {
    try self.init(request.configuration, request)
  }

  /// For speaking.
  init(_ configuration: JSONValue) throws(VoiceFailure) { try self.init(configuration, nil) }

  private init(_ configuration: JSONValue, _ request: RecognitionRequest?) throws(VoiceFailure) {
    let base = configuration["baseURL"]?.string ?? DeepgramSettings.defaultBaseURL
    guard base.hasPrefix("http://") || base.hasPrefix("https://") else {
      throw VoiceFailure(.protocolError, "the provider's baseURL begins with http:// or https://")
    }
    let key = configuration["apiKey"]?.string ?? ""
    backend = HTTPBackend(
      baseURL: base, headers: key.isEmpty ? [] : [Header("Authorization", "Token \(key)")], secrets: [key])
    // G.711 goes as it comes from the wire.
    hearing =
      [.muLaw, .aLaw].contains(request?.wireFormat) ? request?.wireFormat ?? .muLaw : .linear16(16000)
    speakModel = configuration["voice"]?.string ?? "aura-2-thalia-en"
    var query = DeepgramSettings.format(hearing)
    let model = configuration["model"]?.string ?? "nova-3"
    query += [
      ("channels", "1"), ("model", model), ("interim_results", "true"), ("punctuate", "true"),
      ("smart_format", "true"),
      ("endpointing", "300"), ("utterance_end_ms", "1000"), ("vad_events", "true"),
    ]
    if let language = request?.language ?? configuration["language"]?.string {
      query.append(("language", language))
    }
    if model.hasPrefix("nova-3") {
      var left = DeepgramSettings.maximumKeytermBytes
      for phrase in (request?.phrases ?? []).prefix(DeepgramSettings.maximumKeyterms)
      where phrase.count <= DeepgramSettings.maximumKeyterm && phrase.contains(where: \.isLetter) {
        left -= phrase.utf8.count
        guard left >= 0 else { break }
        query.append(("keyterm", phrase))
      }
    }
    // What the route file sets takes the place of ours; a list becomes the same key several times.
    for (name, value) in (configuration["parameters"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
      query.removeAll { $0.0 == name }
      for element in value.array ?? [value] where element != .null {
        query.append((name, element.string ?? element.text))
      }
    }
    listenURL = "ws" + backend.baseURL.dropFirst(4) + "/v1/listen?" + DeepgramSettings.encode(query)
  }

  /// Path and query of the mouth.
  func speakPath(_ voice: String?, _ format: AudioFormat) -> String {
    let query = DeepgramSettings.format(format) + [("container", "none"), ("model", voice ?? speakModel)]
    return "/v1/speak?" + DeepgramSettings.encode(query)
  }

  private static func format(_ format: AudioFormat) -> [(String, String)] {
    let encoding =
      switch format.encoding {
      case .linear16: "linear16"
      case .muLaw: "mulaw"
      case .aLaw: "alaw"
      }
    return [("encoding", encoding), ("sample_rate", "\(format.sampleRate)")]
  }

  private static func encode(_ query: [(String, String)]) -> String {
    query.map { "\(encode($0.0))=\(encode($0.1))" }.joined(separator: "&")
  }

  /// RFC 3986 section 2.3: everything but the unreserved characters.
  private static func encode(_ text: String) -> String {
    var encoded = ""
    for byte in text.utf8 {
      let isPlain = (48...57).contains(byte) || (97...122).contains(byte | 32) && byte < 128
      if isPlain || [45, 46, 95, 126].contains(byte) {
        encoded.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        encoded += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
    return encoded
  }
}

extension DeepgramSpeech {
  public static func providerKeys(of type: String) -> [ProviderKey]? {
    [
      ProviderKey("apiKey", "Needed with Deepgram itself."),
      ProviderKey(
        "baseURL", as: .url(["https", "http"]), "Where the API is (\(DeepgramSettings.defaultBaseURL))."),
      ProviderKey("model", "The ear's model (nova-3)."),
      ProviderKey("language", "What the ear hears, for agents without a language."),
      ProviderKey("voice", "The voice of agents without a voiceId (aura-2-thalia-en)."),
      ProviderKey("parameters", as: .free, "More query parameters of the ear; null takes one of ours out."),
    ]
  }
}
