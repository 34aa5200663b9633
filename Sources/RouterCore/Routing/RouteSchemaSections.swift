/// The sections besides routes. Field names are those of the REST contract.
extension RouteSchema {
  static let region = TextShape("a region, ISO 3166", pattern: "^[A-Z]{2}$") { Numbering.fault(inRegion: $0) }

  static let numbering = ObjectShape(
    "numbering", doc: "How numbers that are not E.164 are read.",
    [
      Field("region", .text(region), "The region that national numbers belong to, e.g. US, GB.")
    ])

  static let speech = ObjectShape(
    "speech", doc: "Who hears and speaks for a model that reads and writes.",
    [
      Field("recognizer", .text(TextShape("the name of a provider")), "Who hears (offline)."),
      Field("synthesizer", .text(TextShape("the name of a provider")), "Who speaks (offline)."),
    ])

  static let provider = ObjectShape(
    "a provider",
    doc: "An account or endpoint of somebody else; which keys it has besides these, its type says.",
    [
      Field("type", .text(TextShape("the type of a provider")), required: true, "Which plugin talks to it."),
      Field("speech", .object(speech), "Who hears and speaks, for a model that reads and writes."),
      Field(
        "addresses", .list(.text(TextShape("an IP address or prefix") { AddressPrefix.fault(in: $0) })),
        "Where its webhooks may come from; from everywhere without it."),
    ],
    others: .free)

  static let companion = ObjectShape(
    "a companion", doc: "A persona: who an agent is.",
    [
      Field("name", .text(TextShape("a name")), "What it calls itself."),
      Field("instructions", .text(TextShape()), "What it is told to be and to do."),
      Field("firstName", .text(TextShape()), "As in the REST contract."),
      Field("lastName", .text(TextShape()), "As in the REST contract."),
      Field("description", .text(TextShape()), "What it is told to be, where there are no instructions."),
      Field("pictureUrl", .text(TextShape("a URL")), "As in the REST contract; nothing is drawn."),
      Field("gender", .text(TextShape()), "As in the REST contract."),
      Field("ethnicity", .text(TextShape()), "As in the REST contract."),
    ])

  static let turnDetection = ObjectShape(
    "turn detection", doc: "When a caller's turn begins and ends.",
    [
      Field("threshold", .number(0...1), "How clear speech must be (0.5)."),
      Field(
        "prefix_padding_ms", .integer(0...10_000),
        "Milliseconds before the detected start that belong to the turn (300)."),
      Field("silence_duration_ms", .integer(0...60_000), "Milliseconds of silence that end the turn (500)."),
    ], others: .free)

  static let providerSettings = ObjectShape(
    "provider settings", doc: "Settings of the conversation; keys besides these go to the model as they are.",
    [
      Field("instructions", .text(TextShape()), "Replaces the companion's instructions."),
      Field("temperature", .number(0...10), "How freely the model answers."),
      Field("turnDetection", .object(turnDetection), "When a caller's turn begins and ends."),
      Field(
        "noiseReduction",
        .object(
          ObjectShape(
            "noise reduction",
            [Field("type", .choice(["nearField", "farField"]), "Where the microphone is.")])),
        "For microphones."),
    ], others: .free)

  static let humanHandoff = ObjectShape(
    "a human handoff", doc: "Handing the caller to a person.",
    [
      Field("enabled", .boolean, "Whether the agent may hand over."),
      Field(
        "transferExtension", .text(TransferTarget.shape),
        "To whom: an extension, a number, or a sip: or tel: URI."),
      Field("transferDescription", .text(TextShape()), "When to hand over, in words for the model."),
    ])

  static let mcp = ObjectShape(
    "mcp",
    [
      Field("servers", .list(.text(TextShape("a name"))), "MCP servers that the agent may use."),
      Field("connectors", .list(.text(TextShape("a name"))), "As in the REST contract."),
    ])

