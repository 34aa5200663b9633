internal import RouterCore

/// What clients of the realtime protocol may send, strictly.
/// https://platform.openai.com/docs/api-reference/realtime-client-events
enum RealtimeRules {
  /// General availability, or the beta that Azure's dated versions speak.
  enum Shape: Sendable { case ga, beta }

  /// The rule for a whole event.
  static func event(_ shape: Shape) -> Rule { shape == .ga ? gaEvent : betaEvent }

  private static let gaEvent = event(
    session: gaSession, response: gaResponse, item: item(assistant: "output_text"))
  private static let betaEvent = event(
    session: betaSession, response: betaResponse, item: item(assistant: "text"))

  private static func event(session: Rule, response: Rule, item: Rule) -> Rule {
    func event(_ members: [String: Rule.Member] = [:]) -> Rule {
      .object(
        members.merging([
          "type": Rule.required(.text), "event_id": Rule.optional(.textOf(maximum: 512)),
        ]) { own, _ in own })
    }
    return .tagged(
      "type",
      [
        "session.update": event(["session": Rule.required(session)]),
        "input_audio_buffer.append": event(["audio": Rule.required(.text)]),
        "input_audio_buffer.commit": event(), "input_audio_buffer.clear": event(),
        "conversation.item.create": event([
          "item": Rule.required(item), "previous_item_id": Rule.optional(.either([.text, .null])),
        ]),
        "conversation.item.truncate": event([
          "item_id": Rule.required(.text), "content_index": Rule.required(.integer(0...0)),
          "audio_end_ms": Rule.required(.integer(0...86_400_000)),
        ]),
        "conversation.item.delete": event(["item_id": Rule.required(.text)]),
        "conversation.item.retrieve": event(["item_id": Rule.required(.text)]),
        "response.create": event(["response": Rule.optional(response)]),
        "response.cancel": event(["response_id": Rule.optional(.text)]),
      ])
  }

  // MARK: Sessions

  private static let voices: Set<String> = [
    "alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar",
  ]

  private static let detection: Rule = .either([
    .null,
    .tagged(
      "type",
      [
        "server_vad": .object([
          "type": Rule.required(.text), "threshold": Rule.optional(.number(0...1)),
          "prefix_padding_ms": Rule.optional(.integer(0...10_000)),
          "silence_duration_ms": Rule.optional(.integer(0...60_000)),
          "idle_timeout_ms": Rule.optional(.either([.integer(5000...30_000), .null])),
          "create_response": Rule.optional(.bool), "interrupt_response": Rule.optional(.bool),
        ]),
        "semantic_vad": .object([
          "type": Rule.required(.text),
          "eagerness": Rule.optional(.choice(["low", "medium", "high", "auto"])),
          "create_response": Rule.optional(.bool), "interrupt_response": Rule.optional(.bool),
        ]),
      ]),
  ])

  private static let noise: Rule = .either([
    .object(["type": Rule.required(.choice(["near_field", "far_field"]))]), .null,
  ])

  private static let transcription: Rule = .either([
    .object([
      "model": Rule.optional(.text), "language": Rule.optional(.textOf(maximum: 8)),
      "prompt": Rule.optional(.text),
    ]), .null,
  ])

  private static let functions: Rule = .list(
    .object([
      "type": Rule.required(.choice(["function"])), "name": Rule.required(.textOf(maximum: 64)),
      "description": Rule.optional(.text), "parameters": Rule.optional(.free),
    ]))

  private static let choice: Rule = .either([
    .choice(["auto", "none", "required"]),
    .object(["type": Rule.required(.choice(["function"])), "name": Rule.required(.text)]),
  ])

  private static let tokens: Rule = .either([.choice(["inf"]), .integer(1...4096)])

  private static let gaFormat: Rule = .tagged(
    "type",
    [
      "audio/pcm": .object(["type": Rule.required(.text), "rate": Rule.optional(.integer(24000...24000))]),
      "audio/pcmu": .object(["type": Rule.required(.text)]),
      "audio/pcma": .object(["type": Rule.required(.text)]),
    ])

  private static let gaVoice: Rule = .either([.object(["id": Rule.required(.text)]), .choice(voices)])

