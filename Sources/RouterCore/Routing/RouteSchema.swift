/// The route file language, as data: what the loader understands, and what `routerd schema` prints.
enum RouteSchema {
  /// A route file.
  static let file = ObjectShape(
    "a route file", doc: "A file of a route directory; all files of the directory are one table.",
    [
      Field("numbering", .object(numbering), "How numbers that are not E.164 are read."),
      Field(
        "providers", .named(.object(provider)),
        "Accounts and endpoints of others: model backends, speech, VoIP providers."),
      Field("companions", .named(.object(companion)), "Personas: who an agent is."),
      Field("functions", .named(.object(function)), "Tools that agents may use."),
      Field(
        "mcpServers", .named(.object(mcpServer)), "Servers of the Model Context Protocol, with their tools."),
      Field("faqCollections", .named(.list(.object(faq))), "Questions with stored answers."),
      Field("knowledgeBases", .named(.object(knowledgeBase)), "Documents that agents may look things up in."),
      Field("agents", .named(.object(agent)), "Who answers calls."),
      Field("connections", .named(.object(connection)), "SIP accounts; not registered yet."),
      Field("trunks", .named(.object(trunk)), "SIP peers that send calls without a registration."),
      Field("schedules", .named(.object(schedule)), "Opening hours, by name."),
      Field("callerLists", .named(.object(callerList)), "Sets of numbers, by name."),
      Field("routes", .list(.object(route)), "Which calls go where."),
      Field(
        "tests", .list(.object(test)),
        "Calls with what must become of them; run before the table is put in force."),
    ])

  // MARK: Small pieces

  static let seconds = 1...86400

  static let reject = ObjectShape(
    "a rejection", doc: "How a call is refused.",
    [
      Field("code", .integer(300...699), required: true, "The SIP status, e.g. 486 (busy), 603 (declined)."),
      Field("reason", .text(TextShape(shows: "the caller sees these words")), "The words beside the status."),
      Field("retryAfter", .integer(seconds), "Seconds after which the caller may try again."),
    ])

  static let transfer = ObjectShape(
    "a transfer", doc: "Who else gets the call.",
    [
      Field(
        "target", .text(TransferTarget.shape), required: true,
        "An extension, a number, or a sip:, sips: or tel: URI."),
      Field("timeout", .integer(1...600), "Seconds that the target may ring (30)."),
    ])

  static let limit = ObjectShape(
    "a limit", doc: "How many calls may be up at once.",
    [
      Field(
        "calls", .integer(0...1_000_000), required: true,
        "So many calls at once; the next one goes to the fallback."),
      Field("key", .text(TextShape("a name")), "Routes that name the same key share the limit."),
    ])

  static let weighted = ObjectShape(
    "a share of a split", doc: "One side of a split.",
    [
      Field("agent", .text(TextShape("the name of an agent")), required: true, "Who answers this share."),
      Field(
        "weight", .integer(0...1_000_000), required: true, "How big the share is, beside the other weights."),
      Field("overrides", .patch(agentSettings), "Changes to the agent for this share."),
    ])

  static let hook = ObjectShape(
    "a hook", doc: "A question to your own server before the call is answered.",
    [
      Field(
        "url",
        .text(
          TextShape("an http or https URL", pattern: "^https?://", fault: TextFault.url("http", "https"))),
        required: true, "Where the call is posted to, as JSON."),
      Field("secret", .text(TextShape("a secret")), "Signs the question; use ${env:NAME} or ${file:PATH}."),
      Field("timeoutMs", .integer(10...5000), "Milliseconds that an answer may take (300)."),
      Field(
        "onFailure", .choice(["continue", "reject"]),
        "What happens without an answer: continue as the route says, or reject with 503."),
      Field("allowPrivate", .boolean, allowPrivateDoc),
    ])

  static let fallbackTarget = ObjectShape(
    "a fallback", doc: "What to try when the target before it cannot take the call.",
    [
      Field("agent", .text(TextShape("the name of an agent")), "An agent that answers."),
      Field(
        "overrides", .patch(agentSettings),
        "Changes to that agent; those of the route are for its own target alone."),
      Field(
        "transfer", .short(.text(TransferTarget.shape), transfer),
        "Somebody who gets the call."),
      Field("reject", .short(.integer(300...699), reject), "How the call is refused."),
    ], exactlyOne: ["agent", "transfer", "reject"])

  // MARK: Routes

  private static let number = TextShape("a number")  // read, and its faults reported, when the route is made
  private static let callerOrList = Shape.shortOrMany(
    .text(number),
    ObjectShape(
      "a list of numbers",
      [Field("list", .text(TextShape("the name of a caller list")), required: true, "A list of callerLists.")]
    ))
  private static let name = Shape.oneOrMany(.text(TextShape("a name")))

