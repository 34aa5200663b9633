import RouterCore
import RouterTesting
import Testing

@testable import OfflineModel

/// A conversation with the model, turn by turn, as the pipeline would have it.
struct OfflineDialogue {
  static let shop: AgentConfiguration = {
    var agent = AgentConfiguration(
      name: "bicycle-shop",
      faqs: [
        .init(
          question: "When are you open?", answer: "From nine to six.",
          phrases: ["what are your opening hours"]),
        .init(question: "Where are you?", answer: "In Mill Road."),
        .init(
          question: "Do you repair electric bicycles", answer: "Yes, we do.",
          phrases: ["can you fix my e-bike"]),
      ])
    agent.humanHandoff.enabled = true
    return agent
  }()

  static let hangUp = Tool(name: Tool.hangUp, description: "")
  static let handOver = Tool(name: Tool.handOver, description: "")

  var agent = shop
  var tools = [hangUp, handOver]
  var transcript: [TranscriptEntry] = []
  var turn = 0

  /// What the agent says, and the tool it uses after it, as `words [tool]`.
  mutating func tell(_ prompt: TextRequest.Prompt) async throws -> String {
    turn += 1
    let request = TextRequest(
      agent: agent, prompt: prompt, transcript: transcript, tools: tools, turn: TurnID(turn), log: .silent)
    var words = ""
    var tool = ""
    for try await event in OfflineModel().respond(to: request) {
      switch event {
      case .text(let text): words += text
      case .toolCall(let call): tool = " [\(call.name)]"
      case .note(let text): transcript.append(TranscriptEntry(.system, .note, text, at: 0))
      case .trouble: break
      }
    }
    if !words.isEmpty { transcript.append(TranscriptEntry(.agent, .speech, words, at: 0)) }
    return words + tool
  }

  mutating func say(_ text: String, _ confidence: Double? = 0.95) async throws -> String {
    try await tell(.speech(text, confidence: confidence))
  }
}

@Suite struct OfflineModelTests {
  private static let offer =
    "For: When are you open? press 1. For: Where are you? press 2. For: Do you repair electric bicycles? press 3."
  private static let offerAll = offer + " For a person, press 0."
  private static let hours = "From nine to six. Is there anything else?"

  @Test func conformance() async {
    #expect(await TextModelConformance.violations { OfflineModel() } == [])
    var odd = OfflineDialogue.shop
    odd.name = ""
    odd.faqs = [.init(question: "", answer: ""), .init(question: "🚲\u{0}", answer: "\n")]
    #expect(await TextModelConformance.violations(for: odd) { OfflineModel() } == [])
  }

