/// The sections about what agents can do and know. Field names are those of the REST contract.
extension RouteSchema {
  static let functionData = ObjectShape(
    "the data of a function", doc: "What a model is told of it.",
    [
      Field("name", .text(TextShape("a name")), "What the model calls it; the key, unless given."),
      Field("description", .text(TextShape()), required: true, "What it does and when to use it."),
      Field("parameters", .free, "A JSON Schema of its arguments."),
    ])

  static let function = ObjectShape(
    "a function", doc: "A tool that agents may use.",
    [
      Field(
        "flow", .choice(["explicit", "implicit"]), required: true,
        "explicit: routerd calls the url; implicit: the calling application answers."),
      Field(
        "url",
        .text(
          TextShape(
            "an http, https, ws, wss or mcp URL",
            fault: TextFault.url("http", "https", "ws", "wss", "mcp", "mcps"))),
        "Where it is called; explicit ones need it."),
      Field("headers", .named(.text(TextShape())), "Headers of the request."),
      Field("data", .object(functionData), "What a model is told of it; not for mcp, whose server says it."),
      Field("prompt", .text(TextShape()), "Added to the agent's instructions."),
      Field(
        "acceptMetadata", .boolean,
        "Tells it of the call besides the functions, at the beginning (true; ws and wss)."),
      Field("receiveMessages", .boolean, "Streams the conversation to it (ws and wss)."),
      Field(
        "connectionBehavior", .object(connectionBehavior),
        "How its connection and the call depend on each other (ws and wss)."),
      Field("timeout", .integer(1...300), "Seconds that it may take (10)."),
      Field("secret", .text(TextShape("a secret")), "Signs the requests; use ${env:NAME} or ${file:PATH}."),
      Field("allowPrivate", .boolean, allowPrivateDoc),
      Field(
        "allowedTools", .list(.text(TextShape("a name"))),
        "Only these tools of the server (mcp); all, unless given."),
    ])

  static let allowPrivateDoc =
    "Lets it reach this host, links and private networks (false): for servers of your own."

  static let mcpServer = ObjectShape(
    "an MCP server", doc: "A server of the Model Context Protocol.",
    [
      Field(
        "url",
        .text(
          TextShape("an http or https URL", pattern: "^https?://", fault: TextFault.url("http", "https"))),
        required: true, "Where it is."),
      Field(
        "transport", .choice(["auto", "http", "stateless", "sse"]),
        "http: streamable; stateless: the same without sessions; sse: the old one; auto finds out (auto)."),
      Field("headers", .named(.text(TextShape())), "Headers of every request, e.g. Authorization."),
      Field("allowedTools", .list(.text(TextShape("a name"))), "Only these tools; all, unless given."),
      Field(
        "requireApproval", .choice(["never", "always"]),
        "always: the agent asks the caller before it uses a tool (never)."),
      Field("description", .text(TextShape()), "Told to the agent."),
      Field("authorizationRequired", .boolean, "As in the REST contract; write the token under headers."),
      Field("tags", .named(.text(TextShape())), "Free labels."),
      Field("timeout", .integer(1...300), "Seconds that a tool may take (10)."),
      Field("allowPrivate", .boolean, allowPrivateDoc),
    ])

  static let connectionBehavior = ObjectShape(
    "a connection behaviour",
    [
      Field("waitBeforeStart", .boolean, "Waits for the connection before the conversation begins (false)."),
      Field("abortOnFailure", .boolean, "Ends the call when the connection fails (false)."),
    ])

  static let faq = ObjectShape(
    "a question with its answer",
    [
      Field("question", .text(TextShape()), required: true, "As a caller would ask it."),
      Field("answer", .text(TextShape()), required: true, "What is said, word for word."),
      Field("phrases", .list(.text(TextShape())), "Other ways to ask it."),
    ])

  static let knowledgeBase = ObjectShape(
    "a knowledge base", doc: "Documents that agents may look things up in.",
    [
      Field("name", .text(TextShape("a name")), "As in the REST contract."),
      Field("provider", .text(TextShape("the name of a provider")), "Who searches it."),
      Field(
        "files", .list(.text(TextShape("a path or pattern"))), "Paths or patterns, from the route directory."),
    ])

  // MARK: Agents
}
