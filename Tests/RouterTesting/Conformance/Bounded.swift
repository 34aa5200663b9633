internal import RouterCore

/// Something took longer than a suite allows.
struct TookTooLong: Error, CustomStringConvertible {
  var what: String
  var limit: Duration
  var description: String { "\(what) took longer than \(limit)" }
}

/// Does something within a limit. What does not end when it is cancelled is left behind.
func bounded<Value: Sendable>(
  _ limit: Duration, _ what: String, _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  let result = OneShot<Result<Value, any Error>>()
  let task = Task {
    do { result.resolve(.success(try await work())) } catch { result.resolve(.failure(error)) }
  }
  let alarm = Task {
    try await Task.sleep(for: limit)
    result.resolve(.failure(TookTooLong(what: what, limit: limit)))
  }
  defer {
    alarm.cancel()
    task.cancel()
  }
  return try await result.value(cancelled: .failure(CancellationError())).get()
}

/// Whether something ended within a limit.
func has(within limit: Duration, _ ended: @escaping @Sendable () async -> Void) async -> Bool {
  do { try await bounded(limit, "it") { await ended() } } catch { return false }
  return true
}

/// Texts that an adapter must survive, whatever it makes of them.
enum OddTexts {
  static let all = [
    "", " ", "\n\t", "?!…", "Grüße aus Zürich", "日本語のテキスト", "🚲🚲", "a\u{0}b\u{7}", "e\u{301}\u{301}\u{301}",
    "\"quoted\" <tag> {brace} | ; #JSGF $x = (y)* [z] /1/", "%s%n%d \\ \\u0000",
    "+44 20 7946 0001, 3.14 €, 24/7",
    String(repeating: "word ", count: 1000), String(repeating: "x", count: 5000),
  ]
}
