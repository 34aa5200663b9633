public import RouterCore

/// Where a realtime server is, and how it knows us: a provider of the route files, read.
struct Endpoint: Sendable {
  var url: String
  var headers: [Header]
  var shape: Shape
  /// What must appear in no log; the vendor's words may repeat it.
  var secrets: [String]
  /// The model that writes down what the caller says; `nil` for none.
  var transcriptionModel: String?
  var voice: String
  var renewAfter: Duration

  /// Sessions of OpenAI end after 60 minutes; some servers allow less.
  static let renewAfterMinutes = 50
  static let address = "wss://api.openai.com/v1/realtime"
  static let model = "gpt-realtime"
  static let transcription = "gpt-4o-mini-transcribe"
  static let azureTranscription = "whisper-1"
  static let azure = "azure-openai-realtime"

  /// Throws ``VoiceFailure`` for settings that name no server.
  init(_ provider: JSONValue) throws(VoiceFailure) {
    let isAzure = provider["type"]?.string == Endpoint.azure
    let key = provider["apiKey"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    let token = provider["token"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    secrets = [key, token].compactMap { $0 }
    let version = provider["apiVersion"]?.string
    // Azure's dated versions speak the beta form; an OpenAI server is told by a header.
    let usual: Shape = isAzure && version != nil ? .beta : .ga
    if let name = provider["shape"]?.string {
      guard let named = Shape(rawValue: name) else {
        throw Endpoint.wrong("shape is ga or beta, not \(name)")
      }
      shape = named
    } else {
      shape = usual
    }
    url = isAzure ? try Endpoint.azureURL(provider, version) : try Endpoint.openAIURL(provider)
    headers = []
    if isAzure {
      if let key { headers.append(Header("api-key", key)) }
      if let token { headers.append(Header("Authorization", "Bearer \(token)")) }
    } else {
      if let key = key ?? token { headers.append(Header("Authorization", "Bearer \(key)")) }
      // The header alone makes the difference there; it must be absent for the other form.
      if shape == .beta { headers.append(Header("OpenAI-Beta", "realtime=v1")) }
      for (setting, name) in [("organization", "OpenAI-Organization"), ("project", "OpenAI-Project")] {
        if let value = provider[setting]?.string { headers.append(Header(name, value)) }
      }
    }
    for (name, value) in (provider["headers"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
      guard let text = value.string else { continue }
      headers.append(Header(name, text))
      secrets.append(text)
    }
    if url.hasPrefix("ws://"), !secrets.isEmpty, !Endpoint.isLocal(url) {
      throw Endpoint.wrong("a key is sent by wss:// only, not by ws://")
    }
    let transcription = provider["transcriptionModel"]?.string
    let usualTranscription = isAzure ? Endpoint.azureTranscription : Endpoint.transcription
    transcriptionModel = transcription == "none" ? nil : transcription ?? usualTranscription
    voice = provider["voice"]?.string ?? (shape == .ga ? "marin" : "alloy")
    let minutes = provider["renewAfterMinutes"]?.number ?? Double(Endpoint.renewAfterMinutes)
    guard minutes > 0, minutes <= 1440 else { throw Endpoint.wrong("renewAfterMinutes is from 0 to 1440") }
    renewAfter = .milliseconds(Int(minutes * 60_000))
  }

  private static func openAIURL(_ provider: JSONValue) throws(VoiceFailure) -> String {
    let url = try webSocket(provider["url"]?.string ?? address, path: "/v1/realtime")
    return try with("model", provider["model"]?.string ?? model, url)
  }

  /// https://learn.microsoft.com/azure/ai-foundry/openai/how-to/realtime-audio-websockets
  private static func azureURL(_ provider: JSONValue, _ version: String?) throws(VoiceFailure) -> String {
    guard let endpoint = provider["endpoint"]?.string ?? provider["url"]?.string else {
      throw wrong("an Azure provider has an endpoint: https://RESOURCE.openai.azure.com")
    }
    guard let deployment = provider["deployment"]?.string ?? provider["model"]?.string else {
      throw wrong("an Azure provider names its deployment")
    }
    guard let version else {
      // The version that is not dated takes no api-version.
      return try with("model", deployment, webSocket(endpoint, path: "/openai/v1/realtime"))
    }
    let url = try with("api-version", version, webSocket(endpoint, path: "/openai/realtime"))
    return try with("deployment", deployment, url)
  }

  /// A WebSocket's URL; `path` where it has none of its own.
  private static func webSocket(_ text: String, path: String) throws(VoiceFailure) -> String {
    var url = text
    for (scheme, socket) in [("https://", "wss://"), ("http://", "ws://")] where url.hasPrefix(scheme) {
      url = socket + url.dropFirst(scheme.count)
    }
    guard let scheme = ["wss://", "ws://"].first(where: url.hasPrefix) else {
      throw wrong("the URL begins with wss:// or ws://")
    }
    let rest = url.dropFirst(scheme.count)
    let host = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    guard !host.isEmpty, !host.contains("@"), !rest.contains("#") else {
      throw wrong("the URL has a host, and neither a user nor a fragment")
    }
    let behind = rest.dropFirst(host.count)
    if behind.isEmpty || behind == "/" { return scheme + host + path }
    return behind.hasPrefix("?") ? scheme + host + path + behind : url
  }

  /// Adds a query item, unless the URL has it already.
  private static func with(_ name: String, _ value: String, _ url: String) throws(VoiceFailure) -> String {
    let query = url.drop { $0 != "?" }.dropFirst()
    if query.split(separator: "&").contains(where: { $0.hasPrefix(name + "=") }) { return url }
    let separator = url.contains("?") ? (query.isEmpty ? "" : "&") : "?"
    return url + separator + name + "=" + escaped(value)
  }

  /// RFC 3986 section 2.3: what may stand in a query as it is.
  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        escaped.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let hex = String(byte, radix: 16, uppercase: true)
        escaped += (hex.count == 1 ? "%0" : "%") + hex
      }
    }
    return escaped
  }