  static let agentFallback = ObjectShape(
    "a fallback of an agent", doc: "Who goes on when the backend fails.",
    [
      Field("agent", .text(TextShape("the name of an agent")), "An agent that goes on."),
      Field(
        "transfer", .short(.text(TransferTarget.shape), transfer),
        "Somebody who gets the caller."),
    ], exactlyOne: ["agent", "transfer"])

  static let patience = ObjectShape(
    "patience", doc: "How long a caller may be left without a voice; what is not set is as in routerd.yaml.",
    [
      Field("openMs", .integer(100...60_000), "Milliseconds until the backend must be ready."),
      Field(
        "wordMs", .integer(0...60_000),
        "Milliseconds of silence after which the caller hears \"One moment, please.\"; 0 is never."),
      Field(
        "firstAudioMs", .integer(0...120_000),
        "Milliseconds of silence after which the next fallback goes on; 0 is never."),
    ])

  static let memory = ObjectShape(
    "a memory", doc: "What the agent remembers of the same person.",
    [
      Field(
        "by", .choice(["caller", "externalClientId"]),
        "How a person is recognised: by the number, or by what the application calls it (caller)."),
      Field("conversations", .integer(1...20), "So many of the last conversations (3)."),
      Field("days", .integer(1...3650), "For so many days (30)."),
    ])

  /// What overrides may change.
  private static let settings: [Field] = [
    Field("companionId", .text(TextShape("the name of a companion")), "Who the agent is: a companion."),
    Field("voiceId", .text(TextShape("a voice")), "The voice, as the provider calls it."),
    Field(
      "language", .text(TextShape("a language")),
      "A tag such as en or de-CH, or an English name; open when it is not set."),
    Field(
      "provider", .text(TextShape("the name of a provider")),
      "Which backend carries the conversation (offline)."),
    Field(
      "voiceMode", .choice(VoiceMode.words),
      "Who carries it: the provider (hosted, which is usual), or the server of webhook."),
    Field(
      "webhook", .text(TextShape("the name of a provider")),
      "The provider whose server carries it in the voice mode webhook."),
    Field("speech", .object(speech), "Who hears and speaks, in place of what the provider says."),
    Field("functions", .list(.text(TextShape("the name of a function"))), "Tools that it may use."),
    Field(
      "faqCollections", .list(.text(TextShape("the name of a FAQ collection"))),
      "Questions that it answers with stored words."),
    Field("knowledgeBaseId", .text(TextShape("the name of a knowledge base")), "Where it looks things up."),
    Field("mcp", .object(mcp), "MCP servers that it may use."),
    Field("providerSettings", .object(providerSettings), "Settings of the conversation."),
    Field("initialSpeech", .text(TextShape()), "How it opens the call."),
    Field("humanHandoff", .object(humanHandoff), "Handing the caller to a person."),
    Field(
      "fallback", .list(.short(.text(TextShape("the name of an agent")), agentFallback)),
      "Agents to go on with when the backend fails, mid-call too; {transfer: …} hands the caller over."),
    Field("patience", .object(patience), "How long a caller may be left without a voice."),
    Field(
      "memory", .object(memory), "What it remembers of people from one conversation to the next (nothing)."),
    Field("useWebSearch", .boolean, "Whether the model may search the web."),
    Field("disableIdleTimeout", .boolean, "Whether a silent caller is kept."),
    Field("maximumDuration", .integer(seconds), "Seconds after which the call is ended (14400)."),
    Field("tags", .named(.text(TextShape())), "Free labels; they come back with sessions."),
  ]

  static let agentSettings = ObjectShape("overrides", doc: "Changes to an agent.", settings)

  static let channelConfiguration = ObjectShape(
    "a channel configuration", doc: "Changes to the agent for one channel.",
    settings + [
      Field("useGreenVideo", .boolean, "As in the REST contract; there is no video."),
      Field("videoPolicy", .choice(["required", "deferred"]), "As in the REST contract; there is no video."),
    ])

  static let channels = ObjectShape(
    "channels", doc: "Changes to the agent, one block for each channel.",
    ["sip", "voip", "websocket", "webrtc"].map {
      Field($0, .patch(channelConfiguration), "Changes for calls of the channel \($0).")
    })

