/// Something that an agent may do besides speaking, as a model sees it.
public struct Tool: Hashable, Sendable, Codable {
  public var name: String
  public var description: String
  /// A JSON Schema of an object.
  public var parameters: JSONValue
  public init(
    name: String, description: String, parameters: JSONValue = ["type": "object", "properties": [:]]
  ) {
    self.name = name
    self.description = description
    self.parameters = parameters
  }

  /// Hands the caller to a person; the engine carries it out.
  public static let handOver = "hand_over"
  /// Ends the call; the engine carries it out after what is being said.
  public static let hangUp = "hang_up"
  /// Presses keys towards the caller's side, for machines there; the engine carries it out.
  public static let sendDigits = "send_digits"
}

/// A model's wish to use a tool.
public struct ToolCall: Hashable, Sendable, Codable {
  public var id: String
  public var name: String
  public var arguments: JSONValue
  public var turn: TurnID
  /// Why the call makes no sense, e.g. because its arguments are no JSON: the model gets this as the result, and no
  /// tool is run.
  public var fault: String?
  public init(
    id: String, name: String, arguments: JSONValue = [:], turn: TurnID, fault: String? = nil
  ) {
    self.fault = fault
    self.id = id
    self.name = name
    self.arguments = arguments
    self.turn = turn
  }
}

/// What came of it, in words or JSON for the model.
public struct ToolResult: Hashable, Sendable, Codable {
  public var callID: String
  public var output: JSONValue
  public var isError: Bool
  public init(callID: String, output: JSONValue, isError: Bool = false) {
    self.callID = callID
    self.output = output
    self.isError = isError
  }
}
