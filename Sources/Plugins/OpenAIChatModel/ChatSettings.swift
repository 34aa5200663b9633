public import RouterCore

/// What a provider of type `openai-chat` says, and what the agent's `providerSettings` change about it.
struct ChatSettings: Sendable {
  let backend: HTTPBackend
  /// From the base URL on, with the query.
  let path: String
  let model: String
  /// Members of the request besides ours, e.g. `max_completion_tokens`; `null` takes one of ours out.
  let parameters: [String: JSONValue]
  /// How long the first word may take, retries included.
  let firstToken: Duration
  /// How long any later one may take.
  let idle: Duration
  let retries: Int

  static let defaultBaseURL = "https://api.openai.com/v1"

  /// Throws ``VoiceFailure`` that names the key that is wrong.
  init(_ agent: AgentConfiguration) throws(VoiceFailure) {
    let provider = agent.providerConfiguration
    let settings = agent.providerSettings
    let base = provider["baseURL"]?.string ?? ChatSettings.defaultBaseURL
    guard base.hasPrefix("http://") || base.hasPrefix("https://") else {
      throw VoiceFailure(.protocolError, "the provider's baseURL begins with http:// or https://")
    }
    guard let model = settings["model"]?.string ?? provider["model"]?.string, !model.isEmpty else {
      throw VoiceFailure(.protocolError, "the provider names no model")
    }
    self.model = model
    var path = "/chat/completions"
    let version = provider["apiVersion"]?.string
    // https://learn.microsoft.com/azure/ai-services/openai/reference: a deployment stands in the path, and the version
    // in the query. The newer …/openai/v1 needs neither.
    if let version {
      if !base.contains("/openai/deployments/") {
        path = "/openai/deployments/\(provider["deployment"]?.string ?? model)" + path
      }
      path += "?api-version=\(version)"
    }
    self.path = path
    var headers = [Header("Content-Type", "application/json"), Header("Accept", "text/event-stream")]
    if let key = provider["apiKey"]?.string, !key.isEmpty {
      let wantsKeyHeader = version != nil || HostName(base).isAzure
      headers.append(
        wantsKeyHeader ? Header("api-key", key) : Header("Authorization", "Bearer \(key)"))
    }
    for (name, value) in (provider["headers"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
      guard let value = value.scalarText else { continue }
      headers.removeAll { $0.name.lowercased() == name.lowercased() }
      headers.append(Header(name, value))
    }
    backend = HTTPBackend(
      baseURL: base, headers: headers, secrets: [provider["apiKey"]?.string].compactMap { $0 })
    var parameters = provider["parameters"]?.object ?? [:]
    if let temperature = settings["temperature"] { parameters["temperature"] = temperature }
    parameters.merge(settings["parameters"]?.object ?? [:]) { _, own in own }
    self.parameters = parameters
    func milliseconds(_ key: String, _ otherwise: Int) -> Duration {
      .milliseconds(min(max(provider[key]?.integer ?? otherwise, 100), 120_000))
    }
    firstToken = milliseconds("firstTokenMs", 10_000)
    idle = milliseconds("idleMs", 10_000)
    retries = min(max(provider["retries"]?.integer ?? 2, 0), 5)
  }
}

/// The host in a URL.
private struct HostName {
  let name: Substring
  init(_ url: String) {
    let rest = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
    name = rest.prefix { $0 != "/" && $0 != ":" && $0 != "?" }
  }
  var isAzure: Bool {
    [".openai.azure.com", ".azure-api.net", ".cognitiveservices.azure.com", ".services.ai.azure.com"].contains
    { name.lowercased().hasSuffix($0) }
  }
}

extension JSONValue {
  /// A scalar as it goes into a header; `nil` for anything else.
  fileprivate var scalarText: String? {
    switch self {
    case .string(let text): text
    case .integer, .number, .bool: self.text
    case .null, .array, .object: nil
    }
  }
}

extension OpenAIChatModel {
  public static func providerKeys(of type: String) -> [ProviderKey]? {
    [
      ProviderKey(
        "baseURL", as: .url(["https", "http"]), "Where the API is (\(ChatSettings.defaultBaseURL))."),
      ProviderKey("model", "The model; an agent's providerSettings may name another."),
      ProviderKey("apiKey", "None for servers that want none."),
      ProviderKey("apiVersion", "Azure: the version of the API."),
      ProviderKey("deployment", "Azure: the deployment, where it is not called like the model."),
      .headers,
      ProviderKey("parameters", as: .free, "More members of the request; null takes one of ours out."),
      ProviderKey("firstTokenMs", as: .integer(100...120_000), "Milliseconds until the first word (10000)."),
      ProviderKey("idleMs", as: .integer(100...120_000), "Milliseconds until each next word (10000)."),
      ProviderKey("retries", as: .integer(0...5), "How often a request is tried again (2)."),
    ]
  }
}
