/// What a configuration keeps secret, so that the words of others can be told without it: servers repeat the keys that
/// they were sent.
struct SecretTexts: Sendable, Hashable {
  private static let words = ["key", "token", "secret", "password", "authorization", "cookie", "headers"]
  /// Shorter texts are no secrets, and would tear words apart.
  private static let shortest = 6

  /// Longest first: a secret may be a part of another one.
  private let texts: [String]

  /// The texts under keys that name a secret, at any depth, and the values of headers whose names do.
  init(in value: JSONValue = .null, headers: [Header] = []) {
    var found: [String] = []
    SecretTexts.find(in: value, isSecret: false, &found)
    for header in headers where SecretTexts.isSecret(header.name) { found.append(header.value) }
    // "Bearer KEY" holds the key, which may be repeated alone.
    let credentials = found.compactMap { text -> String? in
      text.firstIndex(of: " ").map { String(text[text.index(after: $0)...]) }
    }
    texts = Set(found + credentials).filter { $0.count >= SecretTexts.shortest }
      .sorted { $0.count > $1.count }
  }

  private init(texts: [String]) { self.texts = texts }

  /// All of several.
  static func + (one: SecretTexts, other: SecretTexts) -> SecretTexts {
    SecretTexts(texts: (one.texts + other.texts).sorted { $0.count > $1.count })
  }

  /// Whether what stands under this name is a secret.
  static func isSecret(_ name: String) -> Bool {
    let name = name.lowercased()
    return words.contains { name.contains($0) }
  }

  private static func find(in value: JSONValue, isSecret: Bool, _ found: inout [String]) {
    switch value {
    case .string(let text): if isSecret { found.append(text) }
    case .array(let values): for value in values { find(in: value, isSecret: isSecret, &found) }
    case .object(let members):
      for (key, value) in members {
        find(in: value, isSecret: isSecret || SecretTexts.isSecret(key), &found)
      }
    default: break
    }
  }

  /// Words with `***` for each secret in them.
  func hidden(in text: String) -> String {
    var text = text
    for secret in texts where text.contains(secret) { text.replace(secret, with: "***") }
    return text
  }

  /// The same for all texts of a value.
  func hidden(in value: JSONValue) -> JSONValue {
    if texts.isEmpty { return value }
    return switch value {
    case .string(let text): .string(hidden(in: text))
    case .array(let values): .array(values.map { hidden(in: $0) })
    case .object(let members):
      .object(
        Dictionary(members.map { (hidden(in: $0), hidden(in: $1)) }, uniquingKeysWith: { first, _ in first }))
    default: value
    }
  }
}

extension [FunctionDefinition] {
  /// What any of them keeps secret.
  var secrets: SecretTexts { reduce(SecretTexts()) { $0 + $1.secrets } }
}

extension FunctionDefinition {
  /// What it keeps secret.
  var secrets: SecretTexts { SecretTexts(in: settings, headers: headers) }

  /// Words of its server without the function's secrets, which servers like to repeat: for a log. What a tool gives,
  /// and why it failed, is cleaned by the engine.
  public func withoutSecrets(_ text: String) -> String { secrets.hidden(in: text) }
}
