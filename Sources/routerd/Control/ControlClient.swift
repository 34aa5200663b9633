internal import Glibc
internal import RouterCore

/// Asks a running routerd.
enum ControlClient {
  /// Seconds that an answer may take, where the command has no length of its own.
  static let patience = 120

  /// Asks and waits for the answer, on a thread of its own.
  ///
  /// - Parameters:
  ///   - isOpenEnded: For commands that take as long as they take: following, draining.
  ///   - onEvent: Takes what comes before the result; returning `false` ends the request with `null`.
  static func ask(
    _ command: String, _ arguments: JSONValue = [:], at path: String, isOpenEnded: Bool = false,
    onEvent: @escaping @Sendable (JSONValue) -> Bool = { _ in true }
  ) async throws(ControlFailure) -> JSONValue {
    let answer = OneShot<Result<JSONValue, ControlFailure>>()
    detachThread {
      do throws(ControlFailure) {
        let request = ControlRequest(command: command, arguments: arguments)
        answer.resolve(.success(try converse(request, path, isOpenEnded, onEvent)))
      } catch {
        answer.resolve(.failure(error))
      }
    }
    return try await answer.value(cancelled: .failure(ControlFailure("interrupted", .interrupted))).get()
  }

  private static func converse(
    _ request: ControlRequest, _ path: String, _ isOpenEnded: Bool, _ onEvent: (JSONValue) -> Bool
  ) throws(ControlFailure) -> JSONValue {
    var socket = try ControlSocket.connect(path)
    defer { close(socket.descriptor) }
    socket.limit(reading: isOpenEnded ? 0 : patience, writing: patience)
    let line: String
    do {
      line = try JSON.encode(request)
    } catch {
      throw ControlFailure("the request cannot be written: \(error)", .software)
    }
    guard socket.write(line) else { throw ControlFailure("routerd went away", .unavailable) }
    while let line = socket.readLine(maximum: ControlLine.maximumBytes) {
      let answer: ControlLine
      do {
        answer = try JSON.decode(ControlLine.self, line)
      } catch {
        throw ControlFailure("routerd answered something else than JSON", .software)
      }
      switch answer {
      case .event(let value): if !onEvent(value) { return .null }
      case .result(let value): return value
      case .failure(let failure): throw failure
      }
    }
    throw ControlFailure("routerd went away, or did not answer in time", .unavailable)
  }
}
