import RouterCore

/// Calls from a small VoIP provider: a signed JSON webhook, and a WebSocket with µ-law in binary messages.
final class RingerChannel: WebhookChannel {
  static let name = "ringer"
  static let capabilities = ChannelCapabilities(digits: true)
  static func providerKeys(of type: String) -> [ProviderKey]? {
    [ProviderKey("key", needed: true, secret: true, "What webhooks are signed with.")]
  }

  let calls: WebhookCalls

  init(_ configuration: NoConfiguration, _ host: PluginHost) async throws {
    calls = WebhookCalls(type: Self.name, host)
    calls.takeAnnouncements(
      methods: ["POST"], accepts: ["application/json"],
      recognises: { $0.header("X-Ringer-Signature") != nil }
    ) { [weak self] in await self?.receive($0, $1) }
  }

  /// `{"id": …, "event": "ringing" or "over", "from": …, "to": …}`, answered with what is to be done.
  private func receive(_ request: HTTPServerRequest, _ agent: String?) async -> HTTPServerReply {
    guard isSigned(request), let fields = Self.fields(request.body), let id = fields["id"] else {
      calls.count("forged", refused: request)
      return WebhookCalls.refusal
    }
    if fields["event"] == "over" {
      await calls.leg(id)?.ended(CallEnd(.callerHungUp))
      return WebhookCalls.noted
    }
    let call = InboundCall(
      announcedBy: Self.name, id: id, from: Party(announced: fields["from"] ?? ""),
      to: Party(announced: fields["to"] ?? ""), fields: fields.map { ($0.key, $0.value) }, request,
      agent: agent)
    let announcement = WebhookCalls.Announcement(
      call, origin: request.origin, control: RingerControl(), codec: { RingerCodec() })
    return await calls.reply(to: request, announcement, by: RingerControl.self, within: .seconds(10))
  }

  /// The body's HMAC, with the key of one of the accounts in `providers:`.
  private func isSigned(_ request: HTTPServerRequest) -> Bool {
    let given = Array((request.header("X-Ringer-Signature") ?? "").utf8)
    return calls.accounts(for: request).contains { account in
      let key = account.settings["key"]?.string ?? ""
      let right = Digest.hexadecimal(Digest.authenticate(request.body, key: key.utf8))
      return !key.isEmpty && Digest.isEqual(given, Array(right.utf8))
    }
  }

  private static func fields(_ body: [UInt8]) -> [String: String]? {
    var fields: [String: String] = [:]
    let isObject = body.withUnsafeBytes { text in
      JSONScanner.members(of: text) { fields[$0.string ?? ""] = $1.string }
    }
    return isObject ? fields : nil
  }
}

/// What this provider can be asked to do: all of it by the reply to its webhook. A live call ends with its socket.
struct RingerControl: ReplyingControl {
  struct Reply: WebhookReply {
    static let nobody = Reply(text: "reject 480")
    var text: String
    var reply: HTTPServerReply { .text(200, text) }
  }

  let reply = Promise<Reply>()
  func answer(_ socket: MediaSocketInvitation) async throws {
    reply.resolve(Reply(text: "answer \(socket.url)"))
  }
  func reject(_ end: CallEnd) async { reply.resolve(Reply(text: "reject \(end.sipStatus)")) }
  func hangUp(_ end: CallEnd) async { await reject(end) }
}

/// Sound is binary; `start ID`, `key 5`, `mark NAME` and `clear` are text.
struct RingerCodec: MediaSocketCodec {
  mutating func read(_ message: WebSocketMessage, _ report: (MediaSocketEvent) -> Void) {
    switch message {
    case .binary(let sound): sound.withUnsafeBytes { report(.audio($0, number: nil)) }
    case .text(let bytes):
      let words = String(decoding: bytes, as: UTF8.self).split(separator: " ").map(String.init)
      switch (words.first, words.dropFirst().first) {
      case ("start", let id?): report(.started(MediaSocketStart(callID: id)))
      case ("key", let key?) where key.count == 1: report(.digit(Character(key)))
      case ("mark", let name?): report(.mark(name))
      case ("stop", nil): report(.stopped)
      default: report(.malformed("an unknown message"))
      }
    }
  }

  mutating func audio(_ frame: UnsafeRawBufferPointer) -> WebSocketMessage { .binary(Array(frame)) }
  mutating func mark(_ name: String) -> WebSocketMessage? { .text("mark \(name)") }
  mutating func clear() -> WebSocketMessage? { .text("clear") }
}
