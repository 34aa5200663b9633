/// Reads numbers as they are dialled or sent, and brings them into the international form.
public struct Numbering: Hashable, Sendable {
  /// ISO 3166, e.g. `GB`; `nil`: only numbers with a `+` are international.
  public let region: String?

  public init(region: String? = nil) { self.region = region }

  /// The international number that a text stands for; `nil` for extensions, names and what cannot be read.
  public func normalize(_ text: String) -> PhoneNumber? {
    PhoneNumber(text)
  }

  /// How a text was read, for a trace; empty when nothing had to be done.
  func steps(_ text: String) -> [String] { [] }

  /// What is wrong with a region; `nil` when nothing is.
  static func fault(inRegion text: String) -> TextFault? {
    let isCode = text.utf8.count == 2 && text.utf8.allSatisfy { $0 >= 0x41 && $0 <= 0x5A }
    return isCode
      ? nil : TextFault("'\(text)' is no region", hint: "write two capital letters, e.g. US or GB")
  }
}
