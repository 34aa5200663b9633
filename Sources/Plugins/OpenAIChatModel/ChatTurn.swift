internal import RouterCore

/// One streamed answer, put together from its chunks. Pure; tolerant, because many servers speak the protocol by ear.
struct ChatTurn {
  /// What a chunk brought.
  enum Piece: Hashable {
    case text(String)
    case toolCall(ToolCall)
    /// The answer is over, for this reason.
    case finished(String)
    case failed(words: String, code: String?)
  }

  /// Calls beyond this many, and arguments beyond this many bytes, are not believed.
  static let maximumCalls = 32
  static let maximumArgumentBytes = 256 << 10

  private struct Call {
    var index: Int?
    var id = ""
    var name = ""
    var arguments = ""
  }

  let turn: TurnID
  private var calls: [Call] = []
  private var thoughts = ThoughtFilter()
  private(set) var finishReason: String?
  /// Whether anything of the answer has come.
  private(set) var hasContent = false
  private var isOver = false

  init(_ turn: TurnID) { self.turn = turn }

  /// Takes one chunk, or a whole `chat.completion` of a server that does not stream.
  mutating func take(_ chunk: JSONValue) -> [Piece] {
    if let error = chunk["error"], error != .null {
      return [
        .failed(words: error["message"]?.string ?? error.string ?? error.text, code: error["code"]?.string)
      ]
    }
    if chunk["object"]?.string == "error" {
      return [.failed(words: chunk["message"]?.string ?? chunk.text, code: nil)]
    }
    // The usage has no choices; neither has the first chunk of a content filter.
    let choices = chunk["choices"]?.array ?? []
    guard let choice = choices.first(where: { ($0["index"]?.integer ?? 0) == 0 }) else { return [] }
    var pieces: [Piece] = []
    if let delta = choice["delta"] ?? choice["message"] {
      for text in [delta["content"], delta["refusal"]].compactMap({ $0?.words }) where !text.isEmpty {
        hasContent = true
        pieces += say(thoughts.add(text))
      }
      for call in delta["tool_calls"]?.array ?? [] { merge(call) }
      if let call = delta["function_call"], call != .null { merge(["index": 0, "function": call]) }
    }
    if let reason = choice["finish_reason"]?.string, !reason.isEmpty {
      finishReason = reason
      pieces += end()
    }
    return pieces
  }

  /// The stream is over, with or without a reason.
  mutating func end() -> [Piece] {
    guard !isOver else { return [] }
    isOver = true
    var used = Set<String>()
    var pieces = say(thoughts.rest())
    pieces += calls.enumerated().filter { !$0.element.name.isEmpty }.map { number, call in
      var id = call.id.isEmpty ? "call_\(turn.number)_\(number)" : call.id
      while !used.insert(id).inserted { id += "_\(number)" }
      return .toolCall(ChatTurn.toolCall(call.name, id, call.arguments, turn))
    }
    return pieces + [.finished(finishReason ?? "")]
  }

  private func say(_ text: String) -> [Piece] { text.isEmpty ? [] : [.text(text)] }

  // MARK: Tool calls

  /// The order of these rules matters: an index that is missing must not become 0, and a name or identifier that is sent
  /// again must not be joined to itself.
  private mutating func merge(_ delta: JSONValue) {
    let id = delta["id"]?.string ?? ""
    let name = delta["function"]?["name"]?.string ?? ""
    let arguments = delta["function"]?["arguments"].map { $0.string ?? ($0 == .null ? "" : $0.text) } ?? ""
    hasContent = true
    guard let slot = slot(index: delta["index"]?.integer, id: id, name: name) else { return }
    if calls[slot].id.isEmpty { calls[slot].id = id }
    if calls[slot].name.isEmpty { calls[slot].name = name }
    if calls[slot].arguments.utf8.count + arguments.utf8.count <= ChatTurn.maximumArgumentBytes {
      calls[slot].arguments += arguments
    }
  }

  private mutating func slot(index: Int?, id: String, name: String) -> Int? {
    let isSame = { (call: Call) in index == nil || call.index == index }
    if !id.isEmpty, let known = calls.lastIndex(where: { $0.id == id && isSame($0) }) { return known }
    let last = index == nil ? calls.indices.last : calls.lastIndex { $0.index == index }
    if let last {
      // Some servers give every call the index 0: they are told apart by their identifiers, or because the call before
      // was whole.
      let isAnother =
        !id.isEmpty && !(calls[last].id.isEmpty && index != nil)
        || id.isEmpty && !name.isEmpty && (index == nil || ChatTurn.isWhole(calls[last]))
      if !isAnother { return last }
    }
    guard calls.count < ChatTurn.maximumCalls else { return nil }
    calls.append(Call(index: index))
    return calls.indices.last
  }

  private static func isWhole(_ call: Call) -> Bool {
    !call.name.isEmpty && JSONValue(parsing: call.arguments) != nil
  }

  private static func toolCall(_ name: String, _ id: String, _ arguments: String, _ turn: TurnID) -> ToolCall
  {
    guard arguments.contains(where: { !$0.isWhitespace }) else {
      return ToolCall(id: id, name: name, turn: turn)
    }
    guard let value = JSONValue(parsing: arguments) else {
      return ToolCall(
        id: id, name: name, turn: turn,
        fault: "the arguments are no valid JSON; call the tool again with a JSON object")
    }
    switch value {
    case .object: return ToolCall(id: id, name: name, arguments: value, turn: turn)
    case .null: return ToolCall(id: id, name: name, turn: turn)
    default:
      return ToolCall(
        id: id, name: name, arguments: value, turn: turn, fault: "the arguments must be one JSON object")
    }
  }
}

extension JSONValue {
  /// Text, or the texts of a list of parts.
  fileprivate var words: String? {
    string ?? array.map { $0.compactMap { $0["text"]?.string }.joined() }
  }
}

/// Leaves out `<think>…</think>` at the beginning of an answer: some local servers send a model's thoughts as content.
struct ThoughtFilter {
  private enum State { case start, thinking, speaking }
  private static let (opening, closing) = ("<think>", "</think>")
  private var state = State.start
  private var held = ""

  mutating func add(_ text: String) -> String {
    if state == .speaking { return text }
    held += text
    if state == .start {
      let visible = held.drop(while: \.isWhitespace)
      if visible.hasPrefix(ThoughtFilter.opening) {
        state = .thinking
      } else if ThoughtFilter.opening.hasPrefix(visible) {
        return ""  // it may still become one
      } else {
        state = .speaking
        return rest()
      }
    }
    guard let end = held.firstRange(of: ThoughtFilter.closing) else {
      held = String(held.suffix(ThoughtFilter.closing.count - 1))
      return ""
    }
    state = .speaking
    held = String(held[end.upperBound...].drop(while: \.isWhitespace))
    return rest()
  }

  /// What was held back; thoughts that never ended are nothing.
  mutating func rest() -> String {
    defer { held = "" }
    return state == .thinking ? "" : held
  }
}
