/// One entry of `providers:` in the route files.
public struct ProviderAccount: Sendable, Hashable, CustomStringConvertible {
  public var name: String
  /// As it was written, secrets in place: never log it.
  public var settings: JSONValue

  public init(name: String, settings: JSONValue) {
    self.name = name
    self.settings = settings
  }

  /// Without the settings, which hold secrets.
  public var description: String { name }
}
