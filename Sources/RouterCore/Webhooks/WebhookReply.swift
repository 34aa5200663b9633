/// What a provider is told by the reply to its webhook.
public protocol WebhookReply: Sendable {
  /// Ends a call that nobody took in time.
  static var nobody: Self { get }
  var reply: HTTPServerReply { get }
}

/// A ``CallControl`` whose provider waits for the reply to its webhook and follows it.
public protocol ReplyingControl: CallControl {
  associatedtype Reply: WebhookReply
  /// What is decided, for whoever holds the webhook open.
  var reply: Promise<Reply> { get }
  /// The provider waits no longer, and nothing is decided yet. Gives what keeps the caller there until REST says more; `nil` when
  /// there is no such thing.
  func overdue() -> Reply?
}

extension ReplyingControl {
  public func overdue() -> Reply? { nil }
}

extension WebhookCalls {
  /// For whoever is not believed; ``count(_:refused:)`` says why.
  public static let refusal = HTTPServerReply.text(403, "not signed by an account that we know\n")
  /// For news: nothing is to be done.
  public static let noted = HTTPServerReply.response(HTTPResponse(status: 204))
  static let closing = HTTPServerReply.text(503, "closing\n")

  /// Announces a call whose provider does what the reply says, and waits for that.
  /// - Parameters:
  ///   - patience: How long the provider may be kept waiting.
  ///   - isOrdered: Whether the provider's webhooks come in order: then one of a call that is over was played back.
  public func reply<Control: ReplyingControl>(
    to request: HTTPServerRequest, _ announcement: Announcement, by control: Control.Type,
    within patience: Duration, isOrdered: Bool = true
  ) async -> HTTPServerReply {
    switch announce(announcement) {
    case .new(let leg):
      count("accepted")
      return await reply(of: leg, control, patience)
    case .known(let leg):
      count("repeated")
      return await reply(of: leg, control, patience)
    case .over where isOrdered:
      count("replayed", refused: request)
      return WebhookCalls.refusal
    case .over:
      count("late")
      return Control.Reply.nobody.reply
    case .refused: return notServing()
    }
  }

  /// For an announcement that is ``Outcome/refused``.
  public func notServing() -> HTTPServerReply {
    count("refused")
    return .response(
      HTTPResponse(status: 503, headers: [Header("Retry-After", "5")], body: Array("not serving\n".utf8)))
  }

  private func reply<Control: ReplyingControl>(
    of leg: WebhookLeg, _ type: Control.Type, _ patience: Duration
  ) async -> HTTPServerReply {
    guard let control = leg.control as? Control else { return .text(409, "that call is told otherwise\n") }
    if let reply = await control.reply.value(within: patience) { return reply.reply }
    if let waiting = control.overdue() {
      control.reply.resolve(waiting)
      if let reply = control.reply.current { return reply.reply }
    }
    await leg.ended(CallEnd(.noAnswer, text: "nobody took the call in time"))
    return Control.Reply.nobody.reply
  }

  // MARK: Where webhooks come in

  /// Lets the provider's announcements in, at `/voip/TYPE` and at the agents' own addresses.
  /// - Parameters:
  ///   - recognises: Whether a request at an agent's address looks like this provider's.
  ///   - handler: Answers one; `nil` when the channel is gone.
  public func takeAnnouncements(
    methods: Set<String>, accepts: Set<String>,
    recognises: @escaping @Sendable (HTTPServerRequest) -> Bool,
    _ handler: @escaping @Sendable (HTTPServerRequest, _ agent: String?) async -> HTTPServerReply?
  ) {
    host.voip.add(
      WebhookProvider(type: type, methods: methods, accepts: accepts, recognises: recognises) {
        await handler($0, $1) ?? WebhookCalls.closing
      })
  }

  /// Serves paths below `/voip/TYPE/` for news of calls.
  public func takeNews(
    at paths: [String], methods: Set<String>, accepts: Set<String>,
    _ handler: @escaping @Sendable (HTTPServerRequest) async -> HTTPServerReply?
  ) {
    for path in paths {
      host.web.mount(
        WebRoute("/voip/\(type)/\(path)", methods: methods, accepts: accepts) {
          await handler($0) ?? WebhookCalls.closing
        })
    }
  }
}
