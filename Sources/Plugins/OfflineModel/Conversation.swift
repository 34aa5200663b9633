internal import RouterCore

/// What the agent says next. Pure: a request in, a reply out.
struct Conversation {
  /// One turn: what is remembered, what is said, and what is done after it.
  struct Reply: Hashable {
    var text: String
    var tool: String?
    var memory: Memory
  }

  /// From here on the agent acts on what it heard; between the two it asks whether that was meant; below, it did not
  /// understand. (docs/decisions/0032-free-phones.md says how often each is wrong.)
  static let sure = 0.7
  static let unsure = 0.3
  /// A recogniser that gives no confidence is trusted this much.
  static let trust = 0.9
  /// After so many turns in a row that were not understood, or silent, the agent gives up.
  static let patience = 3

  private let request: TextRequest
  private let menu: Menu
  private let canHandOver: Bool
  private var memory: Memory

  init(_ request: TextRequest) {
    self.request = request
    canHandOver = request.tools.contains { $0.name == Tool.handOver }
    menu = Menu(request.agent, hasPerson: canHandOver)
    memory = Memory(request.transcript)
  }

  /// The agent's next turn.
  func reply() -> Reply {
    var conversation = self
    return conversation.decide()
  }

  private mutating func decide() -> Reply {
    if request.prompt != .silence { memory.silences = 0 }
    switch request.prompt {
    case .greeting: return greet()
    case .takeover: return takeOver()
    case .speech(let text, let confidence): return hear(text, confidence ?? Conversation.trust)
    case .digits(let keys): return press(keys)
    case .silence: return silence()
    case .information: return say("")
    case .toolResults(let results): return results.contains(where: \.isError) ? toolFailed() : say("")
    }
  }

  // MARK: What is said

  private func say(_ text: String, then tool: String? = nil) -> Reply {
    Reply(text: text, tool: tool, memory: memory)
  }

  private mutating func greet() -> Reply {
    memory.saying = .greeting
    memory.question = .none
    if request.transcript.contains(where: { $0.speaker == .agent && $0.kind == .speech }) {
      return offer("I am here to help you now.")  // the call was another agent's before
    }
    return say(greeting)
  }

  /// The answer that the agent before us could not end, from its beginning; else the menu.
  private mutating func takeOver() -> Reply {
    let words = request.transcript.filter { $0.kind == .speech && $0.speaker != .system }
    if let last = words.last, last.speaker == .agent, last.wasInterrupted,
      let asked = words.last(where: { $0.speaker == .caller }),
      let meaning = Meaning.of(asked.text, request.agent), case .question(let index) = meaning.what,
      meaning.fit * (asked.confidence ?? Conversation.trust) >= Conversation.sure
    {
      return answer(index)
    }
    return greet()
  }

  private var greeting: String {
    if let words = request.agent.initialSpeech, !Words.trimmed(words).isEmpty { return words }
    let name = String(request.agent.name.map { $0 == "-" || $0 == "_" ? " " : $0 })
    let invitation = menu.count > 0 ? " Ask me a question, or press a key." : ""
    return "Hello, this is \(name).\(invitation) \(menu.offer())"
  }

  private mutating func offer(_ before: String, page: Int = 0) -> Reply {
    memory.question = .none
    memory.saying = .menu(page: page)
    return say(before.isEmpty ? menu.offer(page) : "\(before) \(menu.offer(page))")
  }

  private mutating func answer(_ index: Int) -> Reply {
    guard request.agent.faqs.indices.contains(index) else { return misunderstood() }
    memory.misses = 0
    memory.saying = .answer(index)
    memory.question = .anythingElse
    return say("\(Words.trimmed(request.agent.faqs[index].answer)) Is there anything else?")
  }

  private mutating func sayAgain() -> Reply {
    switch memory.saying {
    case .greeting: return say(greeting)
    case .menu(let page): return offer("", page: page)
    case .answer(let index): return answer(index)
    }
  }

  private mutating func handOver() -> Reply {
    memory.question = .none
    guard canHandOver else { return offer("There is nobody here that I could put you through to.") }
    return say("One moment please, I will put you through.", then: Tool.handOver)
  }

