internal import RouterCore

/// The query of a request, and what the service thinks of it.
struct DeepgramQuery {
  private let items: [(name: String, value: String)]

  init(_ query: Substring) {
    items = query.split(separator: "&").map { item in
      let name = item.prefix { $0 != "=" }
      return (DeepgramQuery.decode(name), DeepgramQuery.decode(item.dropFirst(name.count + 1)))
    }
  }

  subscript(name: String) -> String? { items.first { $0.name == name }?.value }

  func fault(_ known: Set<String>, repeatable: Set<String>) -> String? {
    var seen: Set<String> = []
    for item in items {
      if !known.contains(item.name) { return "unknown query parameter '\(item.name)'" }
      if !seen.insert(item.name).inserted, !repeatable.contains(item.name) {
        return "'\(item.name)' is there twice"
      }
    }
    return nil
  }

  var format: AudioFormat? {
    guard let rate = self["sample_rate"].flatMap({ Int($0) }),
      [8000, 16000, 24000, 32000, 48000].contains(rate)
    else {
      return nil
    }
    switch self["encoding"] {
    case "linear16": return .linear16(rate)
    case "mulaw": return AudioFormat(.muLaw, sampleRate: rate)
    case "alaw": return AudioFormat(.aLaw, sampleRate: rate)
    default: return nil
    }
  }

  private static func decode(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"),
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte == UInt8(ascii: "+") ? 32 : byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
