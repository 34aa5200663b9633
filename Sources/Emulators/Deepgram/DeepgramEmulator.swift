public import RouterCore

/// A server of Deepgram's streaming ear and of its mouth.
public final class DeepgramEmulator: Emulator {
  public static let name = "deepgram"
  public static let summary = "Deepgram: streaming listen and speak"
  public static let options = [
    EmulatorOption("--key", value: "KEY", "The only API key that is let in"),
    EmulatorOption(
      "--transcript", value: "WORDS", repeatable: true, "What utterances say, in order; words or JSON"),
    EmulatorOption("--speech", value: "JSON", repeatable: true, "What goes wrong with speech, in order"),
  ]
  public static let notes = """
    deepgram: point a provider of type deepgram at it with baseURL: http://127.0.0.1:PORT. Each Finalize gets the next --transcript; JSON
      knows: say, confidence, style (split, unconfirmed, silent, interim), garbage, megabytes, babble, mute, error, close, and for the
      connection status, html, redirect, silent, empty. --speech knows: garbage, megabytes, status, html, redirect, silent, empty, stall,
      abrupt, delayMs, pauseMs, times.
    """

  private let report: EmulatorReport
  private let key: String?
  private let transcripts: AnswerBook
  private let speech: AnswerBook

  public init(_ options: EmulatorOptions, _ host: EmulatorHost) throws {
    report = host.report
    key = options.value("--key")
    func book(_ option: String, _ members: Set<String>) throws(EmulatorError) -> AnswerBook {
      var answers: [JSONValue] = []
      for text in options.all(option) { answers.append(try Mishap.read(text, option, also: members)) }
      return AnswerBook(answers)
    }
    transcripts = try book(
      "--transcript",
      ["say", "confidence", "style", "garbage", "error", "close", "mute", "babble", "megabytes"])
    speech = try book("--speech", ["garbage", "megabytes"])
  }

  public func answer(_ request: HTTPServerRequest) async -> HTTPServerReply {
    if let key, request.header("authorization") != "Token \(key)" {
      report.saw("a wrong key")
      return refuse(401, "INVALID_AUTH", "Invalid credentials.")
    }
    switch String(request.path) {
    case "/v1/listen": return await listen(request)
    case "/v1/speak": return await speak(request)
    default: return fault(404, "there is no \(request.path)")
    }
  }

  private func refuse(_ status: Int, _ code: String, _ words: String) -> HTTPServerReply {
    let body: JSONValue = ["err_code": .string(code), "err_msg": .string(words), "request_id": "emulated"]
    return .response(
      HTTPResponse(
        status: status, headers: [Header("Content-Type", "application/json"), Header("dg-error", words)],
        body: Array(body.text.utf8)))
  }

  private func fault(_ status: Int, _ words: String) -> HTTPServerReply {
    report.violation(words)
    return refuse(status, "Bad Request", words)
  }

  // MARK: Listening

  private static let listenKeys: Set<String> = [
    "model", "encoding", "sample_rate", "channels", "interim_results", "endpointing", "utterance_end_ms",
    "vad_events",
    "smart_format", "punctuate", "language", "keyterm", "keywords", "numerals", "profanity_filter", "redact",
    "replace",
    "mip_opt_out", "tag", "extra", "multichannel", "diarize", "diarize_model", "filler_words", "version",
    "search",
  ]

  private func listen(_ request: HTTPServerRequest) async -> HTTPServerReply {
    let query = DeepgramQuery(request.query)
    if let wrong = query.fault(
      DeepgramEmulator.listenKeys, repeatable: ["keyterm", "keywords", "tag", "extra", "redact"])
    {
      return fault(400, wrong)
    }
    if query["utterance_end_ms"] != nil, query["interim_results"] != "true" {
      return fault(400, "utterance_end_ms needs interim_results=true")
    }
    if query["keyterm"] != nil, query["model"]?.hasPrefix("nova-3") != true {
      return fault(400, "keyterm is for nova-3")
    }
    guard let format = query.format else {
      return fault(400, "raw audio needs encoding and sample_rate that fit")
    }
    let value = transcripts.peek() ?? [:]
    if value["status"] != nil { _ = transcripts.next() }
    if value["html"] == nil, let status = value["status"]?.integer {
      return refuse(status, "ERROR", "this error was asked for")
    }
    if let instead = await Mishap(value).reply() { return instead }
    report.saw("listens to \(format.encoding) at \(format.sampleRate)")
    return .webSocket(protocol: nil, WebSocketSettings()) { [report, transcripts] socket in
      let ear = DeepgramEar(socket, format, transcripts, report)
      await socket.start(onMessage: { ear.take($0) }, onClose: { ear.lost($0) })
    }
  }

  // MARK: Speaking

  private static let speakKeys: Set<String> = [
    "model", "encoding", "sample_rate", "container", "bit_rate", "mip_opt_out", "tag",
  ]
  private static let body = Rule.object(["text": Rule.required(.textOf(maximum: 2000))])

  private func speak(_ request: HTTPServerRequest) async -> HTTPServerReply {
    let query = DeepgramQuery(request.query)
    if let wrong = query.fault(DeepgramEmulator.speakKeys, repeatable: ["tag"]) { return fault(400, wrong) }
    guard let format = query.format else { return fault(400, "the encoding and the sample_rate do not fit") }
    guard query["container"] == "none" else { return fault(400, "the emulator speaks container=none only") }
    guard let body = JSONValue(parsing: request.body) else { return fault(400, "the body is not JSON") }
    if let wrong = DeepgramEmulator.body.fault(body) { return fault(400, "\(wrong.path): \(wrong.message)") }
    guard let words = body["text"]?.string, !words.isEmpty else { return fault(400, "the text is empty") }
    guard query["model"]?.hasPrefix("aura-") == true else {
      return refuse(400, "INVALID_QUERY_PARAMETER", "No such model.")
    }
    report.saw("speaks: \(words)")
    let value = speech.next() ?? [:]
    let mishap = Mishap(value)
    if let instead = await mishap.reply() { return instead }
    let gaveUp: @Sendable () -> Void = { [report] in report.saw("the speech was given up") }
    let type = "audio/\(query["encoding"] ?? "mulaw")"
    if value["garbage"] == true { return .text(200, "There was an error, but this server answers 200.") }
    if let flood = Mishap.flood(value) { return mishap.stream(type, flood, gone: gaveUp) }
    var sound = Babble.sound(words, as: format)
    if mishap.end != .whole { sound = Array(sound.prefix(sound.count / 2)) }
    let pieces = stride(from: 0, to: sound.count, by: 4097).map {
      Array(sound[$0..<min($0 + 4097, sound.count)])
    }
    return mishap.stream(type, pieces, gone: gaveUp)
  }
}
