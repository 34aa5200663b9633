internal import RouterCore

/// What an NCCO may be (https://developer.vonage.com/en/voice/voice-api/ncco-reference), read strictly.
enum NCCORules {
  /// The headers of a WebSocket, as JSON, at most.
  static let maximumHeaderBytes = 512

  private static let endpoint = Rule.tagged(
    "type",
    [
      "websocket": .object([
        "type": Rule.required(.text), "uri": Rule.required(.text),
        "content-type": Rule.required(
          .choice(["audio/l16;rate=8000", "audio/l16;rate=16000", "audio/l16;rate=24000"])),
        "headers": Rule.optional(.free),
        "authorization": Rule.optional(
          .object([
            "type": Rule.required(.choice(["vonage", "custom"])), "value": Rule.optional(.text),
          ])),
      ]),
      "phone": .object([
        "type": Rule.required(.text), "number": Rule.required(.text), "dtmfAnswer": Rule.optional(.text),
        "onAnswer": Rule.optional(.free),
      ]),
      "sip": .object([
        "type": Rule.required(.text), "uri": Rule.required(.text), "headers": Rule.optional(.free),
        "standardHeaders": Rule.optional(.free),
      ]),
    ])

  private static let connect = Rule.object([
    "action": Rule.required(.text), "endpoint": Rule.required(.list(endpoint)),
    "from": Rule.optional(.text), "randomFromNumber": Rule.optional(.bool),
    "eventUrl": Rule.optional(.list(.text)), "eventMethod": Rule.optional(.choice(["GET", "POST"])),
    "eventType": Rule.optional(.choice(["synchronous"])), "timeout": Rule.optional(.integer(1...7200)),
    "limit": Rule.optional(.integer(1...7200)), "ringbackTone": Rule.optional(.text),
  ])

  /// A list of actions.
  static let actions = Rule.list(
    .tagged(
      "action",
      [
        "connect": connect,
        "talk": .object([
          "action": Rule.required(.text), "text": Rule.required(.textOf(maximum: 1500)),
          "language": Rule.optional(.text), "style": Rule.optional(.integer(0...100)),
          "bargeIn": Rule.optional(.bool), "loop": Rule.optional(.integer(0...1000)),
        ]),
        "wait": .object([
          "action": Rule.required(.text), "timeout": Rule.optional(.number(0.1...7200)),
        ]),
      ]))
}
