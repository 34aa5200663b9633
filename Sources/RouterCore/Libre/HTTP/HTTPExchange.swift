internal import CCurl

/// One request and its response inside libcurl. Lives on the client's loop and is touched only there.
final class HTTPExchange: @unchecked Sendable {
  /// What becomes of the response.
  enum Purpose {
    /// It is collected.
    case response
    /// Its head is told when it is there, its body goes to ``body``.
    case stream
    /// There is none: libcurl connects and then leaves the connection to us.
    case connection
  }

  let easy: UnsafeMutableRawPointer
  let host: String
  let outcome = OneShot<Result<HTTPResponse, HTTPError>>()
  /// The response without its body; for streams.
  let head = OneShot<Result<HTTPResponse, HTTPError>>()
  /// The body on its way to its reader; for streams.
  let body = HTTPBodyBuffer()

  private let request: HTTPRequest
  private let purpose: Purpose
  private let maximumHeaderBytes: Int
  private var headerList: UnsafeMutablePointer<curl_slist>?
  private let words = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
  /// Whether no TLS is in its way, neither the server's nor a proxy's.
  var isPlain: Bool { request.url.hasPrefix("http://") && !HTTPReach.usesProxy(request.url) }
  /// A connection that is held has a list of its own, because libcurl looks it up for each read and write.
  private let share: UnsafeMutableRawPointer?
  private var headers: [Header] = []
  private var headerBytes = 0
  private var collected: [UInt8] = []
  private var bodyBytes = 0
  private var status = 0
  private var isHeadComplete = false
  private var isPaused = false
  private var isTooLarge = false
  private var isForbidden = false

