internal import FoundationEssentials
internal import RouterCore

/// What the command line asks a running routerd: one JSON line, one request a connection.
struct ControlRequest: Codable, Sendable {
  var command: String
  var arguments: JSONValue = [:]
  /// Who asks, for the log and the list of versions; not part of the line.
  var origin: String?

  private enum CodingKeys: String, CodingKey { case command, arguments }

  init(command: String, arguments: JSONValue = [:]) {
    self.command = command
    self.arguments = arguments
  }

  /// Longest line that is read.
  static let maximumBytes = 65_536
}

/// What routerd answers: any number of events, then a result or a failure, each a JSON line.
enum ControlLine: Sendable, Equatable {
  case event(JSONValue)
  case result(JSONValue)
  case failure(ControlFailure)

  /// Longest line that is written or read: a record with its transcript and its trace.
  static let maximumBytes = 8 << 20
}

/// Why a request failed; the text is for a person, the code for the shell.
struct ControlFailure: Error, Codable, Sendable, Equatable {
  var message: String
  var code: Int32

  init(_ message: String, _ code: ExitCode = .failure) {
    self.message = message
    self.code = code.rawValue
  }
}

extension ControlLine: Codable {
  private enum CodingKeys: String, CodingKey { case event, result, failure }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    if let event = try values.decodeIfPresent(JSONValue.self, forKey: .event) {
      self = .event(event)
    } else if let failure = try values.decodeIfPresent(ControlFailure.self, forKey: .failure) {
      self = .failure(failure)
    } else {
      self = .result(try values.decodeIfPresent(JSONValue.self, forKey: .result) ?? .null)
    }
  }

  func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .event(let value): try values.encode(value, forKey: .event)
    case .result(let value): try values.encode(value, forKey: .result)
    case .failure(let failure): try values.encode(failure, forKey: .failure)
    }
  }
}

/// JSON as all of the command line writes it: sorted keys, dates in ISO 8601.
enum JSON {
  static func encode(_ value: some Encodable, pretty: Bool = false) throws -> String {
    let encoder = JSONEncoder()
    encoder.dateEncodingStrategy = .iso8601
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  static func decode<Value: Decodable>(_ type: Value.Type, _ text: some Sequence<UInt8>) throws -> Value {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    return try decoder.decode(type, from: Data(text))
  }

  /// A value as plain JSON data.
  static func value(_ value: some Encodable) throws -> JSONValue {
    try decode(JSONValue.self, try encode(value).utf8)
  }
}
