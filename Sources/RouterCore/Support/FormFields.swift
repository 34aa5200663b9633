/// The fields of a form or a query (`application/x-www-form-urlencoded`), in the order in which they came; empty values
/// and names that come twice are kept, because signatures are made over all of them.
public struct FormFields: Sendable, Hashable {
  public private(set) var all: [Field]

  /// A name and its value, decoded.
  public struct Field: Sendable, Hashable {
    public var name: String
    public var value: String
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// More fields than this are not read.
  public static let maximumFields = 1000

  public init(_ fields: [Field] = []) { all = fields }

  /// Reads a body or a query. Nothing is refused: what is no escape stands for itself.
  public init(parsing text: some StringProtocol) {
    all = text.split(separator: "&", maxSplits: FormFields.maximumFields).prefix(FormFields.maximumFields).map
    {
      let parts = $0.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return Field(
        FormFields.decoded(parts[0], isForm: true),
        parts.count == 2 ? FormFields.decoded(parts[1], isForm: true) : "")
    }
  }

  /// Reads a body that should be UTF-8.
  public init(parsing body: [UInt8]) { self.init(parsing: String(decoding: body, as: UTF8.self)) }

  /// The first value of a name.
  public subscript(name: String) -> String? { all.first { $0.name == name }?.value }

  /// The fields as a body or query.
  public var encoded: String {
    all.map { "\(FormFields.encode($0.name))=\(FormFields.encode($0.value))" }.joined(separator: "&")
  }

  /// Percent escapes undone, and in forms `+` for a blank.
  static func decoded(_ text: some StringProtocol, isForm: Bool) -> String {
    let bytes = Array(text.utf8)
    guard bytes.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
      return String(text)
    }
    var decoded: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count, let high = digit(bytes[index + 1]),
        let low = digit(bytes[index + 2])
      {
        decoded.append(high << 4 | low)
        index += 3
      } else {
        decoded.append(isForm && bytes[index] == UInt8(ascii: "+") ? UInt8(ascii: " ") : bytes[index])
        index += 1
      }
    }
    return String(decoding: decoded, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// Everything but letters, digits and `-._~` escaped (RFC 3986 section 2.3); fit for paths, queries and forms.
  public static func encode(_ text: String) -> String {
    var encoded: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        encoded.append(byte)
      default:
        encoded.append(UInt8(ascii: "%"))
        encoded += Digest.hexadecimal([byte]).uppercased().utf8
      }
    }
    return String(decoding: encoded, as: UTF8.self)
  }
}
