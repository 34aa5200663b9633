internal import FoundationEssentials

/// A service of somebody else's that speaks HTTP, as a provider of the route files describes it: where it is, what
/// opens it, and what its answers mean.
public struct HTTPBackend: Sendable {
  /// Without a slash at the end.
  public let baseURL: String
  /// Sent with every request, credentials among them.
  public let headers: [Header]
  private let secrets: [String]

  /// An error body longer than this is not read: its words are for the log.
  private static let maximumErrorBytes = 16 << 10
  /// The longest excerpt of a backend's own words.
  private static let maximumWords = 300

  /// - Parameter secrets: What may never stand in a message, besides the values of `headers`.
  public init(baseURL: String, headers: [Header] = [], secrets: [String] = []) {
    self.baseURL = String(baseURL.reversed().drop { $0 == "/" }.reversed())
    self.headers = headers
    let all = secrets + headers.map(\.value)
    // "Bearer KEY" holds the key, which an answer may repeat alone.
    self.secrets = (all + all.flatMap { $0.split(separator: " ").map(String.init) }).filter { $0.count >= 6 }
  }

  /// One exchange: returns a response of 200…299 whose body is still to be read.
  public func open(
    _ path: String, method: String = "POST", headers more: [Header] = [], body: [UInt8]? = nil,
    deadline: Duration = .seconds(120), maximumBodyBytes: Int = 8 << 20, limits: HTTPStreamLimits = .init(),
    over http: any HTTPStreaming
  ) async throws(BackendFailure) -> HTTPStream {
    let request = HTTPRequest(
      method, url: baseURL + path, headers: headers + more, body: body, deadline: deadline,
      maximumBodyBytes: maximumBodyBytes)
    let stream: HTTPStream
    do { stream = try await http.stream(request, limits: limits) } catch { throw failure(error) }
    guard !(200...299).contains(stream.status) else { return stream }
    // Without the body the status says enough.
    let body = (try? await stream.text(upTo: HTTPBackend.maximumErrorBytes)) ?? ""
    throw failure(status: stream.status, headers: stream.headers, body: body)
  }

  // MARK: What went wrong

  /// An exchange that gave no response.
  public func failure(_ error: HTTPError) -> BackendFailure {
    let kind: VoiceFailure.Kind =
      switch error.kind {
      case .timedOut: .timedOut
      case .closed, .cancelled: .closed
      case .tooLarge, .protocolError, .invalidURL: .protocolError
      case .status(let status): HTTPBackend.kind(of: status)
      case .unresolved, .refused, .untrusted, .busy, .forbidden: .unreachable
      }
    let isTransient = [.closed, .refused, .unresolved, .busy].contains(error.kind)
    return BackendFailure(VoiceFailure(kind, redacted(error.message)), isTransient: isTransient)
  }

  /// A response that is no success.
  public func failure(status: Int, headers: [Header], body: String) -> BackendFailure {
    let response = HTTPResponse(status: status, headers: headers)
    let error = JSONValue(parsing: body)?["error"]
    let code = error?["code"]?.string ?? error?["type"]?.string
    var message = "\(status)"
    if let words = words(of: body) { message += ": \(words)" }
    if (300...399).contains(status) { message += " (a redirect, which is not followed)" }
    return BackendFailure(
      VoiceFailure(HTTPBackend.kind(of: status), message), code: code,
      // A used-up account answers 429 too; waiting does not fill it.
      isTransient: ([408, 429].contains(status) && code != "insufficient_quota") || status >= 500,
      retryAfter: HTTPBackend.retryAfter(response))
  }

  private static func kind(of status: Int) -> VoiceFailure.Kind {
    switch status {
    case 401, 402, 403: .unauthorized
    case 408, 504: .timedOut
    case 429: .rateLimited
    case 500...: .unreachable
    default: .protocolError
    }
  }

  /// A backend's own words for an error, from the shapes that are about; `nil` for none. HTML is named, not quoted.
  public func words(of body: String) -> String? {
    let text = body.drop(while: \.isWhitespace)
    if text.isEmpty { return nil }
    if text.first == "<" { return "(HTML)" }
    guard let value = JSONValue(parsing: body) else { return redacted(String(text)) }
    let error = value["error"] ?? value["detail"] ?? value
    let words =
      error.string ?? error["message"]?.string ?? value["message"]?.string ?? value["err_msg"]?.string
      ?? value["reason"]?.string
    return redacted(words ?? value.text)
  }

  /// Takes what is secret out of foreign words, and makes them short, and one line.
  public func redacted(_ text: String) -> String {
    var text = text
    for secret in secrets where text.contains(secret) { text.replace(secret, with: "…") }
    let line = text.map { $0.isNewline ? " " : $0 }
    return line.count <= HTTPBackend.maximumWords
      ? String(line) : String(line.prefix(HTTPBackend.maximumWords)) + "…"
  }

  /// RFC 9110 section 10.2.3, in seconds; a date is not read. `retry-after-ms` is finer, where it is given.
  private static func retryAfter(_ response: HTTPResponse) -> Duration? {
    func number(_ name: String, _ most: Double) -> Double? {
      response.header(name).flatMap { Double($0) }.flatMap { (0...most).contains($0) ? $0 : nil }
    }
    if let milliseconds = number("retry-after-ms", 3_600_000) { return .milliseconds(Int(milliseconds)) }
    return number("retry-after", 3600).map { .milliseconds(Int($0 * 1000)) }
  }
}

/// Why a backend gave nothing of use, and whether asking again may help.
public struct BackendFailure: Error, Sendable, Hashable {
  public var failure: VoiceFailure
  /// The backend's own word for it, e.g. `content_filter`.
  public var code: String?
  /// Whether the same request may succeed a moment later.
  public var isTransient: Bool
  /// When the backend wants to be asked again.
  public var retryAfter: Duration?

  public init(
    _ failure: VoiceFailure, code: String? = nil, isTransient: Bool = false, retryAfter: Duration? = nil
  ) {
    self.failure = failure
    self.code = code
    self.isTransient = isTransient
    self.retryAfter = retryAfter
  }

  /// Asks again after a passing failure, at most `retries` times and no longer than `limit` in all.
  ///
  /// - Parameter attempt: Gets the time that is left.
  public static func retrying<Value: Sendable>(
    _ retries: Int, within limit: Duration,
    _ attempt: @Sendable (Duration) async throws(BackendFailure) -> Value
  ) async throws(BackendFailure) -> Value {
    let begin = ContinuousClock.now
    for number in 0... {
      do throws(BackendFailure) {
        return try await attempt(limit - (ContinuousClock.now - begin))
      } catch {
        // 0.2, 0.4, 0.8 s, and up to half as much again: many calls must not come back at once.
        let usual = Duration.milliseconds(200 << min(number, 6)) * Double.random(in: 1...1.5)
        let pause = error.retryAfter ?? usual
        guard error.isTransient, number < retries, !Task.isCancelled,
          ContinuousClock.now - begin + pause < limit
        else { throw error }
        do { try await Task.sleep(for: pause) } catch _ { throw error }  // cancelled
      }
    }
    preconditionFailure("an endless loop has no end")
  }
}

extension JSONValue {
  /// A value from JSON text; `nil` when it is none.
  public init?(parsing text: String) { self.init(parsing: Array(text.utf8)) }

  /// A value from JSON in UTF-8; `nil` when it is none.
  public init?(parsing bytes: [UInt8]) {
    // What is wrong with foreign text interests nobody.
    guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)) else { return nil }
    self = value
  }
}
