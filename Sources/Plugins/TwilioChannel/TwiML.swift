internal import RouterCore

/// An answer in Twilio's language (https://www.twilio.com/docs/voice/twiml), written.
struct TwiML: Sendable, Hashable {
  let text: String

  private init(_ body: String) {
    text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response>\(body)</Response>\n"
  }

  /// Answers the call and connects its sound. `url` has no query, which Twilio would refuse; nothing follows, so the call
  /// ends with the socket.
  static func connect(_ url: String, statusCallback: String) -> TwiML {
    let (url, callback) = (XMLText.escape(url), XMLText.escape(statusCallback))
    return TwiML("<Connect><Stream url=\"\(url)\" statusCallback=\"\(callback)\"/></Connect>")
  }

  /// Refuses without an answer, so nobody pays.
  static func reject(isBusy: Bool) -> TwiML { TwiML("<Reject reason=\"\(isBusy ? "busy" : "rejected")\"/>") }

  static let hangUp = TwiML("<Hangup/>")

  /// Calls somebody for the caller; `action` is asked what to do when that is over, `progress` is told of the answer.
  static func dial(
    _ target: TransferDestination, timeout: Int, action: String, progress: String, callerId: String?
  ) -> TwiML {
    let callbacks =
      "statusCallback=\"\(XMLText.escape(progress))\" statusCallbackEvent=\"answered completed\""
    let inner =
      switch target {
      case .number(let number): "<Number \(callbacks)>\(XMLText.escape(number))</Number>"
      case .sip(let uri): "<Sip \(callbacks)>\(XMLText.escape(uri))</Sip>"
      }
    let caller = callerId.map { " callerId=\"\(XMLText.escape($0))\"" } ?? ""
    return TwiML(
      "<Dial action=\"\(XMLText.escape(action))\" timeout=\"\(timeout)\" answerOnBridge=\"true\"\(caller)>\(inner)</Dial>"
    )
  }

  var reply: HTTPServerReply {
    .response(
      HTTPResponse(
        status: 200, headers: [Header("Content-Type", "text/xml; charset=utf-8")], body: Array(text.utf8)))
  }
}
