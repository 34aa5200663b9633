/// An answer to a webhook in the XML language that several providers share: verbs in a `<Response>`, followed one after the other.
public struct CallDocument: WebhookReply, Hashable {
  public let text: String

  /// - Parameter verbs: Written already, texts escaped (``XMLText``).
  public init(_ verbs: String) {
    text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response>\(verbs)</Response>\n"
  }

  /// Answers the call and connects its sound, with these attributes of the stream; nothing follows, so the call ends with
  /// the socket.
  public static func connect(_ attributes: [(name: String, value: String)]) -> CallDocument {
    let written = attributes.map { " \($0.name)=\"\(XMLText.escape($0.value))\"" }.joined()
    return CallDocument("<Connect><Stream\(written)/></Connect>")
  }

  /// Refuses without an answer, so nobody pays.
  public static func reject(isBusy: Bool) -> CallDocument {
    CallDocument("<Reject reason=\"\(isBusy ? "busy" : "rejected")\"/>")
  }

  public static let hangUp = CallDocument("<Hangup/>")
  public static let nobody = CallDocument.reject(isBusy: true)

  /// Somebody who is called for the caller.
  public struct Dial: Sendable {
    public var target: TransferDestination
    /// Seconds.
    public var timeout: Int
    /// Is asked what to do when that call is over.
    public var action: String
    /// Is told of the answer.
    public var progress: String
    /// As whom the target is called; the provider's choice without one.
    public var callerId: String?
    /// More attributes of the verb, written already.
    public var attributes: String

    /// The timeout is kept within what providers take.
    public init(
      _ target: TransferDestination, timeout: Int, action: String, progress: String, callerId: String?,
      attributes: String = ""
    ) {
      self.target = target
      self.timeout = min(max(timeout, 5), 600)
      self.action = action
      self.progress = progress
      self.callerId = callerId
      self.attributes = attributes
    }
  }

  /// Calls somebody for the caller.
  public static func dial(_ dial: Dial) -> CallDocument {
    let callbacks =
      "statusCallback=\"\(XMLText.escape(dial.progress))\" statusCallbackEvent=\"answered completed\""
    let inner =
      switch dial.target {
      case .number(let number): "<Number \(callbacks)>\(XMLText.escape(number))</Number>"
      case .sip(let uri): "<Sip \(callbacks)>\(XMLText.escape(uri))</Sip>"
      }
    let more = dial.attributes + (dial.callerId.map { " callerId=\"\(XMLText.escape($0))\"" } ?? "")
    let action = XMLText.escape(dial.action)
    return CallDocument("<Dial action=\"\(action)\" timeout=\"\(dial.timeout)\"\(more)>\(inner)</Dial>")
  }

  public var reply: HTTPServerReply {
    .response(
      HTTPResponse(
        status: 200, headers: [Header("Content-Type", "text/xml; charset=utf-8")], body: Array(text.utf8)))
  }
}

extension CallEnd {
  /// What the `CallStatus` of that language says of a call that is over; `nil` while it is not.
  public init?(callStatus: String?) {
    switch callStatus {
    case "completed": self.init(.callerHungUp, text: "completed")
    case "canceled", "no-answer": self.init(.cancelled, text: "the caller gave up")
    case "busy": self.init(.cancelled, text: "busy", sipStatus: 486)
    case "failed": self.init(.failed, text: "the provider says that the call failed")
    default: return nil
    }
  }
}

extension TransferOutcome {
  /// What its `DialCallStatus` says of somebody who was called.
  public init(dialStatus: String?) {
    switch dialStatus {
    case "completed", "answered": self = .completed
    case "busy": self = .failed(status: 486, reason: "busy")
    case "no-answer": self = .failed(status: 480, reason: "no answer")
    case "canceled": self = .callerHungUp
    default: self = .failed(status: 503, reason: String((dialStatus ?? "failed").prefix(100)))
    }
  }
}

/// One call at a provider that follows ``CallDocument``s: before the answer, the reply to its webhook is one; after it, REST gives it
/// another.
public final class DocumentCallControl: ReplyingControl {
  /// What is the provider's own in this call.
  public struct Provider: Sendable {
    /// The document that connects a media socket.
    public var connect: @Sendable (MediaSocketInvitation) -> CallDocument
    /// The document that calls somebody for the caller.
    public var dial: @Sendable (TransferDestination, _ timeout: Int) -> CallDocument
    /// Where extensions live.
    public var domain: String?
    /// Ends the call by REST.
    public var hangUp: @Sendable () async -> Void
    /// Has the call follow another document; returns why it would not.
    public var replace: @Sendable (CallDocument) async -> TransferOutcome?

    public init(
      connect: @escaping @Sendable (MediaSocketInvitation) -> CallDocument,
      dial: @escaping @Sendable (TransferDestination, Int) -> CallDocument, domain: String?,
      hangUp: @escaping @Sendable () async -> Void,
      replace: @escaping @Sendable (CallDocument) async -> TransferOutcome?
    ) {
      self.connect = connect
      self.dial = dial
      self.domain = domain
      self.hangUp = hangUp
      self.replace = replace
    }
  }

  public let reply = Promise<CallDocument>()
  private let provider: Provider
  private let handOver = HandOver()

  public init(_ provider: Provider) { self.provider = provider }

  public func answer(_ socket: MediaSocketInvitation) async throws { reply.resolve(provider.connect(socket)) }

  public func reject(_ end: CallEnd) async { reply.resolve(.reject(isBusy: end.isBusy)) }

  public func hangUp(_ end: CallEnd) async {
    if !reply.resolve(.hangUp) { await provider.hangUp() }
  }

  public func transfer(_ request: TransferRequest, _ socket: MediaSocketInvitation) async -> TransferOutcome {
    await handOver.run(request, socket, domain: provider.domain) { target, _ in
      await provider.replace(provider.dial(target, request.timeout))
    }
  }

  /// Who was called for our caller has answered, or has not: their `CallStatus`.
  public func targetReported(_ status: String?) {
    if status == "in-progress" || status == "answered" { handOver.answered() }
  }

  /// The call to the target is over (`DialCallStatus`): what shall happen with the caller?
  public func dialEnded(_ status: String?) -> CallDocument {
    // Nobody was reached: back to the agent.
    handOver.ended(TransferOutcome(dialStatus: status)).map(provider.connect) ?? .hangUp
  }
}

extension CallEnd {
  /// Whether a caller's network is told that somebody is busy, where there are two reasons only.
  public var isBusy: Bool { sipStatus == 486 || sipStatus == 600 }
}