  init(
    _ request: HTTPRequest, _ settings: HTTPClientSettings, for purpose: Purpose
  ) throws(HTTPError) {
    guard let easy = curl_easy_init() else {
      throw HTTPError(.busy, "no memory for an HTTP exchange")
    }
    self.easy = easy
    self.request = request
    self.purpose = purpose
    share = purpose == .connection ? curl_share_init() : nil
    maximumHeaderBytes = settings.maximumHeaderBytes
    host = HTTPExchange.host(of: request.url)
    words.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    try HTTPExchange.check(request)
    guard HTTPReach.permits(url: request.url, request.reach) else { throw forbidden }
    configure(settings)
    // No HTTP/2 by ALPN: it cannot carry what is not HTTP, and a reader who waits would hold up its neighbours.
    if purpose != .response { ccurl_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1)) }
    if purpose == .connection {
      ccurl_set_long(easy, CURLOPT_CONNECT_ONLY, 1)
      if let share {
        ccurl_share(share, CURL_LOCK_DATA_CONNECT)
        ccurl_set_pointer(easy, CURLOPT_SHARE, share)
      }
      // Through a proxy as a tunnel, without TLS too: nothing else can carry what follows.
      ccurl_set_long(easy, CURLOPT_HTTPPROXYTUNNEL, 1)
    }
  }

  deinit {
    curl_easy_cleanup(easy)
    if let share { curl_share_cleanup(share) }
    curl_slist_free_all(headerList)
    words.deallocate()
  }

  /// What libcurl would pass on unread: line breaks that would start another header or request.
  private static func check(_ request: HTTPRequest) throws(HTTPError) {
    guard request.url.hasPrefix("http://") || request.url.hasPrefix("https://") else {
      throw HTTPError(.invalidURL, "\(host(of: request.url)): a URL begins with http:// or https://")
    }
    let texts = [request.method, request.url] + request.headers.flatMap { [$0.name, $0.value] }
    for text in texts where text.utf8.contains(where: { $0 == 13 || $0 == 10 || $0 == 0 }) {
      throw HTTPError(.invalidURL, "\(host(of: request.url)): a line break in a request's head")
    }
  }

  /// The host of a URL for messages: without credentials, path and query, which may hold secrets.
  static func host(of url: String) -> String {
    guard let scheme = url.firstRange(of: "://") else { return "(no host)" }
    let authority = url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    return String(authority.split(separator: "@").last ?? "(no host)")
  }

  private func configure(_ settings: HTTPClientSettings) {
    ccurl_set_text(easy, CURLOPT_URL, request.url)
    ccurl_set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https")
    ccurl_set_long(easy, CURLOPT_FOLLOWLOCATION, 0)
    ccurl_set_long(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    ccurl_set_long(easy, CURLOPT_NOSIGNAL, 1)
    ccurl_set_text(easy, CURLOPT_USERAGENT, settings.userAgent)
    ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, words)
    ccurl_set_long(easy, CURLOPT_TIMEOUT_MS, max(1, request.deadline.milliseconds))
    if let authorities = settings.authorities { ccurl_set_text(easy, CURLOPT_CAINFO, authorities) }
    ccurl_set_text(easy, CURLOPT_CUSTOMREQUEST, request.method)
    if request.method == "HEAD" { ccurl_set_long(easy, CURLOPT_NOBODY, 1) }
    if let body = request.body {
      ccurl_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, body.count)
      // An empty array has no address; libcurl then copies nothing from any other.
      body.withUnsafeBytes { bytes in
        let start = bytes.baseAddress ?? UnsafeRawPointer(words)
        _ = ccurl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: start))
      }
    }
    // "Expect: 100-continue" costs a round trip that small bodies never earn back.
    for header in request.headers + [Header("Expect", "")] {
      headerList = curl_slist_append(headerList, "\(header.name): \(header.value)")
    }
    ccurl_set_pointer(easy, CURLOPT_HTTPHEADER, headerList)
    let me = Unmanaged.passUnretained(self).toOpaque()
    if !request.reach.isUnlimited {
      if HTTPReach.usesProxy(request.url) {
        ccurl_set_text(easy, CURLOPT_NOPROXY, "")  // no name may go around it
      } else {
        HTTPReach.limit(easy, asking: me)
      }
      if purpose == .connection { ccurl_set_long(easy, CURLOPT_FRESH_CONNECT, 1) }
    }
    ccurl_set_pointer(easy, CURLOPT_WRITEDATA, me)
    ccurl_set_pointer(easy, CURLOPT_HEADERDATA, me)
    ccurl_set_data_handler(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, me in
      guard let bytes, let me else { return 0 }
      let exchange = Unmanaged<HTTPExchange>.fromOpaque(me).takeUnretainedValue()
      return exchange.take(UnsafeRawBufferPointer(start: bytes, count: size * count))
    }
    ccurl_set_data_handler(easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, me in
      guard let bytes, let me else { return 0 }
      let exchange = Unmanaged<HTTPExchange>.fromOpaque(me).takeUnretainedValue()
      return exchange.takeHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
    }
  }

  /// A piece of the body; anything but its length ends the exchange, or makes libcurl bring it again later.
  private func take(_ bytes: UnsafeRawBufferPointer) -> Int {
    if purpose == .stream, body.isFull {
      isPaused = true
      return Int(CURL_WRITEFUNC_PAUSE)
    }
    guard bytes.count <= request.maximumBodyBytes - bodyBytes else {
      isTooLarge = true
      return 0
    }
    bodyBytes += bytes.count
    if purpose == .stream { body.add(bytes) } else { collected.append(contentsOf: bytes) }
    return bytes.count
  }

  /// Lets libcurl go on after the reader has taken something.
  func resume() {
    guard isPaused, !body.isFull else { return }
    isPaused = false
    // May call `take` at once. When that refuses the piece, libcurl says so here only and never ends the transfer.
    let result = curl_easy_pause(easy, CURLPAUSE_CONT)
    if result != CURLE_OK { fail(error(result)) }
  }

  /// One line of the head. A status line begins a new head: an interim response (RFC 9110 section 15.2) is forgotten.
  private func takeHeader(_ bytes: UnsafeRawBufferPointer) -> Int {
    headerBytes += bytes.count
    guard headerBytes <= maximumHeaderBytes else {
      isTooLarge = true
      return 0
    }
    guard !isHeadComplete else { return bytes.count }  // trailers
    let line = String(decoding: bytes, as: UTF8.self)
    if line.hasPrefix("HTTP/") {
      headers = []
      status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    } else if let colon = line.firstIndex(of: ":") {
      let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
      let end = value.lastIndex { !$0.isWhitespace }.map { value.index(after: $0) } ?? value.startIndex
      headers.append(Header(String(line[..<colon]), String(value[..<end])))
    } else if line.allSatisfy(\.isNewline), status >= 200 {
      isHeadComplete = true
      head.resolve(.success(HTTPResponse(status: status, headers: headers)))
    }
    return bytes.count
  }

  /// libcurl is done with it.
  func finish(_ result: CURLcode) {
    guard result == CURLE_OK else { return fail(error(result)) }
    let response = HTTPResponse(
      status: ccurl_get_long(easy, CURLINFO_RESPONSE_CODE), headers: headers, body: collected)
    outcome.resolve(.success(response))
    head.resolve(.success(response))
    body.finish(.success(()))
  }

  /// It ends without a response, or with less than all of it.
  func fail(_ error: HTTPError) {
    outcome.resolve(.failure(error))
    head.resolve(.failure(error))
    body.finish(.failure(error))
  }

  /// Whether an address may be connected to; the exchange ends with ``forbidden`` when none was.
  func permits(_ address: String) -> Bool {
    let isPermitted = request.reach.permits(address)
    isForbidden = !isPermitted
    return isPermitted
  }

  private var forbidden: HTTPError {
    HTTPError(.forbidden, "\(host): its address is not public, and nothing allows it (allowPrivate)")
  }

  private func error(_ result: CURLcode) -> HTTPError {
    if isForbidden { return forbidden }
    if isTooLarge {
      return HTTPError(.tooLarge, "\(host): the response is longer than the limit")
    }
    let kind: HTTPError.Kind =
      switch result {
      case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: .invalidURL
      case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .unresolved
      case CURLE_COULDNT_CONNECT: .refused
      case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CACERT_BADFILE: .untrusted
      case CURLE_OPERATION_TIMEDOUT: .timedOut
      case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR: .closed
      default: .protocolError
      }
    let detail = String(cString: words)
    return HTTPError(
      kind,
      "\(host): " + (detail.isEmpty ? String(cString: curl_easy_strerror(result)) : detail))
  }
}

extension Duration {
  /// Whole milliseconds, rounded down.
  var milliseconds: Int {
    let (seconds, attoseconds) = components
    return Int(clamping: seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
  }
}
