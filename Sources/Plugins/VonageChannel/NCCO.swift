internal import RouterCore

/// What Vonage is to do with a call: a list of actions (https://developer.vonage.com/en/voice/voice-api/ncco-reference).
struct NCCO: WebhookReply, Hashable {
  let json: JSONValue

  private init(_ actions: [JSONValue]) { json = .array(actions) }

  /// Nothing more: the call ends.
  static let end = NCCO([])
  static let nobody = end

  /// Keeps the caller until REST says more; when it never does, the call ends.
  static func wait(seconds: Int) -> NCCO { NCCO([["action": "wait", "timeout": .integer(seconds)]]) }

  /// Answers, and connects the call's sound; nothing follows, so the call ends with the socket.
  /// - Parameters:
  ///   - from: The number that was called.
  ///   - events: Where the socket's own events go.
  static func connect(_ socket: MediaSocketInvitation, from: String, sampleRate: Int, events: String) -> NCCO
  {
    NCCO([
      [
        "action": "connect", caller(from).key: caller(from).value, "eventUrl": [.string(events)],
        "endpoint": [
          [
            "type": "websocket", "uri": .string(socket.url),
            "content-type": .string("audio/l16;rate=\(sampleRate)"), "headers": [:],
          ]
        ],
      ]
    ])
  }

  /// Calls somebody for the caller. The answers to `events` say how it goes on when nobody is reached.
  static func call(_ target: TransferDestination, from: String, timeout: Int, events: String) -> NCCO {
    let endpoint: JSONValue =
      switch target {
      case .number(let number): ["type": "phone", "number": .string(String(number.dropFirst()))]
      case .sip(let uri): ["type": "sip", "uri": .string(uri)]
      }
    return NCCO([
      [
        "action": "connect", caller(from).key: caller(from).value, "timeout": .integer(timeout),
        "eventType": "synchronous",
        "eventUrl": [.string(events)], "endpoint": [endpoint],
      ]
    ])
  }

  /// As whom the other side is called. Vonage wants a number of its own, or leave to choose one.
  private static func caller(_ called: String) -> (key: String, value: JSONValue) {
    let digits = called.hasPrefix("+") ? String(called.dropFirst()) : called
    let isNumber = (7...15).contains(digits.count) && digits.allSatisfy { $0.isASCII && $0.isNumber }
    return isNumber ? ("from", .string(digits)) : ("randomFromNumber", true)
  }

  var reply: HTTPServerReply {
    .response(
      HTTPResponse(
        status: 200, headers: [Header("Content-Type", "application/json")], body: Array(json.text.utf8)))
  }
}
