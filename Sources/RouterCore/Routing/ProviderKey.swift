/// A key that a plugin reads of its providers (`providers:` in the route files), besides `type`, `speech` and `addresses`.
///
/// Route files are checked by it: a key that nobody reads is an error, since whoever wrote it relies on it. A misspelt
/// `baseURL` would send the key of an account to another host than the one that was meant.
public struct ProviderKey: Sendable, Hashable {
  /// What may stand behind it.
  public enum Value: Sendable, Hashable {
    /// Text as it was typed, whatever it looks like; `JSONValue.string`.
    case text
    /// One text, or a list of them.
    case texts
    /// Text that begins with one of these schemes and `://`.
    case url([String])
    case integer(ClosedRange<Int>)
    case number(ClosedRange<Double>)
    case boolean
    case choice([String])
    /// Names with texts, e.g. headers.
    case namedTexts
    /// Names with anything; what it is, is somebody else's business.
    case free
  }

  public var name: String
  public var value: Value
  /// One sentence for whoever writes it; errors and editors show it.
  public var doc: String
  /// Whether nothing works without it: `check` warns then.
  public var isNeeded: Bool
  /// Whether it may not stand in a route file in plain words (providers that calls come from).
  public var isSecret: Bool

  public init(
    _ name: String, as value: Value = .text, needed: Bool = false, secret: Bool = false, _ doc: String
  ) {
    self.name = name
    self.value = value
    self.doc = doc
    isNeeded = needed
    isSecret = secret
  }

  /// Headers that are sent with every request.
  public static let headers = ProviderKey("headers", as: .namedTexts, "Sent with each request.")
  /// The API of somebody else's, or an emulator's.
  public static let apiURL = ProviderKey(
    "apiURL", as: .url(["https", "http"]), "Another API, e.g. an emulator's.")
  /// Where extensions live, for channels that hand over.
  public static let transferDomain = ProviderKey(
    "transferDomain", "Where extensions are called: 0200 becomes sip:0200@DOMAIN.")
}

extension ProviderKey {
  /// As a field of the route language.
  var field: Field { Field(name, shape, doc) }

  private var shape: Shape {
    switch value {
    case .text: .text(TextShape())
    case .texts: .oneOrMany(.text(TextShape()))
    case .url(let schemes): .text(TextShape("a URL", fault: TextFault.url(schemes)))
    case .integer(let range): .integer(range)
    case .number(let range): .number(range)
    case .boolean: .boolean
    case .choice(let choices): .choice(choices)
    case .namedTexts: .named(.text(TextShape()))
    case .free: .named(.free)
    }
  }
}