  @Test func greetings() async throws {
    var plain = OfflineDialogue()
    #expect(
      try await plain.tell(.greeting)
        == "Hello, this is bicycle shop. Ask me a question, or press a key. \(Self.offerAll)")
    var own = OfflineDialogue()
    own.agent.initialSpeech = "Welcome."
    #expect(try await own.tell(.greeting) == "Welcome.")
    var alone = OfflineDialogue(tools: [])
    alone.agent.faqs = []
    #expect(
      try await alone.tell(.greeting)
        == "Hello, this is bicycle shop. There is nothing that I can tell you yet.")
    var second = OfflineDialogue()
    second.transcript = [TranscriptEntry(.agent, .speech, "I was here before.", at: 0)]
    #expect(try await second.tell(.greeting) == "I am here to help you now. \(Self.offerAll)")
  }

  @Test(
    "One thing said at the start",
    arguments: [
      ("when are you open", 0.95, hours),
      ("When are you OPEN?", nil, hours),
      ("what are your opening hours", 0.8, hours),
      ("uh when are you open please", 0.9, hours),
      ("can you fix my e bike", 0.9, "Yes, we do. Is there anything else?"),
      ("where are you", 0.9, "In Mill Road. Is there anything else?"),
      ("number two", 0.9, "In Mill Road. Is there anything else?"),
      ("three", 0.9, "Yes, we do. Is there anything else?"),
      ("zero", 0.9, "One moment please, I will put you through. [hand_over]"),
      ("when are you open", 0.5, "Did you mean: When are you open?"),
      ("opening hours", 0.9, "Did you mean: When are you open?"),
      ("do you repair electric bicycles", 0.4, "Did you mean: Do you repair electric bicycles?"),
      ("when are you open", 0.2, "I am sorry, I did not understand. " + offerAll),
      ("", 0, "I am sorry, I did not understand. " + offerAll),
      ("the moon is made of cheese", 0.9, "I am sorry, I did not understand. " + offerAll),
      ("日本語 🚲", 0.9, "I am sorry, I did not understand. " + offerAll),
      ("operator", 0.9, "One moment please, I will put you through. [hand_over]"),
      ("operator", 0.5, "Would you like to speak to a person?"),
      ("goodbye", 0.9, "Goodbye. [hang_up]"),
      ("goodbye", 0.4, "Would you like to end the call?"),
      ("menu", 0.5, offerAll),
      ("seventeen", 0.9, "There is no such number. " + offerAll),
      ("yes", 0.9, "What would you like to know? " + offerAll),
      ("no", 0.9, offerAll),
    ] as [(String, Double?, String)])
  func said(_ text: String, _ confidence: Double?, _ expected: String) async throws {
    var dialogue = OfflineDialogue()
    _ = try await dialogue.tell(.greeting)
    #expect(try await dialogue.say(text, confidence) == expected)
  }

  @Test(
    "Keys",
    arguments: [
      ("1", hours), ("2#", "In Mill Road. Is there anything else?"),
      ("0", "One moment please, I will put you through. [hand_over]"),
      ("9", "There is no such number. " + offerAll),
      ("#", offerAll), ("A", "There is no such number. " + offerAll),
      ("99999999999999999999", "There is no such number. " + offerAll), ("", offerAll),
    ])
  func keys(_ keys: String, _ expected: String) async throws {
    var dialogue = OfflineDialogue()
    #expect(try await dialogue.tell(.digits(keys)) == expected)
  }

  @Test func aGuessIsConfirmedOrNot() async throws {
    var yes = OfflineDialogue()
    _ = try await yes.say("when are you open", 0.5)
    #expect(try await yes.say("yes please", 0.5) == Self.hours)
    var no = OfflineDialogue()
    _ = try await no.say("when are you open", 0.5)
    #expect(try await no.say("no", 0.9) == "All right. \(Self.offerAll)")
    var again = OfflineDialogue()
    _ = try await again.say("when are you open", 0.5)
    #expect(try await again.say("when are you open", 0.4) == Self.hours)
    var other = OfflineDialogue()
    _ = try await other.say("when are you open", 0.5)
    #expect(try await other.say("where are you", 0.5) == "Did you mean: Where are you?")
    #expect(try await other.say("mumble") == "Please say yes or no. Did you mean: Where are you?")
    #expect(try await other.say("yeah") == "In Mill Road. Is there anything else?")
  }

  @Test func afterAnAnswerNoIsGoodbye() async throws {
    var dialogue = OfflineDialogue()
    _ = try await dialogue.say("when are you open")
    #expect(try await dialogue.say("no thank you") == "Thank you for calling. Goodbye. [hang_up]")
  }

  @Test func itSaysThingsAgain() async throws {
    var dialogue = OfflineDialogue()
    let greeting = try await dialogue.tell(.greeting)
    #expect(try await dialogue.tell(.digits("*")) == greeting)
    _ = try await dialogue.say("when are you open")
    #expect(try await dialogue.say("repeat that") == Self.hours)
    _ = try await dialogue.say("menu")
    #expect(try await dialogue.tell(.digits("*")) == Self.offerAll)
  }

  @Test func itGivesUp() async throws {
    var lost = OfflineDialogue(tools: [OfflineDialogue.hangUp])
    #expect(try await lost.say("gibberish") == "I am sorry, I did not understand. \(Self.offer)")
    #expect(try await lost.say("gibberish") == "I am sorry, I did not understand. \(Self.offer)")
    #expect(try await lost.say("gibberish") == "I am sorry that I could not help you. Goodbye. [hang_up]")
    var helped = OfflineDialogue()
    for _ in 0..<2 { _ = try await helped.say("gibberish") }
    #expect(
      try await helped.say("gibberish")
        == "I do not understand. Let me put you through to a person. [hand_over]")
    var silent = OfflineDialogue(tools: [OfflineDialogue.hangUp])
    #expect(try await silent.tell(.silence) == "Are you still there?")
    #expect(try await silent.tell(.silence) == "I cannot hear you. \(Self.offer)")
    #expect(try await silent.tell(.silence) == "I still cannot hear you. Goodbye. [hang_up]")
    var speaking = OfflineDialogue()
    _ = try await speaking.tell(.silence)
    _ = try await speaking.say("menu")
    #expect(try await speaking.tell(.silence) == "Are you still there?")
  }

  @Test func onlyToolsThatAreThereAreUsed() async throws {
    var dialogue = OfflineDialogue(tools: [])
    #expect(try await dialogue.tell(.greeting).hasSuffix(Self.offer))
    #expect(
      try await dialogue.say("operator")
        == "There is nobody here that I could put you through to. \(Self.offer)")
    #expect(try await dialogue.say("goodbye") == "Goodbye.")
  }

  @Test func aFailedTransferComesBack() async throws {
    var dialogue = OfflineDialogue()
    _ = try await dialogue.say("operator")
    let failed = ToolResult(callID: "hand_over-1", output: "busy", isError: true)
    #expect(
      try await dialogue.tell(.toolResults([failed]))
        == "I am sorry, nobody can take your call at the moment. Is there anything else?")
    #expect(try await dialogue.say("no") == "Thank you for calling. Goodbye. [hang_up]")
  }

  @Test func longMenusHavePages() async throws {
    var dialogue = OfflineDialogue(tools: [])
    dialogue.agent.faqs = (1...12).map { .init(question: "Question \($0)", answer: "Answer \($0).") }
    let greeting = try await dialogue.tell(.greeting)
    #expect(greeting.contains("Question 5? press 5.") && !greeting.contains("Question 6"))
    #expect(greeting.hasSuffix("To hear more questions, say more."))
    #expect(try await dialogue.say("more").hasPrefix("For: Question 6? press 6."))
    #expect(try await dialogue.say("more") == "For: Question 11? press 11. For: Question 12? press 12.")
    #expect(try await dialogue.say("more").hasPrefix("For: Question 1? press 1."))
    #expect(try await dialogue.tell(.digits("12")) == "Answer 12. Is there anything else?")
    let model = OfflineModel()
    for (keys, isComplete) in [
      ("1", false), ("2", true), ("12", true), ("0", true), ("*", true), ("1#", true),
    ] {
      #expect(model.isComplete(keys, for: dialogue.agent) == isComplete, "\(keys)")
      #expect(model.isComplete(keys, for: OfflineDialogue.shop), "\(keys)")
    }
  }

  @Test func phrasesAreTheQuestionsAndTheCommands() {
    let phrases = OfflineModel().phrases(for: OfflineDialogue.shop)
    for phrase in [
      "When are you open?", "what are your opening hours", "operator", "yes", "goodbye", "three",
    ] {
      #expect(phrases.contains(phrase))
    }
    #expect(!phrases.contains("four"))
    #expect(!OfflineModel().phrases(for: AgentConfiguration(name: "")).isEmpty)
  }

  @Test(
    "A memory survives being written down",
    arguments: [Memory.Question.none, .meant(7), .person, .goodbye, .anythingElse])
  func memories(_ question: Memory.Question) {
    for saying in [Memory.Saying.greeting, .menu(page: 2), .answer(3)] {
      var memory = Memory()
      memory.question = question
      memory.saying = saying
      memory.misses = 2
      memory.silences = 1
      #expect(Memory(note: memory.note) == memory)
    }
    for foreign in [
      "", "offline question=meant:-1", "offline question=meant:99999999999999999999", "other", "offline x",
    ] {
      #expect(Memory(note: foreign) == nil, "\(foreign)")
    }
  }
}
