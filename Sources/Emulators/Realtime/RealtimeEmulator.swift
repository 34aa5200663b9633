internal import FoundationEssentials
public import RouterCore

/// A scripted realtime server: OpenAI's in both forms of its protocol, and Azure's addresses.
///
/// It hears the caller by loudness, so barge-in is real; what the caller says comes from the script.
public struct RealtimeEmulator: Emulator {
  public static let name = "realtime"
  public static let summary = "OpenAI's and Azure's realtime speech, scripted"
  public static let options = [
    EmulatorOption("--step", value: "STEP", repeatable: true, "What the next response does; see below"),
    EmulatorOption(
      "--hears", value: "WORDS", repeatable: true, "What the caller's next turn is written down as"),
    EmulatorOption("--key", value: "KEY", "The only key that is let in"),
    EmulatorOption("--refuse", value: "STATUS", "Answer every connection with this HTTP status"),
    EmulatorOption("--pace", value: "N", "Sound is sent so many times as fast as it is spoken; 4, 0 at once"),
    EmulatorOption("--session-seconds", value: "N", "Sessions end by themselves after so long; 3600"),
    EmulatorOption("--mute", "Take the connection and say nothing at all"),
  ]
  public static let notes = """
    \(RealtimeStep.help)
    Point a provider of the type openai-realtime at it: url: ws://127.0.0.1:PORT, apiKey: anything.
    """

  let script: RealtimeScript
  let report: EmulatorReport
  private let loop: EventLoop
  private let key: String?
  private let refusal: Int?
  private let isMute: Bool
  let pace: Int
  let sessionSeconds: Int

  public init(_ options: EmulatorOptions, _ host: EmulatorHost) throws {
    var steps: [RealtimeStep] = []
    for text in options.all("--step") {
      guard let step = RealtimeStep(text) else { throw EmulatorError("there is no step '\(text)'") }
      steps.append(step)
    }
    script = RealtimeScript(steps, heard: options.all("--hears"))
    report = host.report
    loop = host.loop
    key = options.value("--key")
    refusal = try options.integer("--refuse", 300...599)
    pace = try options.integer("--pace", 0...1000) ?? 4
    sessionSeconds = try options.integer("--session-seconds", 1...86_400) ?? 3600
    isMute = options.has("--mute")
  }

  public func answer(_ request: HTTPServerRequest) async -> HTTPServerReply {
    if let refusal { return Self.refuse(refusal, "server_error", "refused by the script") }
    let door: Door
    switch Door.open(request) {
    case .success(let found): door = found
    case .failure(let fault):
      report.violation("\(request.target): \(fault.description)")
      return Self.refuse(400, "invalid_request_error", fault.description)
    }
    guard let given = door.key, key == nil || given == key else {
      report.saw("a wrong key")
      return Self.refuse(401, "invalid_api_key", "Incorrect API key provided: \(door.key ?? "(none)").")
    }
    report.saw("connected: \(door.words)")
    guard !isMute else { return .webSocket(protocol: nil, WebSocketSettings()) { await Self.hold($0) } }
    let subprotocol = request.header("Sec-WebSocket-Protocol")?.split(separator: ",").first.map(String.init)
    var limits = WebSocketSettings()
    limits.maximumQueuedBytes = 128 << 20
    return .webSocket(protocol: subprotocol, limits) { [self, loop] socket in
      await RealtimeConversation(self, door.shape, socket, on: loop).run()
    }
  }

  /// A connection that stays and says nothing.
  private static func hold(_ socket: WebSocket) async {
    await socket.start { _ in
    } onClose: { _ in
    }
  }

  private static func refuse(_ status: Int, _ code: String, _ message: String) -> HTTPServerReply {
    var headers = [Header("Content-Type", "application/json")]
    if (300...399).contains(status) { headers.append(Header("Location", "wss://127.0.0.1:1/elsewhere")) }
    if status == 429 { headers.append(Header("Retry-After", "1")) }
    let body: JSONValue = ["error": ["code": .string(code), "message": .string(message)]]
    return .response(HTTPResponse(status: status, headers: headers, body: Array(body.text.utf8)))
  }
}

/// What an address and its headers say: which service is meant, in which form, and with which key.
private struct Door {
  var shape: RealtimeRules.Shape
  var key: String?
  var words: String

  /// https://platform.openai.com/docs/guides/realtime-websocket and
  /// https://learn.microsoft.com/azure/ai-foundry/openai/how-to/realtime-audio-websockets
  static func open(_ request: HTTPServerRequest) -> Result<Door, EmulatorError> {
    let query = Dictionary(
      request.query.split(separator: "&").map { item -> (String, String) in
        let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
          String.init)
        return (parts[0], parts.count > 1 ? parts[1] : "")
      }
    ) { first, _ in first }
    let bearer = request.header("Authorization").flatMap { value in
      value.hasPrefix("Bearer ") ? String(value.dropFirst(7)) : nil
    }
    let beta = request.header("OpenAI-Beta")
    switch request.path {
    case "/v1/realtime":
      guard query["model"]?.isEmpty == false else { return .failure(EmulatorError("no model")) }
      guard beta == nil || beta == "realtime=v1" else {
        return .failure(EmulatorError("OpenAI-Beta: \(beta ?? "")"))
      }
      return .success(
        Door(shape: beta == nil ? .ga : .beta, key: bearer, words: beta == nil ? "openai" : "openai beta"))
    case "/openai/v1/realtime":
      guard query["model"]?.isEmpty == false, query["api-version"] == nil else {
        return .failure(EmulatorError("this path takes a model and no api-version"))
      }
      guard beta == nil else { return .failure(EmulatorError("OpenAI-Beta is not for Azure")) }
      return .success(Door(shape: .ga, key: request.header("api-key") ?? bearer, words: "azure"))
    case "/openai/realtime":
      guard query["deployment"]?.isEmpty == false, query["api-version"]?.isEmpty == false else {
        return .failure(EmulatorError("this path takes a deployment and an api-version"))
      }
      return .success(Door(shape: .beta, key: request.header("api-key") ?? bearer, words: "azure, dated"))
    default: return .failure(EmulatorError("there is no such path"))
    }
  }
}
