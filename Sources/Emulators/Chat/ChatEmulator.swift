public import RouterCore

/// A server of the OpenAI API as far as text pipelines use it: chat completions, transcriptions and speech.
public final class ChatEmulator: Emulator {
  public static let name = "chat"
  public static let summary =
    "Chat completions, transcriptions and speech, as OpenAI, Azure and local servers have them"
  public static let options = [
    EmulatorOption("--key", value: "KEY", "The only API key that is let in"),
    EmulatorOption(
      "--answer", value: "ANSWER", repeatable: true,
      "What the model writes, in order, the last one for ever: words, or JSON such as {\"say\": …, \"calls\": [{\"name\": …, \"arguments\": …}]}"
    ),
    EmulatorOption(
      "--transcript", value: "WORDS", repeatable: true, "What a recording says, in order; words or JSON"),
    EmulatorOption("--speech", value: "JSON", repeatable: true, "What goes wrong with speech, in order"),
  ]
  public static let notes = """
    chat: point providers of type openai-chat and openai-speech at it with baseURL: http://127.0.0.1:PORT/v1. Without --answer it
      repeats what it is told. JSON also knows: refuse, think, finish, style (crlf, nospace, comments, noindex, index0, noids,
      resend, nodone, whole), error, garbage, raw, megabytes, status, retryAfter, html, redirect, silent, empty, stall, abrupt, delayMs,
      pauseMs, times.
    """

  private let report: EmulatorReport
  private let key: String?
  private let answers: AnswerBook
  let transcripts: AnswerBook
  let speech: AnswerBook

  public init(_ options: EmulatorOptions, _ host: EmulatorHost) throws {
    report = host.report
    key = options.value("--key")
    func book(_ option: String, _ members: Set<String>) throws(EmulatorError) -> AnswerBook {
      var answers: [JSONValue] = []
      for text in options.all(option) { answers.append(try Mishap.read(text, option, also: members)) }
      return AnswerBook(answers)
    }
    answers = try book("--answer", ChatAnswer.members)
    transcripts = try book("--transcript", ["say", "plain", "logprob", "garbage", "megabytes"])
    speech = try book("--speech", ["garbage", "wav", "rate", "megabytes"])
  }

  public func answer(_ request: HTTPServerRequest) async -> HTTPServerReply {
    let path = String(request.path)
    if let refused = refusal(of: request, path) { return refused }
    if path.hasSuffix("/chat/completions") { return await chat(request) }
    if path.hasSuffix("/audio/transcriptions") { return await transcription(request) }
    if path.hasSuffix("/audio/speech") { return await speak(request) }
    if path.hasSuffix("/models"), request.method == "GET" {
      return .response(
        json([
          "object": "list",
          "data": [["id": "emulated", "object": "model", "created": 0, "owned_by": "emulator"]],
        ]))
    }
    return fault(404, "unknown address \(request.method) \(path)", nil)
  }

  func saw(_ text: String) { report.saw(text) }

  /// What the service refuses: told as a violation, answered as it would.
  func fault(_ status: Int, _ message: String, _ param: String?, code: String? = nil) -> HTTPServerReply {
    report.violation(param.map { "\($0): \(message)" } ?? message)
    return Mishap.error(status, message, param: param, code: code)
  }

  func json(_ value: JSONValue) -> HTTPResponse {
    HTTPResponse(
      status: 200, headers: [Header("Content-Type", "application/json")], body: Array(value.text.utf8))
  }

  /// Methods, versions and keys. A wrong key is the caller's business, and no breach of the protocol.
  private func refusal(of request: HTTPServerRequest, _ path: String) -> HTTPServerReply? {
    let isAzure = path.contains("/openai/deployments/")
    if isAzure, !request.query.contains("api-version=") {
      return fault(404, "Resource not found: there is no api-version", nil)
    }
    if request.method == "POST", request.header("content-length") == nil {
      return fault(411, "a body needs its length", nil)
    }
    guard let key else { return nil }
    let given =
      isAzure
      ? request.header("api-key")
      : request.header("authorization").map { String($0.trimmingPrefix("Bearer ")) }
    if given == key { return nil }
    saw("a wrong key")
    return Mishap.error(401, "Incorrect API key provided: \(given ?? "none").", code: "invalid_api_key")
  }

  // MARK: Chat completions

  private func chat(_ request: HTTPServerRequest) async -> HTTPServerReply {
    guard request.method == "POST" else { return fault(405, "\(request.method) is not allowed", nil) }
    guard request.header("content-type")?.lowercased().hasPrefix("application/json") == true else {
      return fault(400, "the Content-Type is not application/json", nil)
    }
    guard let body = JSONValue(parsing: request.body) else { return fault(400, "the body is not JSON", nil) }
    if let wrong = ChatRules.fault(body) {
      return fault(400, wrong.message, wrong.path, code: wrong.kind == .unknown ? "unknown_parameter" : nil)
    }
    let messages = body["messages"]?.array ?? []
    let last = messages.last?["content"]?.string ?? ""
    saw("\(messages.last?["role"]?.string ?? "?"): \(last)")
    let value = answers.next() ?? ["say": .string(ChatEmulator.repeated(last))]
    let mishap = Mishap(value)
    if let instead = await mishap.reply() { return instead }
    let answer = ChatAnswer(value: value, model: body["model"]?.string ?? "")
    if body["stream"]?.bool != true || value["style"] == "whole" { return .response(json(answer.whole())) }
    let includesUsage = body["stream_options"]?["include_usage"]?.bool == true
    return mishap.stream("text/event-stream; charset=utf-8", answer.stream(includesUsage: includesUsage)) {
      [report] in
      report.saw("the answer was given up")
    }
  }

  /// What it says without a script.
  private static func repeated(_ last: String) -> String {
    last.hasPrefix("[") ? "Hello, this is the emulator. What can I do for you?" : "You said: \(last)"
  }
}
