/// What one agent may use in one call: the engine's own tools, and what tool sessions offer, under names and with
/// schemas that models take.
struct ToolBench: Sendable {
  /// Who carries a tool out.
  struct Binding: Sendable {
    let session: any ToolSession
    /// As the session calls it.
    let name: String
    let parameters: JSONValue
    let timeout: Int?
    /// What its server knows and nobody else may.
    let secrets: SecretTexts
  }

  /// More tools than this are left out: models take no more.
  static let maximumTools = 128
  /// Characters of a description.
  static let maximumDescription = 1024
  /// Characters that a session may add to the instructions.
  static let maximumInstructions = 16_384

  /// As models see them.
  private(set) var tools: [Tool]
  private(set) var bindings: [String: Binding] = [:]
  let sessions: [any ToolSession]
  /// What the sessions and prompts add to the agent's instructions; empty for nothing.
  private(set) var instructions = ""
  /// What had to be left out or renamed, for the log.
  private(set) var notes: [String] = []

  /// - Parameter sessions: Each with the functions that it is for; the first one's name tells its tools apart.
  init(
    for agent: AgentConfiguration,
    _ sessions: [(functions: [FunctionDefinition], session: any ToolSession)] = []
  ) {
    tools = ToolBench.own(agent)
    self.sessions = sessions.map(\.session)
    for (functions, session) in sessions {
      let (key, secrets) = (functions.first?.key ?? "", functions.secrets)
      for offer in session.offers { add(offer, of: session, key, secrets) }
      append(session.instructions)
    }
  }

  /// What every agent may do, made once: each call has it.
  private static let usual = [
    Tool(
      name: Tool.hangUp,
      description: "End the call. Say goodbye first; the call ends when your words were played."),
    Tool(
      name: Tool.sendDigits,
      description: "Press keys of a telephone. Only when a machine at the other end asks for keys.",
      parameters: [
        "type": "object",
        "properties": [
          "digits": [
            "type": "string", "description": "0-9, *, #, A-D; a comma is a pause of half a second.",
          ]
        ],
        "required": ["digits"],
      ]),
  ]

  /// The end of the call, keys, and a person if the agent has one.
  private static func own(_ agent: AgentConfiguration) -> [Tool] {
    var tools = usual
    if agent.humanHandoff.enabled, agent.humanHandoff.transferExtension != nil {
      let condition = agent.humanHandoff.transferDescription ?? "When the caller asks for a person."
      tools.append(
        Tool(
          name: Tool.handOver,
          description: "Hand the caller over to a person. \(condition) Tell the caller first; the transfer"
            + " begins when your words were played. A result comes only when it failed."))
    }
    return tools
  }

  private mutating func add(
    _ offer: ToolOffer, of session: any ToolSession, _ key: String, _ secrets: SecretTexts
  ) {
    guard tools.count < ToolBench.maximumTools else {
      return notes.append("the tool \(offer.tool.name) is left out: there are \(ToolBench.maximumTools)")
    }
    guard let parameters = ToolSchema.acceptable(offer.tool.parameters) else {
      return notes.append(
        "the tool \(offer.tool.name) is left out: its parameters are no schema of an object")
    }
    let name = ToolName.legal(offer.tool.name, of: key) { name in
      name != Tool.handOver && !tools.contains { $0.name == name }
    }
    if name != offer.tool.name { notes.append("the tool \(offer.tool.name) is called \(name)") }
    let description = String(offer.tool.description.prefix(ToolBench.maximumDescription))
    tools.append(Tool(name: name, description: description, parameters: parameters))
    bindings[name] = Binding(
      session: session, name: offer.tool.name, parameters: parameters, timeout: offer.timeout,
      secrets: secrets)
    if let prompt = offer.prompt {
      let arguments = (parameters["properties"]?.object ?? [:]).keys.sorted().joined(separator: ", ")
      append("## \(name)(\(arguments))\n\(prompt)")
    }
  }

  private mutating func append(_ text: String) {
    guard !text.isEmpty else { return }
    if !instructions.isEmpty { instructions += "\n\n" }
    instructions += text.prefix(ToolBench.maximumInstructions)
  }
}

/// Names of tools that every model takes: `^[a-zA-Z0-9_-]{1,64}$`.
enum ToolName {
  static let maximumLength = 64

  /// A legal name for a tool that is not taken; the function's key tells tools of the same name apart.
  static func legal(_ name: String, of key: String, isFree: (String) -> Bool) -> String {
    let plain = cut(spelled(name))
    if isFree(plain) { return plain }
    let base = cut(spelled("\(key)_\(name)"))
    if isFree(base) { return base }
    for number in 2...1000 {
      let next = cut("\(base)_\(number)")
      if isFree(next) { return next }
    }
    return base
  }

  private static func spelled(_ name: String) -> String {
    let legal = name.unicodeScalars.map { scalar -> Character in
      let isLegal =
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
        || scalar == "_" || scalar == "-"
      return isLegal ? Character(scalar) : "_"
    }
    return legal.isEmpty ? "tool" : String(legal)
  }

  /// What is too long ends with a digest of all of it.
  private static func cut(_ name: String) -> String {
    guard name.utf8.count > maximumLength else { return name }
    let digest = Digest.hexadecimal(Digest.hash(name.utf8)).prefix(8)
    return "\(name.prefix(maximumLength - 9))_\(digest)"
  }
}