  private static let gaSession: Rule = .tagged(
    "type",
    [
      "realtime": .object([
        "type": Rule.required(.text), "model": Rule.optional(.text), "instructions": Rule.optional(.text),
        "output_modalities": Rule.optional(.list(.choice(["audio", "text"]))),
        "audio": Rule.optional(
          .object([
            "input": Rule.optional(
              .object([
                "format": Rule.optional(gaFormat), "noise_reduction": Rule.optional(noise),
                "transcription": Rule.optional(transcription), "turn_detection": Rule.optional(detection),
              ])),
            "output": Rule.optional(
              .object([
                "format": Rule.optional(gaFormat), "voice": Rule.optional(gaVoice),
                "speed": Rule.optional(.number(0.25...1.5)),
              ])),
          ])),
        "tools": Rule.optional(functions), "tool_choice": Rule.optional(choice),
        "max_output_tokens": Rule.optional(tokens), "truncation": Rule.optional(.either([.text, .free])),
        "tracing": Rule.optional(.either([.choice(["auto"]), .free, .null])),
        "include": Rule.optional(.list(.choice(["item.input_audio_transcription.logprobs"]))),
        "prompt": Rule.optional(.either([.free, .null])), "reasoning": Rule.optional(.free),
        "parallel_tool_calls": Rule.optional(.bool),
      ])
    ])

  private static let betaSession: Rule = .object([
    "modalities": Rule.optional(.list(.choice(["audio", "text"]))), "voice": Rule.optional(.choice(voices)),
    "instructions": Rule.optional(.text),
    "input_audio_format": Rule.optional(.choice(["pcm16", "g711_ulaw", "g711_alaw"])),
    "output_audio_format": Rule.optional(.choice(["pcm16", "g711_ulaw", "g711_alaw"])),
    "input_audio_transcription": Rule.optional(transcription), "turn_detection": Rule.optional(detection),
    "input_audio_noise_reduction": Rule.optional(noise), "tools": Rule.optional(functions),
    "tool_choice": Rule.optional(choice), "temperature": Rule.optional(.number(0.6...1.2)),
    "max_response_output_tokens": Rule.optional(tokens), "speed": Rule.optional(.number(0.25...1.5)),
    "model": Rule.optional(.text),
  ])

  // MARK: Responses and items

  private static let gaResponse: Rule = .object([
    "instructions": Rule.optional(.text),
    "output_modalities": Rule.optional(.list(.choice(["audio", "text"]))),
    "audio": Rule.optional(.free), "tools": Rule.optional(functions), "tool_choice": Rule.optional(choice),
    "conversation": Rule.optional(.choice(["auto", "none"])), "metadata": Rule.optional(.free),
    "input": Rule.optional(.list(.free)), "max_output_tokens": Rule.optional(tokens),
    "prompt": Rule.optional(.free),
  ])

  private static let betaResponse: Rule = .object([
    "instructions": Rule.optional(.text), "modalities": Rule.optional(.list(.choice(["audio", "text"]))),
    "voice": Rule.optional(.choice(voices)), "tools": Rule.optional(functions),
    "tool_choice": Rule.optional(choice), "conversation": Rule.optional(.choice(["auto", "none"])),
    "metadata": Rule.optional(.free), "input": Rule.optional(.list(.free)),
    "temperature": Rule.optional(.number(0.6...1.2)), "max_output_tokens": Rule.optional(tokens),
    "output_audio_format": Rule.optional(.choice(["pcm16", "g711_ulaw", "g711_alaw"])),
  ])

  private static func item(assistant: String) -> Rule {
    let common: [String: Rule.Member] = [
      "type": Rule.required(.text), "id": Rule.optional(.textOf(maximum: 32)),
      "object": Rule.optional(.choice(["realtime.item"])),
      "status": Rule.optional(.choice(["completed", "incomplete", "in_progress"])),
    ]
    func item(_ members: [String: Rule.Member]) -> Rule { .object(members.merging(common) { own, _ in own }) }
    func message(_ part: String) -> Rule {
      item([
        "role": Rule.required(.text),
        "content": Rule.required(
          .list(.object(["type": Rule.required(.choice([part])), "text": Rule.required(.text)]))),
      ])
    }
    return .tagged(
      "type",
      [
        "message": .tagged(
          "role",
          [
            "user": message("input_text"), "system": message("input_text"), "assistant": message(assistant),
          ]),
        "function_call": item([
          "call_id": Rule.optional(.textOf(maximum: 32)), "name": Rule.required(.text),
          "arguments": Rule.required(.text),
        ]),
        "function_call_output": item([
          "call_id": Rule.required(.text), "output": Rule.required(.text),
        ]),
      ])
  }
}
