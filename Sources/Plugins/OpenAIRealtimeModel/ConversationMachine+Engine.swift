internal import FoundationEssentials
internal import RouterCore

/// What the engine tells us.
extension ConversationMachine {
  mutating func obey(_ command: VoiceCommand, at now: Duration) -> [Action] {
    switch command {
    case .begin:
      guard !hasBegun else { return [] }
      hasBegun = true
      return want(.reply(instructions: greeting), at: now)
    case .say(let text):
      hasBegun = true
      guard !text.isEmpty else { return [] }
      return want(
        .say(instructions: settings.instructions(adding: ConversationMachine.exactly(text))), at: now)
    case .digit(let key): return take(key, at: now)
    case .toolResult(let result): return give(result, at: now)
    case .truncate(let turn, let played): return truncate(turn, played, at: now)
    case .played(let turn):
      unplayed.remove(turn)
      return moveOverIfQuiet(at: now)
    case .inform(let text, let responds):
      memory.add(.system, text, at: now)
      return [send(.message(.system, text))] + (responds ? want(.reply(instructions: nil), at: now) : [])
    // On hold the call's media brings silence, which the server's turn detection needs.
    case .held, .close: return []
    }
  }

  /// What the first response is led by: it replaces the session's instructions, so it begins with them.
  private var greeting: String? {
    if takesOver {
      return settings.instructions(
        adding:
          "You take over this telephone call in the middle of it. Go on where it stopped, with a short sentence;"
          + " do not greet again.")
    }
    guard let speech = settings.agent.initialSpeech, !speech.isEmpty else {
      return settings.instructions(adding: "The telephone call was just answered: greet the caller.")
    }
    return settings.instructions(adding: "The telephone call was just answered. Open it like this: \(speech)")
  }

  private static func exactly(_ text: String) -> String {
    "Say exactly the following words, and nothing else:\n\(text)"
  }

  // MARK: Keys

  private mutating func take(_ key: Character, at now: Duration) -> [Action] {
    guard "0123456789*#ABCD".contains(key), digits.count < ConversationMachine.maximumDigits else {
      return []
    }
    digits.append(key)
    digitsDue = now + ConversationMachine.digitTime
    return key == "#" ? giveDigits(at: now) : []
  }

  mutating func giveDigits(at now: Duration) -> [Action] {
    digitsDue = nil
    guard !digits.isEmpty else { return [] }
    let words = ConversationMemory.keys(digits)
    digits = ""
    memory.add(.user, words, at: now)
    return [send(.message(.user, words))] + want(.reply(instructions: nil), at: now)
  }

  // MARK: Barge-in

  /// The caller has heard only so much of a turn: the server forgets the rest of it.
  private mutating func truncate(_ id: TurnID, _ played: Int, at now: Duration) -> [Action] {
    unplayed.remove(id)
    guard let index = turns.firstIndex(where: { $0.id == id }), !turns[index].isCut else { return [] }
    turns[index].isCut = true
    let wasOver = turns[index].isOver
    let turn = turns[index]
    var actions: [Action] = []
    // Otherwise the server has cancelled it when it heard the caller.
    if active == turn.response, turn.isAside {
      actions.append(send(.cancelResponse(turn.response)))
    } else if active == turn.response, !settings.interruptsResponses {
      actions.append(send(.cancelResponse()))
    }
    let length = milliseconds(turn.items.reduce(0) { $0 + $1.bytes })
    var left = max(0, played)
    for item in turn.items where !item.id.isEmpty && !turn.isAside {
      let length = milliseconds(item.bytes)
      // What was not sent cannot be cut, and what was heard to its end needs no cut: both are refused.
      if left < length { actions.append(send(.truncate(item: item.id, milliseconds: left))) }
      left = max(0, left - length)
    }
    if !wasOver {
      memory.add(.assistant, ConversationMachine.joined(turn.text, turn.pieces), turn: id, at: turn.began)
    }
    if length > 0 { memory.cut(id, to: Double(min(max(0, played), length)) / Double(length)) }
    if wasOver { return actions + moveOverIfQuiet(at: now) }
    return actions + [.report(.turnEnded(id))]
  }

  private func milliseconds(_ bytes: Int) -> Int {
    bytes * 1000 / (settings.format.sampleRate * settings.format.bytesPerSample)
  }

  // MARK: Tools

  /// The calls of a completed response, all at once.
  mutating func use(_ calls: [ServerEvent.FunctionCall], turn: TurnID, at now: Duration) -> [Action] {
    guard !calls.isEmpty else { return [] }
    var actions: [Action] = []
    for call in calls {
      guard let arguments = ConversationMachine.arguments(call.arguments), let name = call.name else {
        let text = #"{"error": "the arguments are no JSON object"}"#
        actions.append(send(.functionResult(call: call.id, output: text)))
        continue
      }
      guard outstanding.insert(call.id).inserted else { continue }
      actions.append(.report(.toolCall(ToolCall(id: call.id, name: name, arguments: arguments, turn: turn))))
    }
    return actions + want(.goOn, at: now)
  }

  private static func arguments(_ text: String) -> JSONValue? {
    if text.allSatisfy(\.isWhitespace) { return [:] }
    // What is no JSON becomes an error for the model, which may try again.
    guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)),
      case .object = value
    else { return nil }
    return value
  }

  private mutating func give(_ result: ToolResult, at now: Duration) -> [Action] {
    guard outstanding.remove(result.callID) != nil else { return [] }
    let words = result.output.string ?? result.output.text
    let output = result.isError ? JSONValue.object(["error": .string(words)]).text : words
    memory.add(.system, ConversationMemory.result(output), at: now)
    if orphaned.remove(result.callID) != nil {
      // This session did not ask for it: it is told in words.
      return [send(.message(.system, ConversationMemory.result(output)))] + ask(at: now)
    }
    return [send(.functionResult(call: result.callID, output: output))] + ask(at: now)
  }
}
