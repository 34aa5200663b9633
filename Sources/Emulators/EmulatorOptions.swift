/// One option of an emulator, e.g. `--model NAME`.
public struct EmulatorOption: Sendable {
  /// With its dashes.
  public var name: String
  /// The word for its value in the help; `nil` for a switch.
  public var value: String?
  public var help: String
  public var isRepeatable: Bool

  public init(_ name: String, value: String? = nil, repeatable: Bool = false, _ help: String) {
    self.name = name
    self.value = value
    self.help = help
    isRepeatable = repeatable
  }
}

/// What an emulator was told. Names have their dashes: `--key`.
public struct EmulatorOptions: Sendable {
  private let given: [(name: String, value: String)]

  public init(_ given: [(name: String, value: String)] = []) { self.given = given }

  /// Whether an option was given.
  public func has(_ name: String) -> Bool { given.contains { $0.name == name } }
  /// The value of an option, the last one if there are several.
  public func value(_ name: String) -> String? { all(name).last }
  /// All values of a repeatable option, in order.
  public func all(_ name: String) -> [String] { given.filter { $0.name == name }.map(\.value) }

  /// The options of these names, in the order in which they were given.
  public func ordered(_ names: [String]) -> [(name: String, value: String)] {
    given.filter { names.contains($0.name) }
  }

  /// A number option. Throws when it is none, or out of range.
  public func integer(_ name: String, _ range: ClosedRange<Int>) throws(EmulatorError) -> Int? {
    guard let text = value(name) else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw EmulatorError(
        "\(name) wants a whole number from \(range.lowerBound) to \(range.upperBound), not '\(text)'")
    }
    return number
  }

  /// An option with a fixed set of values.
  public func choice(_ name: String, _ choices: [String]) throws(EmulatorError) -> String? {
    guard let text = value(name) else { return nil }
    guard choices.contains(text) else {
      throw EmulatorError("\(name) is one of \(choices.joined(separator: ", ")), not '\(text)'")
    }
    return text
  }
}
