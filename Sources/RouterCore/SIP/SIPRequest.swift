/// How a message came in.
public struct SIPArrival: Hashable, Sendable {
  public var transport: SIPTransport
  /// Where the packet or connection came from.
  public var source: SocketAddress
  /// Our own address that it came to: a concrete one, also when the listener is on `0.0.0.0`.
  public var local: SocketAddress
  /// The host that we name in Contact, Via and SDP to this peer: `advertise` of the listener, else `local.ip`.
  public var advertisedHost: String
  /// Which of the settings' listeners it came to.
  public var listener: Int

  public init(
    transport: SIPTransport, source: SocketAddress, local: SocketAddress, advertisedHost: String,
    listener: Int
  ) {
    self.transport = transport
    self.source = source
    self.local = local
    self.advertisedHost = advertisedHost
    self.listener = listener
  }
}

/// A received request, after the mandatory fields were checked (RFC 3261 section 8.1.1).
public struct SIPRequest: Sendable {
  public let method: SIPMethod
  public let headers: SIPHeaders
  public let arrival: SIPArrival
  let uriRange: Range<Int32>
  let bodyRange: Range<Int32>
  private let parties: SIPParties?

  init(
    method: SIPMethod, headers: SIPHeaders, arrival: SIPArrival, uriRange: Range<Int32>,
    bodyRange: Range<Int32>, parties: SIPParties? = nil
  ) {
    self.method = method
    self.headers = headers
    self.arrival = arrival
    self.uriRange = uriRange
    self.bodyRange = bodyRange
    self.parties = parties
  }

  /// The Request-URI as it was written.
  public var uriText: String { headers.text(uriRange) }
  /// The Request-URI; requests with one that cannot be read are refused before anybody sees them.
  public var uri: SIPURI {
    parties?.target ?? headers.withBytes(uriRange) { SIPURI(bytes: $0) } ?? SIPURI(host: "invalid")
  }
  /// The caller as it names itself: never a proof of anything.
  public var from: SIPAddress? { parties?.from ?? headers.address(.from) }
  public var to: SIPAddress? { parties?.to ?? headers.address(.to) }
  /// Where the sender wants to be reached; the first one where there are several.
  public var contact: SIPAddress? { parties?.contact ?? headers.address(.contact) }
  public var callID: String { headers.first(.callID) ?? "" }
  /// Empty when there is none.
  public var body: [UInt8] { Array(headers.storage[Int(bodyRange.lowerBound)..<Int(bodyRange.upperBound)]) }
  public var hasBody: Bool { !bodyRange.isEmpty }
  /// `application/sdp`: lower case, without parameters. `nil` when the field is missing.
  public var contentType: String? { headers.mediaType }
}

/// A received response, or one that stands for none: 408 when nobody answered, 503 when nobody could be reached (RFC
/// 3261 section 8.1.3.1).
public struct SIPResponse: Sendable {
  public let status: Int
  public let reason: String
  public let headers: SIPHeaders
  public let body: [UInt8]
  /// `nil` for a response that stands for none.
  public let arrival: SIPArrival?
  /// Of a response that stands for none: what was in the way, where that is known.
  public let problem: String?

  init(
    status: Int, reason: String? = nil, headers: SIPHeaders = SIPHeaders(), body: [UInt8] = [],
    arrival: SIPArrival? = nil, problem: String? = nil
  ) {
    self.status = status
    self.reason = reason ?? SIPStatus.reason(status)
    self.headers = headers
    self.body = body
    self.arrival = arrival
    self.problem = problem
  }

  public var isProvisional: Bool { status < 200 }
  public var isSuccess: Bool { (200..<300).contains(status) }
  public var to: SIPAddress? { headers.address(.to) }
  public var contentType: String? { headers.mediaType }
  /// Seconds of `Retry-After`.
  public var retryAfter: Int? { headers.first(.retryAfter).flatMap { SIPNumber.leadingSeconds($0) } }
  /// The body when it is SDP.
  public var sdp: [UInt8]? { contentType == "application/sdp" && !body.isEmpty ? body : nil }
}

extension SIPHeaders {
  /// The media type of the body, lower case and without parameters.
  var mediaType: String? {
    guard let value = first(.contentType) else { return nil }
    return value.prefix { $0 != ";" }.trimmingBlanks().lowercased()
  }
}

/// Something to answer a request with.
public struct SIPReply: Sendable, Hashable {
  public var status: Int
  /// `nil` takes the usual phrase of the status.
  public var reason: String?
  public var headers: [Header]
  /// Media type of `body`, needed when there is one.
  public var contentType: String?
  public var body: [UInt8]

  public init(
    _ status: Int, reason: String? = nil, headers: [Header] = [], contentType: String? = nil,
    body: [UInt8] = []
  ) {
    self.status = status
    self.reason = reason
    self.headers = headers
    self.contentType = contentType
    self.body = body
  }

  /// A reply that carries SDP.
  public static func sdp(_ status: Int, _ sdp: [UInt8], headers: [Header] = []) -> SIPReply {
    SIPReply(status, headers: headers, contentType: "application/sdp", body: sdp)
  }
}

/// The usual phrases of RFC 3261 section 21 and its extensions.
public enum SIPStatus {
  public static func reason(_ status: Int) -> String {
    phrases[status] ?? phrases[status / 100 * 100] ?? "Unknown"
  }

  private static let phrases: [Int: String] = [
    100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress",
    200: "OK", 202: "Accepted", 204: "No Notification", 300: "Multiple Choices", 301: "Moved Permanently",
    302: "Moved Temporarily", 305: "Use Proxy", 380: "Alternative Service", 400: "Bad Request",
    401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required",
    408: "Request Timeout", 410: "Gone", 412: "Conditional Request Failed", 413: "Request Entity Too Large",
    414: "Request-URI Too Long", 415: "Unsupported Media Type", 416: "Unsupported URI Scheme",
    420: "Bad Extension", 421: "Extension Required", 422: "Session Interval Too Small",
    423: "Interval Too Brief", 428: "Use Identity Header", 433: "Anonymity Disallowed",
    437: "Unsupported Credential", 438: "Invalid Identity Header", 469: "Bad Info Package",
    480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected",
    483: "Too Many Hops", 484: "Address Incomplete", 485: "Ambiguous", 486: "Busy Here",
    487: "Request Terminated", 488: "Not Acceptable Here", 489: "Bad Event", 491: "Request Pending",
    493: "Undecipherable", 500: "Server Internal Error", 501: "Not Implemented", 502: "Bad Gateway",
    503: "Service Unavailable", 504: "Server Time-out", 505: "Version Not Supported",
    513: "Message Too Large", 600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere",
    606: "Not Acceptable", 607: "Unwanted", 608: "Rejected",
  ]
}