  private static func isLocal(_ url: String) -> Bool {
    let host = url.dropFirst("ws://".count).prefix { $0 != "/" && $0 != "?" }
    if host.hasPrefix("[::1]") { return true }
    let name = host.prefix { $0 != ":" }
    return name == "localhost" || name.hasPrefix("127.")
  }

  private static func wrong(_ text: String) -> VoiceFailure { VoiceFailure(.protocolError, text) }

  /// The vendor's words without what they may repeat of our secrets, in a length that a log bears.
  func clean(_ words: String) -> String {
    var words = words
    for secret in secrets where secret.count >= 4 { words = words.replacing(secret, with: "…") }
    return words.count <= 500 ? words : String(words.prefix(500)) + "…"
  }
}

extension OpenAIRealtimeModel {
  public static func providerKeys(of type: String) -> [ProviderKey]? {
    let schemes = ["wss", "ws", "https", "http"]
    let common = [
      ProviderKey("apiKey", "None for servers that want none."),
      ProviderKey("token", "A bearer token, e.g. of Entra, in place of the key."),
      ProviderKey("model", "The model (\(Endpoint.model)); at Azure the deployment."),
      ProviderKey("url", as: .url(schemes), "Where the server is (\(Endpoint.address))."),
      ProviderKey("shape", as: .choice(["ga", "beta"]), "Which form of the protocol it speaks (ga)."),
      ProviderKey("voice", "The voice of agents without a voiceId."),
      ProviderKey("transcriptionModel", "Writes down what the caller says; none for none."),
      ProviderKey(
        "renewAfterMinutes", as: .number(0...1440), "Minutes after which a session is replaced (50)."),
      .headers,
    ]
    guard type == Endpoint.azure else {
      return common + [
        ProviderKey("organization", "Sent as OpenAI-Organization."),
        ProviderKey("project", "Sent as OpenAI-Project."),
      ]
    }
    return common + [
      ProviderKey("endpoint", as: .url(schemes), "https://RESOURCE.openai.azure.com"),
      ProviderKey("deployment", "The deployment."),
      ProviderKey("apiVersion", "A dated version of the API, if any."),
    ]
  }
}
