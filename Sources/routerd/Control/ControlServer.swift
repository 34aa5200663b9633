internal import Glibc
internal import RouterCore

/// Answers the command line over a Unix socket that only its owner may open. Each client has a thread: there are few,
/// they are slow, and none of them may hold up an event loop.
final class ControlServer: Sendable {
  /// Carries out a request; events go to the reply as they come. Cancelled when the client goes away.
  typealias Handler = @Sendable (ControlRequest, ControlReply) async throws -> JSONValue

  /// Clients at once; more are told so and sent away.
  static let maximumClients = 16
  /// Seconds for a client to say what it wants, and to take a line.
  static let patience = 5

  private let path: String
  private let listener: Int32
  private let handler: Handler
  private let log: Log
  private let clients = Lock(0)
  private let isStopped = Lock(false)

  /// Opens the socket and serves until ``stop()``. Throws ``ControlFailure`` when another routerd listens there or the
  /// file cannot be made.
  init(_ path: String, log: Log, _ handler: @escaping Handler) throws(ControlFailure) {
    self.path = path
    self.handler = handler
    self.log = log
    listener = try ControlServer.listen(path)
    detachThread { self.accept() }
  }

  /// What keeps the socket from being made, besides another routerd; `nil` when nothing does. Nothing is made.
  static func obstacle(to path: String) -> String? {
    guard UnixAddress(path) != nil else {
      return
        "the path of the control socket is empty or has more than \(UnixAddress.maximumLength) bytes: \(path)"
    }
    guard Files.isSocketOrNothing(path) else {
      return "the control socket would take the place of a file: \(path) is no socket; name another --socket"
    }
    return path.hasPrefix("@") ? nil : Files.whyNotMakeable(path)  // a name without a file
  }

  private static func listen(_ path: String) throws(ControlFailure) -> Int32 {
    if let obstacle = obstacle(to: path) { throw ControlFailure(obstacle, .system) }
    guard let address = UnixAddress(path) else { throw ControlFailure("no control socket: \(path)", .system) }
    try Files.makeParent(of: path)
    do {
      close(try ControlSocket.connect(path).descriptor)
    } catch {
      unlink(path)  // left behind by a routerd that was killed, or never there
      return try bind(address, path)
    }
    throw ControlFailure("another routerd listens at \(path); give one of them another --socket", .system)
  }

  private static func bind(_ address: UnixAddress, _ path: String) throws(ControlFailure) -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else {
      throw ControlFailure("no control socket: \(ControlSocket.errorText())", .system)
    }
    // Nobody can connect before listen(), so the mode is in force for the first client.
    guard address.withPointer({ Glibc.bind(descriptor, $0, $1) }) == 0, chmod(path, 0o600) == 0,
      Glibc.listen(descriptor, Int32(maximumClients)) == 0
    else {
      let failure = ControlFailure("no control socket at \(path): \(ControlSocket.errorText())", .system)
      close(descriptor)
      throw failure
    }
    return descriptor
  }

  /// Ends the listener; requests that are under way go on.
  func stop() {
    let isFirst = isStopped.withLock { isStopped in
      defer { isStopped = true }
      return !isStopped
    }
    guard isFirst else { return }
    unlink(path)
    shutdown(listener, Int32(SHUT_RDWR))
  }

  private func accept() {
    defer { close(listener) }
    while true {
      let descriptor = Glibc.accept(listener, nil, nil)
      if isStopped.withLock({ $0 }) {
        if descriptor >= 0 { close(descriptor) }
        return
      }
      guard descriptor >= 0 else {
        // Out of descriptors: the client waits in the queue, and this must not spin.
        if errno != EINTR, errno != ECONNABORTED { usleep(100_000) }
        continue
      }
      let socket = ControlSocket(descriptor)
      socket.limit(reading: ControlServer.patience, writing: ControlServer.patience)
      let isAdmitted = clients.withLock { count in
        guard count < ControlServer.maximumClients else { return false }
        count += 1
        return true
      }
      guard isAdmitted else {
        _ = socket.write(ControlReply.text(.failure(ControlFailure("too many clients", .unavailable))))
        close(descriptor)
        continue
      }
      detachThread {
        self.serve(socket)
        close(descriptor)
        self.clients.withLock { $0 -= 1 }
      }
    }
  }

  private func serve(_ socket: ControlSocket) {
    var socket = socket
    guard let line = socket.readLine(maximum: ControlRequest.maximumBytes) else { return }
    let reply = ControlReply()
    let request: ControlRequest
    do {
      request = try JSON.decode(ControlRequest.self, line)
    } catch {
      _ = socket.write(ControlReply.text(.failure(ControlFailure("not a request", .usage))))
      return
    }
    log.debug("control request", ("command", request.command))
    let work = Task { [handler] in
      do {
        reply.finish(.result(try await handler(request, reply)))
      } catch let failure as ControlFailure {
        reply.finish(.failure(failure))
      } catch {
        reply.finish(.failure(ControlFailure("\(error)")))
      }
    }
    while let lines = reply.next() {
      for line in lines where !socket.write(line) {
        work.cancel()
        reply.abandon()
        return
      }
      if lines.isEmpty, socket.isGone {
        work.cancel()
        reply.abandon()
        return
      }
    }
  }
}