  static let agent = ObjectShape(
    "an agent", doc: "Who answers calls.",
    [Field("name", .text(TextShape("a name")), "A label; the key is the name that routes use.")] + settings
      + [
        Field("channels", .object(channels), "Changes to the agent, one block for each channel.")
      ])

  // MARK: SIP

  static let credentials = ObjectShape(
    "an 'auth' block", doc: "A user name and a password.",
    [
      Field("username", .text(TextShape("a user name")), required: true, "The user name."),
      Field("password", .text(TextShape("a password")), required: true, "Use ${env:NAME} or ${file:PATH}."),
    ])

  static let trunk = ObjectShape(
    "a trunk", doc: "A SIP peer that sends calls without a registration.",
    [
      Field(
        "addresses", .list(.text(TextShape("an IP address or prefix") { AddressPrefix.fault(in: $0) })),
        "Addresses and prefixes that it sends from, e.g. 203.0.113.0/28."),
      Field("auth", .object(credentials), "Digest credentials that it must present."),
      Field("region", .text(region), "The region that its national numbers belong to."),
      Field(
        "calledNumberFrom",
        .oneOrMany(.text(TextShape("a source of the called number", fault: Trunk.CalledNumberSource.fault))),
        "Where the called number is taken from, in order: request-uri, to, p-called-party-id, diversion, header:NAME."
      ),
      Field(
        "limit",
        .short(
          .integer(0...1_000_000),
          ObjectShape(
            "a limit of a trunk",
            [Field("calls", .integer(0...1_000_000), required: true, "So many calls at once.")])),
        "How many calls it may have at once."),
    ])

  static let connectionSettings = ObjectShape(
    "the account of a connection", doc: "The SIP account.",
    [
      Field("server", .text(TextShape("a host name or address")), required: true, "The registrar."),
      Field("port", .integer(1...65535), "Its port (5060; 5061 for TLS)."),
      Field("domain", .text(TextShape("a domain")), required: true, "The domain of the account."),
      Field("username", .text(TextShape("a user name")), required: true, "The user name."),
      Field("password", .text(TextShape("a password")), required: true, "Use ${env:NAME} or ${file:PATH}."),
      Field("transport", .choice(["UDP", "TCP", "TLS"]), "How the registrar is reached (UDP)."),
      Field("callerId", .text(TextShape("a number")), "The number that calls out show."),
    ])

  static let connection = ObjectShape(
    "a connection", doc: "A SIP account that routerd registers.",
    [
      Field(
        "agentId", .text(TextShape("the name of an agent")), required: true,
        "Who answers its calls when no route matches."),
      Field("name", .text(TextShape("a name")), "A label."),
      Field("region", .text(region), "The region that its national numbers belong to."),
      Field("settings", .object(connectionSettings), required: true, "The SIP account."),
    ])

  // MARK: Schedules and lists

  static let schedule = ObjectShape(
    "a schedule", doc: "Opening hours.",
    [
      Field(
        "timezone", .text(TextShape("a time zone, e.g. Europe/London")), required: true,
        "A name of the IANA database; daylight saving is kept."),
      Field(
        "open",
        .oneOrMany(
          .text(TextShape("opening hours, e.g. 'mon-fri 09:00-17:30'") { OpeningHours.fault(in: $0) })),
        required: true, "Days and hours, e.g. 'mon-fri 09:00-17:30'."),
      Field(
        "closed",
        .oneOrMany(.text(TextShape("a date, e.g. 2026-12-25 or *-01-01") { DatePattern.fault(in: $0) })),
        "Days that are closed, e.g. 2026-12-25, or *-01-01 for every year."),
    ])

  static let callerList = ObjectShape(
    "a caller list", doc: "A set of numbers.",
    [
      Field(
        "file", .text(TextShape("a path")),
        "A file with a number in each line; # begins a comment. The path is from the route directory."),
      Field(
        "numbers", .list(.text(TextShape("a number"))),
        "Numbers, for short lists."),
    ], exactlyOne: ["file", "numbers"])
}