  private static let conditions: [Field] = [
    Field(
      "to", .oneOrMany(.text(number)),
      "The called number: exact, a prefix (+4420*), digits left open (+1555???0001), or /a regular expression/."
    ),
    Field("from", callerOrList, "The caller: as for 'to', 'anonymous', or {list: NAME}."),
    Field("channel", .oneOrMany(.choice(["sip", "voip", "websocket", "webrtc"])), "How the call came in."),
    Field("provider", name, "The type of the VoIP provider that announced the call."),
    Field("connection", name, "The SIP connection that the call came to."),
    Field("trunk", name, "The trunk that the call came from."),
    Field(
      "header",
      .named(
        .oneOrMany(
          .text(
            TextShape("a value, with * for anything, or /a regular expression/") { TextPattern.fault(in: $0) }
          ))), "SIP headers or webhook parameters by name."),
    Field("schedule", name, "A schedule that is open when the call comes in."),
    Field("language", name, "A language tag; 'en' takes 'en-GB' as well."),
    Field("percent", .number(0...100), "Takes this share of the callers, always the same ones."),
    Field(
      "attestation", .oneOrMany(.choice(["A", "B", "C", "none"])),
      "How far the caller's number is vouched for (STIR/SHAKEN)."),
    Field(
      "sourceAddress",
      .oneOrMany(.text(TextShape("an IP address or prefix") { AddressPrefix.fault(in: $0) })),
      "Where the signalling came from, e.g. 203.0.113.0/28."),
    Field("diversion", .oneOrMany(.text(number)), "Who was called before the call was diverted to us."),
  ]

  static let block = ObjectShape("a 'not' block", doc: "Conditions that must not all hold.", conditions)
  static let match = ObjectShape(
    "a match", doc: "All keys must fit; a list fits when one of its elements does.",
    conditions + [
      Field(
        "not", .shortOrMany(.object(block), block),
        "Passes the route over when all keys of the block fit; with a list, when one of the blocks does.")
    ])

  static let route = ObjectShape(
    "a route", doc: "Which calls go where.",
    [
      Field(
        "name", .text(TextShape("a name")), "What the route is called in traces and records; must be unique."),
      Field("match", .object(match), "Which calls the route takes; every call without it."),
      Field("agent", .text(TextShape("the name of an agent")), "Who answers."),
      Field(
        "split", .list(.object(weighted)), "Several agents by weight; a caller always gets the same one."),
      Field(
        "transfer", .short(.text(TransferTarget.shape), transfer),
        "Hands the call to somebody else."),
      Field("reject", .short(.integer(300...699), reject), "Refuses the call."),
      Field(
        "overrides", .patch(agentSettings), "Changes to the agent for calls of this route (JSON Merge Patch)."
      ),
      Field(
        "limit", .short(.integer(0...1_000_000), limit), "How many calls of this route may be up at once."),
      Field(
        "fallback", .list(.object(fallbackTarget)),
        "What to try next, in order, when the target cannot take the call or the limit is reached."),
      Field(
        "hook", .short(.text(TextShape("an http or https URL", fault: TextFault.url("http", "https"))), hook),
        "Asks your own server before the call is answered."),
      Field("priority", .integer(-1_000_000...1_000_000), "Higher ones are asked first (0)."),
    ], exactlyOne: ["agent", "split", "transfer", "reject"])

  // MARK: Tests

  static let testCall = ObjectShape(
    "a call of a test", doc: "A call that might come in.",
    [
      Field(
        "to", .text(TextShape("a number")), required: true, "The called number, as the network would send it."
      ),
      Field("from", .text(TextShape("a number")), "The caller; 'anonymous' for a withheld number."),
      Field("channel", .choice(["sip", "voip", "websocket", "webrtc"]), "How it comes in (sip)."),
      Field(
        "at", .text(TextShape("a date and time") { CallTime.fault(in: $0) }),
        "When, e.g. 2026-12-25T10:00; in the time zone of the schedules unless an offset stands behind it."),
      Field("provider", .text(TextShape("a name")), "The type of the VoIP provider."),
      Field("trunk", .text(TextShape("the name of a trunk")), "The trunk that it comes from."),
      Field("connection", .text(TextShape("the name of a connection")), "The connection that it comes to."),
      Field("header", .named(.oneOrMany(.text(TextShape()))), "Headers by name."),
      Field("language", .text(TextShape("a language tag")), "A language tag."),
      Field("attestation", .choice(["A", "B", "C"]), "How far the number is vouched for."),
      Field(
        "sourceAddress", .text(TextShape("an IP address") { AddressPrefix.fault(in: $0) }),
        "Where the signalling comes from."),
      Field(
        "diversion", .oneOrMany(.text(TextShape("a number"))), "Who was called before, most recent first."),
      Field(
        "defaultAgent", .text(TextShape("the name of an agent")),
        "The agent of the connection or webhook, for when no route matches."),
    ])

  static let expectation = ObjectShape(
    "an expectation", doc: "What must become of the call; only the keys that are given are compared.",
    [
      Field(
        "route", .text(TextShape("the name of a route")), "The route that wins; 'none' when no route may."),
      Field("agent", .text(TextShape("the name of an agent")), "The agent that answers."),
      Field("transfer", .text(TextShape("a target")), "Who gets the call."),
      Field("reject", .integer(300...699), "The SIP status that the caller gets."),
      Field("settings", .patch(agentSettings), "Settings that the agent must have for this call."),
    ])

  static let test = ObjectShape(
    "a test", doc: "A call with what must become of it.",
    [
      Field("name", .text(TextShape("a name")), "What the test is about."),
      Field("call", .object(testCall), required: true, "The call."),
      Field("expect", .object(expectation), required: true, "What must become of it."),
    ])
}