  private mutating func toolFailed() -> Reply {
    memory.question = .anythingElse
    return say("I am sorry, nobody can take your call at the moment. Is there anything else?")
  }

  private func leave(_ words: String) -> Reply {
    let canHangUp = request.tools.contains { $0.name == Tool.hangUp }
    return say(words, then: canHangUp ? Tool.hangUp : nil)
  }

  private mutating func misunderstood() -> Reply {
    memory.misses += 1
    if memory.misses >= Conversation.patience {
      if canHandOver {
        return say("I do not understand. Let me put you through to a person.", then: Tool.handOver)
      }
      return leave("I am sorry that I could not help you. Goodbye.")
    }
    if case .meant(let index) = memory.question, request.agent.faqs.indices.contains(index) {
      return say("Please say yes or no. Did you mean: \(Menu.sentence(request.agent.faqs[index].question))")
    }
    return offer("I am sorry, I did not understand.")
  }

  private mutating func silence() -> Reply {
    memory.silences += 1
    switch memory.silences {
    case 1: return say("Are you still there?")
    case ..<Conversation.patience: return offer("I cannot hear you.")
    default: return leave("I still cannot hear you. Goodbye.")
    }
  }

  // MARK: What is heard

  private mutating func press(_ keys: String) -> Reply {
    let number = keys.hasSuffix("#") ? String(keys.dropLast()) : keys
    if keys.hasPrefix("*") { return sayAgain() }
    if number.isEmpty {
      memory.misses = 0
      return offer("")
    }
    return choose(number.allSatisfy(\.isNumber) ? Int(number) : nil)
  }

  /// The caller named a number of the menu; 0 is a person.
  private mutating func choose(_ number: Int?) -> Reply {
    if number == 0 { return handOver() }
    guard let number, let index = menu.index(of: number) else {
      memory.misses += 1
      if memory.misses >= Conversation.patience { return misunderstood() }
      return offer("There is no such number.")
    }
    return answer(index)
  }

  private mutating func hear(_ text: String, _ confidence: Double) -> Reply {
    guard let meaning = Meaning.of(text, request.agent) else { return misunderstood() }
    let certainty = meaning.fit * min(max(confidence, 0), 1)
    guard certainty >= Conversation.unsure else { return misunderstood() }
    let isSure = certainty >= Conversation.sure
    switch meaning.what {
    case .number(let number): return isSure ? choose(number) : misunderstood()
    case .question(let index):
      // Said again after "did you mean": that is a yes.
      return isSure || memory.question == .meant(index) ? answer(index) : ask(.meant(index))
    case .command(let command): return obey(command, isSure: isSure)
    }
  }

  private mutating func obey(_ command: Command, isSure: Bool) -> Reply {
    switch command {
    case .yes: return agree()
    case .no: return refuse()
    case .again: return sayAgain()
    case .menu:
      memory.misses = 0
      return offer("")
    case .more:
      if case .menu(let page) = memory.saying { return offer("", page: (page + 1) % menu.pages) }
      return offer("", page: memory.saying == .greeting ? 1 % menu.pages : 0)
    case .person: return isSure || memory.question == .person ? handOver() : ask(.person)
    case .goodbye: return isSure || memory.question == .goodbye ? leave("Goodbye.") : ask(.goodbye)
    }
  }

  private mutating func ask(_ question: Memory.Question) -> Reply {
    memory.question = question
    switch question {
    case .meant(let index):
      return say("Did you mean: \(Menu.sentence(request.agent.faqs[index].question))")
    case .person: return say("Would you like to speak to a person?")
    case .goodbye: return say("Would you like to end the call?")
    case .none, .anythingElse: return offer("")
    }
  }

  private mutating func agree() -> Reply {
    switch memory.question {
    case .meant(let index): return answer(index)
    case .person: return handOver()
    case .goodbye: return leave("Goodbye.")
    case .anythingElse, .none: return offer("What would you like to know?")
    }
  }

  private mutating func refuse() -> Reply {
    switch memory.question {
    case .anythingElse: return leave("Thank you for calling. Goodbye.")
    case .meant, .person, .goodbye:
      memory.misses += 1
      if memory.misses >= Conversation.patience { return misunderstood() }
      return offer("All right.")
    case .none: return offer("")
    }
  }
}
