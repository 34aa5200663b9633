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
  private static let letters = [
    "type", "delta", "transcript", "name", "arguments", "status", "item_id", "response_id", "call_id",
    "session", "response", "item", "error", "rate_limits",
  ].map { Array($0.utf8) }

  private var values = [JSONMembers.Bytes?](repeating: nil, count: letters.count)

  /// `nil` for what is no JSON object.
  init?(_ bytes: JSONMembers.Bytes) {
    var values = values
    let isObject = JSONMembers.each(of: bytes) { name, value in
      if let index = MessageFields.letters.firstIndex(where: { name.elementsEqual($0) }) {
        values[index] = value
      }
      return true
    }
    guard isObject else { return nil }
    self.values = values
  }

  /// The member as it stands in the message.
  subscript(name: Name) -> JSONMembers.Bytes? { values[name.rawValue] }

  /// A string member, with its escapes undone; `nil` for anything else.
  func text(_ name: Name) -> String? {
    guard let value = self[name], JSONMembers.content(value) != nil else { return nil }
    // A string that JSON does not allow is as if it were not there.
    return JSONMembers.plainText(value) ?? (try? JSONDecoder().decode(String.self, from: Data(value)))
  }

  /// A structured member; `.null` when it is missing or malformed.
  func tree(_ name: Name) -> JSONValue {
    guard let value = self[name] else { return .null }
    // Malformed is as if it were not there: what the event says without it still counts.
    return (try? JSONDecoder().decode(JSONValue.self, from: Data(value))) ?? .null
  }
}
