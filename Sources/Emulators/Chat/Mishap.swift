internal import RouterCore

/// What goes wrong with an answer, as tests and people write it: a JSON object.
///
/// `{"status": 429, "retryAfter": "1"}`, `{"html": true}`, `{"redirect": "http://…"}`, `{"silent": true}`, `{"empty": true}` instead
/// of an answer; `{"stall": true}`, `{"abrupt": true}` after what there is of one.
struct Mishap: Sendable {
  enum End: Sendable { case whole, stalls, breaks }

  private let value: JSONValue
  let end: End

  init(_ value: JSONValue) {
    self.value = value
    end = value["stall"] == true ? .stalls : value["abrupt"] == true ? .breaks : .whole
  }

  /// Members that any answer may have.
  static let members: Set<String> = [
    "status", "retryAfter", "message", "code", "html", "redirect", "silent", "empty", "stall", "abrupt",
    "delayMs", "pauseMs", "times",
  ]

  /// The option's text: a JSON object, or the words of an answer.
  static func read(_ text: String, _ option: String, also members: Set<String>) throws(EmulatorError)
    -> JSONValue
  {
    guard text.first == "{" else { return ["say": .string(text)] }
    guard let value = JSONValue(parsing: text), let object = value.object else {
      throw EmulatorError("\(option) wants words, or a JSON object: \(text)")
    }
    let known = members.union(Mishap.members)
    if let odd = object.keys.sorted().first(where: { !known.contains($0) }) {
      throw EmulatorError("\(option) knows no '\(odd)'; it knows \(known.sorted().joined(separator: ", "))")
    }
    return value
  }

  var delay: Duration { .milliseconds(min(max(value["delayMs"]?.integer ?? 0, 0), 60_000)) }
  var pause: Duration { .milliseconds(min(max(value["pauseMs"]?.integer ?? 0, 0), 60_000)) }
  /// How many requests it answers before the next one takes its place.
  var times: Int { max(1, value["times"]?.integer ?? 1) }

  /// What is answered instead; `nil` when there is an answer.
  func reply() async -> HTTPServerReply? {
    if delay > .zero { try? await Task.sleep(for: delay) }  // cut short when the server closes
    if value["silent"] == true {
      try? await Task.sleep(for: .seconds(600))  // until the caller has had enough
      return .text(503, "nobody waited\n")
    }
    if value["empty"] == true { return .response(HTTPResponse(status: 200)) }
    if value["html"] == true {
      let page = Array("<!DOCTYPE html><html><body><h1>Not what you want</h1></body></html>".utf8)
      return .response(
        HTTPResponse(
          status: value["status"]?.integer ?? 200, headers: [Header("Content-Type", "text/html")], body: page)
      )
    }
    if let target = value["redirect"]?.string {
      return .response(HTTPResponse(status: 307, headers: [Header("Location", target)]))
    }
    guard let status = value["status"]?.integer else { return nil }
    let headers = value["retryAfter"]?.string.map { [Header("Retry-After", $0)] } ?? []
    return Mishap.error(
      status, value["message"]?.string ?? "this error was asked for", code: value["code"]?.string,
      headers: headers)
  }

  /// An error as the service words it.
  static func error(
    _ status: Int, _ message: String, param: String? = nil, code: String? = nil, headers: [Header] = []
  ) -> HTTPServerReply {
    let error: JSONValue = [
      "error": [
        "message": .string(message), "type": status >= 500 ? "server_error" : "invalid_request_error",
        "param": param.map(JSONValue.string) ?? .null, "code": code.map(JSONValue.string) ?? .null,
      ]
    ]
    return .response(
      HTTPResponse(
        status: status, headers: headers + [Header("Content-Type", "application/json")],
        body: Array(error.text.utf8)))
  }

  /// A body that is sent piece by piece, and ends as it was told.
  func stream(_ type: String, _ pieces: [[UInt8]], gone: @escaping @Sendable () -> Void) -> HTTPServerReply {
    let (stream, continuation) = AsyncStream.makeStream(of: [UInt8].self, bufferingPolicy: .unbounded)
    let isWhole = Lock(false)
    let sending = Task { [pause, end] in
      for piece in pieces {
        if pause > .zero { try await Task.sleep(for: pause) }
        continuation.yield(piece)
      }
      isWhole.withLock { $0 = end != .stalls }
      if end == .stalls { try await Task.sleep(for: .seconds(600)) }
      continuation.finish()
    }
    continuation.onTermination = { reason in
      if case .cancelled = reason, !isWhole.withLock({ $0 }) { gone() }
      sending.cancel()
    }
    let headers = [Header("Content-Type", type)]
    return end == .breaks
      ? .broken(status: 200, headers: headers, stream) : .stream(status: 200, headers: headers, stream)
  }
}

extension Mishap {
  /// So many megabytes in place of an answer: sound that nobody could listen to, or one text that does not end.
  static func flood(_ value: JSONValue, _ begin: String = "") -> [[UInt8]]? {
    guard let size = value["megabytes"]?.integer else { return nil }
    let piece = [UInt8](repeating: UInt8(ascii: "U"), count: 1 << 20)
    return (begin.isEmpty ? [] : [Array(begin.utf8)]) + Array(repeating: piece, count: min(max(size, 0), 100))
  }
}

/// Answers in the order in which they were given; the last one stays.
final class AnswerBook: Sendable {
  private let left: Lock<[JSONValue]>

  init(_ answers: [JSONValue]) {
    left = Lock(answers.flatMap { Array(repeating: $0, count: min(Mishap($0).times, 1000)) })
  }

  /// What comes next, without taking it.
  func peek() -> JSONValue? { left.withLock { $0.first } }

  /// The next one; `nil` when none was ever given.
  func next() -> JSONValue? {
    left.withLock { left in left.count > 1 ? left.removeFirst() : left.first }
  }
}
