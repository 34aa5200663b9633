public import RouterCore

/// What an agent can look up: its knowledge base, and its FAQs.
public struct KnowledgeTool: Plugin, ToolAdapter {
  public static let name = "knowledge-tool"
  public let kinds = [FunctionDefinition.Kind.knowledge, FunctionDefinition.Kind.faq]
  private let library: Library

  public init(_ configuration: NoConfiguration, _ host: PluginHost) { self.init(host.log) }

  public init(_ log: Log) { library = Library(log.labelled("knowledge")) }

  /// Reads and indexes all knowledge bases, so that no call waits for that; forgets what is in none of them any more.
  public func prepare(_ functions: [FunctionDefinition]) async {
    await library.prepare(functions.compactMap(KnowledgeBase.init))
  }

  public func open(_ request: ToolRequest) async throws -> any ToolSession {
    var shelves: [Shelf] = []
    for function in request.functions {
      if function.kind == FunctionDefinition.Kind.faq {
        shelves.append(try await library.faqs(request.agent.faqs))
      } else if let base = KnowledgeBase(function) {
        shelves.append(try await library.shelf(base))
      }
    }
    return KnowledgeSession(shelves)
  }
}

/// A knowledge base of the route files.
struct KnowledgeBase: Hashable, Sendable {
  struct File: Hashable, Sendable {
    var path: String
    /// Names the content; the same content is read once.
    var digest: String
  }

  var name: String
  var files: [File]

  init?(_ function: FunctionDefinition) {
    guard function.kind == FunctionDefinition.Kind.knowledge else { return nil }
    name = function.settings["name"]?.string ?? function.key
    files = (function.settings["files"]?.array ?? []).compactMap { file in
      guard let path = file["path"]?.string, let digest = file["digest"]?.string else { return nil }
      return File(path: path, digest: digest)
    }
  }
}

/// Something to look things up in.
struct Shelf: Sendable {
  enum Kind: Sendable, Hashable {
    case knowledge
    case faqs([AgentConfiguration.FAQ])
  }

  var kind: Kind
  var name: String
  var index: SearchIndex
  /// All of it, when it is short enough to stand in the instructions.
  var whole: String?
}

/// What one call's agent can look up.
private struct KnowledgeSession: ToolSession {
  let offers: [ToolOffer]
  let instructions: String
  private let shelves: [String: Shelf]

  /// Passages and answers that a search gives.
  static let maximumHits = 5
  static let maximumAnswers = 3

  init(_ all: [Shelf]) {
    var offers: [ToolOffer] = []
    var words: [String] = []
    var shelves: [String: Shelf] = [:]
    for shelf in all {
      let tool = KnowledgeSession.tool(for: shelf)
      offers.append(ToolOffer(tool))
      shelves[tool.name] = shelf
      guard let whole = shelf.whole else { continue }
      switch shelf.kind {
      case .knowledge: words.append("## What you know of \(shelf.name)\n\(whole)")
      case .faqs:
        words.append(
          "## Questions with stored answers\nWhen the caller asks one of these, say its answer word for word.\n\(whole)"
        )
      }
    }
    self.offers = offers
    self.shelves = shelves
    instructions = words.joined(separator: "\n\n")
  }

  private static func tool(for shelf: Shelf) -> Tool {
    func parameters(_ name: String, _ description: String) -> JSONValue {
      [
        "type": "object", "properties": [name: ["type": "string", "description": .string(description)]],
        "required": [.string(name)],
      ]
    }
    switch shelf.kind {
    case .knowledge:
      return Tool(
        name: "search_knowledge",
        description:
          "Look something up in the documents about \(shelf.name). Use it before you say that you do"
          + " not know, and say nothing about these matters that is not in them.",
        parameters: parameters("query", "What to look for, in the words that the documents may use."))
    case .faqs:
      return Tool(
        name: "find_answer",
        description:
          "Look for the stored answer to a caller's question. Say an answer that fits word for word.",
        parameters: parameters("question", "The caller's question."))
    }
  }

  func run(_ call: ToolCall) async throws -> ToolResult {
    guard let shelf = shelves[call.name] else { throw ToolFailure("there is no tool \(call.name)") }
    switch shelf.kind {
    case .knowledge:
      let hits = try shelf.index.search(
        call.arguments["query"]?.string ?? "", limit: KnowledgeSession.maximumHits)
      if hits.isEmpty { return ToolResult(callID: call.id, output: "nothing was found; try other words") }
      let passages = hits.map { hit -> JSONValue in
        ["title": .string(hit.passage.title), "text": .string(hit.passage.text)]
      }
      return ToolResult(callID: call.id, output: ["passages": .array(passages)])
    case .faqs(let faqs):
      let question = call.arguments["question"]?.string ?? ""
      let hits = try shelf.index.search(question, limit: KnowledgeSession.maximumAnswers)
      let answers = hits.compactMap { hit -> JSONValue? in
        guard faqs.indices.contains(hit.number) else { return nil }
        return ["question": .string(faqs[hit.number].question), "answer": .string(faqs[hit.number].answer)]
      }
      if answers.isEmpty { return ToolResult(callID: call.id, output: "there is no stored answer to that") }
      return ToolResult(
        callID: call.id,
        output: ["answers": .array(answers), "note": "If one of them fits, say its answer word for word."])
    }
  }
}
