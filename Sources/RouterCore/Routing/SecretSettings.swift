/// Settings that hold a secret, as far as their names tell. Whoever writes one in plain words has told it to all who may read the
/// file; it is not told on.
enum SecretSettings {
  /// A value with a word in the place of the texts under such names; references stay, they tell nothing.
  static func hidden(_ value: JSONValue, isSecret: Bool = false) -> JSONValue {
    switch value {
    case .string(let text):
      isSecret && !text.isEmpty && !SecretReference.occurs(in: text) ? "***" : value
    case .array(let values): .array(values.map { hidden($0, isSecret: isSecret) })
    case .object(let members):
      .object(
        Dictionary(
          uniqueKeysWithValues: members.map { name, value in
            (name, hidden(value, isSecret: isSecret || SecretTexts.isSecret(name)))
          }))
    default: value
    }
  }
}
