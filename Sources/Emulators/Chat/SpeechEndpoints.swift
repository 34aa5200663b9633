internal import RouterCore

/// `audio/transcriptions` and `audio/speech`.
extension ChatEmulator {
  private static let formats: Set<String> = ["json", "text", "srt", "verbose_json", "vtt", "diarized_json"]
  private static let fields: Set<String> = [
    "file", "model", "language", "prompt", "response_format", "temperature", "timestamp_granularities[]",
    "include[]", "stream",
    "chunking_strategy",
  ]
  private static let endings: Set<String> = [
    "flac", "mp3", "mp4", "mpeg", "mpga", "m4a", "ogg", "wav", "webm",
  ]

  func transcription(_ request: HTTPServerRequest) async -> HTTPServerReply {
    guard let form = MultipartReader.read(request) else {
      return fault(400, "the body is no multipart/form-data", nil)
    }
    if let odd = form.first(where: { !ChatEmulator.fields.contains($0.name) }) {
      return fault(400, "unknown parameter", odd.name, code: "unknown_parameter")
    }
    func text(_ name: String) -> String? {
      form.first { $0.name == name }.map { String(decoding: $0.content, as: UTF8.self) }
    }
    guard let model = text("model"), !model.isEmpty else { return fault(400, "it is required", "model") }
    let format = text("response_format") ?? "json"
    guard ChatEmulator.formats.contains(format) else {
      return fault(400, "unknown format '\(format)'", "response_format")
    }
    if model.hasPrefix("gpt-4o"), format != "json" {
      return fault(400, "\(model) gives json only", "response_format")
    }
    guard let file = form.first(where: { $0.name == "file" }), let name = file.file else {
      return fault(400, "it is required, as a file", "file")
    }
    guard let ending = name.split(separator: ".").last, ChatEmulator.endings.contains(String(ending)) else {
      return fault(400, "the name '\(name)' has no known ending", "file")
    }
    guard let milliseconds = MultipartReader.wavMilliseconds(file.content) else {
      return fault(400, "the file could not be decoded: wanted WAV with 16-bit PCM", "file")
    }
    if milliseconds < 100 {
      return fault(400, "Audio file is too short. Minimum audio length is 0.1 seconds.", "file")
    }
    saw("transcribes \(milliseconds) ms")
    let value = transcripts.next() ?? ["say": "hello"]
    let mishap = Mishap(value)
    if let instead = await mishap.reply() { return instead }
    if let nonsense = nonsense(value, mishap) { return nonsense }
    let words = value["say"] ?? ""
    if format == "text" { return .text(200, (words.string ?? "") + "\n") }
    var answer: [String: JSONValue] = ["text": words]
    if text("include[]") == "logprobs" {
      let logprob = value["logprob"]?.number ?? -0.05
      answer["logprobs"] = [["token": words, "logprob": .number(logprob), "bytes": []]]
    }
    if format == "verbose_json" {
      answer["segments"] = [
        [
          "id": 0, "text": words, "avg_logprob": .number(value["logprob"]?.number ?? -0.05),
          "no_speech_prob": 0.01,
        ]
      ]
    }
    answer["usage"] = ["type": "duration", "seconds": .integer(milliseconds / 1000)]
    return .response(json(.object(answer)))
  }

  /// What is no transcription.
  private func nonsense(_ value: JSONValue, _ mishap: Mishap) -> HTTPServerReply? {
    let type = "application/json"
    func stream(_ pieces: [[UInt8]]) -> HTTPServerReply {
      mishap.stream(type, pieces) { [weak self] in self?.saw("the transcription was given up") }
    }
    if let flood = Mishap.flood(value, "{\"text\": \"") { return stream(flood) }
    if value["garbage"] == true { return stream([[0xFF, 0x00, 0x7B, 0xC3, 0x28, 0x01]]) }
    return mishap.end == .whole ? nil : stream([Array("{\"text\": \"Half of wh".utf8)])
  }

  // MARK: Speech

  private static let request = Rule.object([
    "model": Rule.required(.text), "input": Rule.required(.textOf(maximum: 4096)),
    "voice": Rule.required(.either([.text, .free])), "instructions": Rule.optional(.text),
    "response_format": Rule.optional(.choice(["mp3", "opus", "aac", "flac", "wav", "pcm"])),
    "speed": Rule.optional(.number(0.25...4)), "stream_format": Rule.optional(.choice(["audio", "sse"])),
  ])

  private static let voices: Set<String> = [
    "alloy", "ash", "ballad", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer", "verse", "marin",
    "cedar",
  ]

  func speak(_ request: HTTPServerRequest) async -> HTTPServerReply {
    guard let body = JSONValue(parsing: request.body) else { return fault(400, "the body is not JSON", nil) }
    if let wrong = ChatEmulator.request.fault(body) { return fault(400, wrong.message, wrong.path) }
    let words = body["input"]?.string ?? ""
    if words.isEmpty { return fault(400, "it is empty", "input") }
    let voice = body["voice"]?.string ?? ""
    guard ChatEmulator.voices.contains(voice) else {
      return Mishap.error(400, "there is no voice '\(voice)'", param: "voice")
    }
    saw("speaks: \(words)")
    let value = speech.next() ?? [:]
    let mishap = Mishap(value)
    if let instead = await mishap.reply() { return instead }
    if value["garbage"] == true { return .text(200, "There was an error, but this server answers 200.") }
    let gaveUp: @Sendable () -> Void = { [weak self] in self?.saw("the speech was given up") }
    if let flood = Mishap.flood(value) { return mishap.stream("audio/pcm", flood, gone: gaveUp) }
    let rate = value["rate"]?.integer ?? 24_000
    let isWAV = body["response_format"]?.string == "wav" || value["wav"] == true
    guard isWAV || body["response_format"]?.string == "pcm" else {
      return fault(400, "the emulator speaks pcm and wav only", "response_format")
    }
    var sound = Babble.sound(words, as: .linear16(rate))
    if mishap.end != .whole { sound = Array(sound.prefix(sound.count / 2)) }
    let bytes = (isWAV ? MultipartReader.wavHead(rate) : []) + sound
    // An odd length: samples are cut in two, as the network does it.
    let pieces = stride(from: 0, to: bytes.count, by: 4097).map {
      Array(bytes[$0..<min($0 + 4097, bytes.count)])
    }
    return mishap.stream(isWAV ? "audio/wav" : "audio/pcm", pieces, gone: gaveUp)
  }
}
