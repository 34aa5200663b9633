import RouterTesting
import Foundation
import RouterCore
import Testing

/// The built routerd, serving on a free port of the loopback interface with settings, routes and records of its own.
final class ServingRouterd: Sendable {
  let workplace: Workplace
  let program: RunningProgram
  /// Where SIP is served by UDP.
  let port: Int

  /// Starts it and waits until it says that it is ready, as it would tell systemd.
  ///
  /// - Parameters:
  ///   - routes: Files for the route directory.
  ///   - sip: The `sip:` section.
  ///   - settings: Sections for the settings file besides those that the harness needs.
  ///   - engine: The `engine:` section, in braces.
  ///   - environment: Variables besides the tests' own.
  init(
    routes: [String: String],
    sip: String = "listen: [udp:127.0.0.1:0, tcp:127.0.0.1:0]\nmedia: {ports: 16500-16999}",
    settings: String = "", engine: String = "mediaLoops: 1",
    environment: [String: String] = [:], workplace: Workplace? = nil
  ) async throws {
    let workplace = try workplace ?? Workplace()
    self.workplace = workplace
    for (name, text) in routes { try workplace.write("routes/\(name)", text) }
    try workplace.write(
      "routerd.yaml",
      """
      sip:
        \(sip.replacing("\n", with: "\n  "))
      log: {format: json, level: debug}
      engine: {\(engine)}
      \(settings)
      """)
    let ready = try NotifySocket()
    program = try RunningProgram(
      Product.routerd, ["run"], in: workplace.folder,
      environment: environment.merging(["NOTIFY_SOCKET": ready.path]) { $1 })
    let message = try await ready.next(while: program)
    guard message.hasPrefix("READY=1") else {
      throw Failure("routerd is not ready:\n\(program.errors)")
    }
    port = try await ServingRouterd.port(of: "udp", in: workplace)
  }

  /// Where a transport is served.
  func port(of transport: String) async throws -> Int {
    try await ServingRouterd.port(of: transport, in: workplace)
  }

  private static func port(of transport: String, in workplace: Workplace) async throws -> Int {
    let listening = try await status(in: workplace)["listening"]?.array?.compactMap(\.string) ?? []
    guard let place = listening.first(where: { $0.hasPrefix(transport + ":") }),
      let port = place.split(separator: ":").last.flatMap({ Int($0) })
    else { throw Failure("no \(transport) listener in \(listening)") }
    return port
  }

  private static func status(in workplace: Workplace) async throws -> JSONValue {
    let finished = try await workplace.routerd("status", "--json")
    guard finished.code == 0 else { throw Failure(finished.errors) }
    return try JSONDecoder().decode(JSONValue.self, from: Data(finished.output.utf8))
  }

  /// The answer of `routerd status`.
  func status() async throws -> JSONValue { try await ServingRouterd.status(in: workplace) }

  func wait(forLiveCalls count: Int) async throws {
    try await wait(for: "\(count) live calls") { $0["liveCalls"]?.integer == count }
  }

  func wait(forState state: String) async throws {
    try await wait(for: state) { $0["state"]?.string == state }
  }

  func wait(for what: String, _ isThere: (JSONValue) -> Bool) async throws {
    for _ in 0..<300 {
      if isThere(try await status()) { return }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw Failure("waited in vain for \(what)")
  }

  struct Failure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
  }

  deinit {
    if program.isRunning { program.send(SIGKILL) }
  }

  func uri(_ user: String) -> String { "sip:\(user)@127.0.0.1:\(port)" }

  /// Places a test call and waits for its end.
  func call(_ user: String, _ arguments: String...) async throws -> Finished {
    try await call(user, arguments)
  }

  func call(_ user: String, _ arguments: [String]) async throws -> Finished {
    let program = try RunningProgram(
      Product.routerd, ["call", uri(user), "--json"] + arguments, in: workplace.folder)
    let code = await program.exitCode()
    return Finished(code: code, output: program.output, errors: program.errors)
  }

  /// The records, newest first, as `routerd calls` gives them.
  func records() async throws -> [CallRecord] {
    let finished = try await workplace.routerd("calls", "--json")
    return try Records.parse(finished.output)
  }

  /// Ends it as an operator would, and gives the exit status.
  func stop() async -> Int32 {
    program.send(SIGTERM)
    return await program.exitCode(within: .seconds(60))
  }
}

/// The JSON of `routerd calls`.
enum Records {
  private struct Answer: Decodable {
    var live: [LiveCall]
    var records: [CallRecord]
  }

  static func parse(_ text: String) throws -> [CallRecord] {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    return try decoder.decode(Answer.self, from: Data(text.utf8)).records
  }
}

/// Listens as systemd does for `NOTIFY_SOCKET`.
final class NotifySocket: Sendable {
  let path = FileManager.default.temporaryDirectory.path + "/n-\(UUID().uuidString.prefix(8))"
  private let descriptor: Int32

  init() throws {
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8) + [0]) }
    let bound = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(bound == 0)
  }

  deinit {
    close(descriptor)
    unlink(path)
  }

  /// The next message; an empty one when the program ends before it says anything.
  func next(while program: RunningProgram) async throws -> String {
    let (descriptor, message) = (descriptor, OneShot<String>())
    Thread.detachNewThread {
      var question = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      for _ in 0..<600 where program.isRunning {
        guard poll(&question, 1, 100) > 0 else { continue }
        var bytes = [UInt8](repeating: 0, count: 1000)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        message.resolve(String(decoding: bytes[..<max(0, count)], as: UTF8.self))
        return
      }
      message.resolve("")
    }
    return await message.value(cancelled: "")
  }
}
