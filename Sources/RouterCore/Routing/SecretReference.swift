/// `${env:NAME}` and `${file:PATH}`: a secret by reference. Values replace references only where a configuration is
/// handed to the code that uses it; what is printed, compared and recorded holds the reference.
enum SecretReference: Hashable, Sendable {
  case environment(String)
  case file(String)

  /// Secrets of more bytes are refused: such a file is something else.
  static let maximumSize = 64 << 10

  /// Whether a text has references in it.
  static func occurs(in text: String) -> Bool { text.utf8.contains(UInt8(ascii: "$")) && text.contains("${") }

  /// Splits a text into literal parts and references. Fails on anything in `${…}` that is neither form.
  static func parts(of text: String) throws(TextFault) -> [(literal: String, reference: SecretReference?)] {
    var parts: [(literal: String, reference: SecretReference?)] = []
    var rest = text[...]
    while let start = rest.firstRange(of: "${") {
      guard let end = rest[start.upperBound...].firstIndex(of: "}") else {
        throw TextFault("'${' has no '}'", hint: "write ${env:NAME} or ${file:PATH}")
      }
      let inner = rest[start.upperBound..<end]
      let reference: SecretReference
      if inner.hasPrefix("env:"), inner.count > 4 {
        reference = .environment(String(inner.dropFirst(4)))
      } else if inner.hasPrefix("file:"), inner.count > 5 {
        reference = .file(String(inner.dropFirst(5)))
      } else {
        let isName =
          !inner.isEmpty && inner.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        throw TextFault(
          "'${\(inner)}' is not understood", hint: "write ${env:\(isName ? inner : "NAME")} or ${file:PATH}")
      }
      parts.append((String(rest[..<start.lowerBound]), reference))
      rest = rest[rest.index(after: end)...]
    }
    parts.append((String(rest), nil))
    return parts
  }
}

/// The values of all references of a table, read once when it is loaded.
struct Secrets: Sendable {
  private(set) var values: [SecretReference: String] = [:]

  /// Reads what `text` refers to, so that ``fill(_:)`` finds it later.
  mutating func read(_ text: String, from source: RouteSource) throws(TextFault) {
    for case (_, let reference?) in try SecretReference.parts(of: text) where values[reference] == nil {
      switch reference {
      case .environment(let name):
        guard let value = source.environment(name) else {
          throw TextFault("the environment variable \(name) is not set")
        }
        values[reference] = value
      case .file(let path):
        values[reference] = try Secrets.content(of: path, source)
      }
    }
  }

  private static func content(of path: String, _ source: RouteSource) throws(TextFault) -> String {
    let bytes: [UInt8]
    do {
      bytes = try source.readSecret(path)
    } catch {
      throw TextFault("the secret's file \(path) cannot be read: \(error)")
    }
    guard bytes.count <= SecretReference.maximumSize else {
      throw TextFault("the secret's file \(path) has more than \(SecretReference.maximumSize) bytes")
    }
    var text = String(decoding: bytes, as: UTF8.self)
    // Whoever writes a secret with an editor leaves a line end behind it.
    if text.hasSuffix("\n") { text.removeLast() }
    return text
  }

  /// The text with values in the place of references.
  func fill(_ text: String) -> String {
    guard SecretReference.occurs(in: text) else { return text }
    let parts = try? SecretReference.parts(of: text)  // a table with a bad one was refused when it was loaded
    guard let parts else { return text }
    return parts.map { $0.literal + ($0.reference.flatMap { values[$0] } ?? "") }.joined()
  }

  /// The same for every text in a value.
  func fill(_ value: JSONValue) -> JSONValue {
    if values.isEmpty { return value }
    switch value {
    case .string(let text): return .string(fill(text))
    case .array(let elements): return .array(elements.map(fill))
    case .object(let members): return .object(members.mapValues(fill))
    default: return value
    }
  }
}

/// A secret of `routerd.yaml`: one reference, `${env:NAME}` or `${file:PATH}`, and never the secret itself, so that the
/// settings may be shown to anybody.
public struct SecretSetting: Decodable, Sendable, Hashable, CustomStringConvertible {
  /// As it was written.
  public let description: String
  private let reference: SecretReference

  /// Why a secret cannot be had; says nothing of its value.
  public struct Failure: Error, Sendable, CustomStringConvertible {
    public let description: String
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    description = try container.decode(String.self)
    // What cannot be split is none.
    let parts = (try? SecretReference.parts(of: description)) ?? []
    guard parts.count == 2, parts.allSatisfy(\.literal.isEmpty), let reference = parts[0].reference else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "a secret stands here by reference: ${env:NAME} or ${file:PATH}")
    }
    self.reference = reference
  }

  /// Its value as it is now. A relative path starts at `folder`. Throws when there is none.
  public func read(in folder: String = ".") throws(Failure) -> String {
    var secrets = Secrets()
    do throws(TextFault) {
      try secrets.read(description, from: RouteSource(files: []).reading(in: folder))
    } catch {
      throw Failure(description: error.message)
    }
    return secrets.values[reference] ?? ""
  }
}
