internal import FoundationEssentials
internal import RouterCore

/// Where the members of one message stand that some event needs, found in one pass and read only when they are asked
/// for. Valid as long as the message's bytes are.
struct MessageFields {
  enum Name: Int {
    case type, delta, transcript, name, arguments, status, itemID, responseID, callID, session, response
    case item, error, rateLimits
  }

  /// As they are written, in the order of ``Name``.
  private static let words: [StaticString] = [
    "type", "delta", "transcript", "name", "arguments", "status", "item_id", "response_id", "call_id",
    "session", "response", "item", "error", "rate_limits",
  ]

  private var values = [JSONScanner.Value?](repeating: nil, count: words.count)

  /// `nil` for what is no JSON object.
  init?(_ bytes: UnsafeRawBufferPointer) {
    var values = values
    let isObject = JSONScanner.members(of: bytes) { name, value in
      if let index = MessageFields.words.firstIndex(where: { name.equals($0) }) { values[index] = value }
    }
    guard isObject else { return nil }
    self.values = values
  }

  subscript(name: Name) -> JSONScanner.Value? { values[name.rawValue] }

  /// A string member, with its escapes undone; `nil` for anything else.
  func text(_ name: Name) -> String? { self[name]?.string }

  /// A structured member; `.null` when it is missing or malformed.
  func tree(_ name: Name) -> JSONValue {
    guard let value = self[name] else { return .null }
    // Malformed is as if it were not there: what the event says without it still counts.
    return (try? JSONDecoder().decode(JSONValue.self, from: Data(value.raw))) ?? .null
  }
}
