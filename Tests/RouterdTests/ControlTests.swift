import Foundation
import RouterCore
import RouterTesting
import Testing

@testable import routerd

@Suite struct ControlTests {
  private let place: Workplace

  init() throws { place = try Workplace() }

  private func path() -> String { place.path("run/control.sock") }

  private func failure(_ body: () async throws -> Void) async -> ControlFailure? {
    do { try await body() } catch { return error as? ControlFailure }
    return nil
  }

  @Test func asksAndIsAnswered() async throws {
    let path = path()
    let server = try ControlServer(path, log: .silent) { request, reply in
      switch request.command {
      case "count":
        for number in 1...3 { reply.event(.integer(number)) }
        return request.arguments
      case "fail": throw ControlFailure("no such thing", .notFound)
      default: throw UsageError("what?")
      }
    }
    defer { server.stop() }
    let events = Lock<[JSONValue]>([])
    let result = try await ControlClient.ask("count", ["a": 1], at: path) { event in
      events.withLock { $0.append(event) }
      return true
    }
    #expect(result == ["a": 1])
    #expect(events.withLock { $0 } == [1, 2, 3])
    #expect(
      await failure { _ = try await ControlClient.ask("fail", at: path) }
        == ControlFailure("no such thing", .notFound))
    #expect(await failure { _ = try await ControlClient.ask("else", at: path) }?.code == 1)
  }

  @Test func onlyTheOwnerMayOpenIt() async throws {
    let path = path()
    let server = try ControlServer(path, log: .silent) { _, _ in .null }
    defer { server.stop() }
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
  }

  @Test func onePathHasOneServer() async throws {
    let path = path()
    let first = try ControlServer(path, log: .silent) { _, _ in "first" }
    #expect(await failure { _ = try ControlServer(path, log: .silent) { _, _ in "second" } }?.code == 71)
    #expect(try await ControlClient.ask("x", at: path) == "first")
    first.stop()
    #expect(await failure { _ = try await ControlClient.ask("x", at: path) }?.code == 69)
    let second = try ControlServer(path, log: .silent) { _, _ in "second" }
    #expect(try await ControlClient.ask("x", at: path) == "second")
    second.stop()
  }

  @Test func aSocketThatWasLeftBehindIsReplaced() async throws {
    let path = path()
    try Files.makeParent(of: path)
    let left = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    let address = try #require(UnixAddress(path))
    #expect(address.withPointer { bind(left, $0, $1) } == 0)
    close(left)
    let server = try ControlServer(path, log: .silent) { _, _ in "here" }
    #expect(try await ControlClient.ask("x", at: path) == "here")
    server.stop()
  }

  @Test func aFileIsNotReplaced() async throws {
    let path = path()
    try Files.makeParent(of: path)
    _ = FileManager.default.createFile(atPath: path, contents: Data("calls".utf8))
    let failure = await failure { _ = try ControlServer(path, log: .silent) { _, _ in .null } }
    #expect(failure?.message.contains("\(path) is no socket") == true)
    #expect(FileManager.default.contents(atPath: path) == Data("calls".utf8))
  }

  @Test(arguments: ["", "not json", "{\"command\":5}", "too long"])
  func nonsenseHurtsNobody(_ nonsense: String) async throws {
    let path = path()
    let server = try ControlServer(path, log: .silent) { _, _ in "fine" }
    defer { server.stop() }
    var socket = try ControlSocket.connect(path)
    _ = socket.write(nonsense == "too long" ? String(repeating: "x", count: 200_000) : nonsense)
    _ = socket.readLine(maximum: 1000)
    close(socket.descriptor)
    #expect(try await ControlClient.ask("x", at: path) == "fine")
  }

  @Test func aClientThatGoesEndsItsRequest() async throws {
    let path = path()
    let cancelled = OneShot<Bool>()
    let server = try ControlServer(path, log: .silent) { _, reply in
      reply.event("begun")
      await withTaskCancellationHandler {
        await OneShot<Void>().value(cancelled: ())
      } onCancel: {
        cancelled.resolve(true)
      }
      return .null
    }
    defer { server.stop() }
    _ = try await ControlClient.ask("follow", at: path, isOpenEnded: true) { _ in false }
    #expect(await cancelled.value(cancelled: false))
  }

  @Test func clientsAreBounded() async throws {
    let path = path()
    let server = try ControlServer(path, log: .silent) { _, _ in "fine" }
    defer { server.stop() }
    var waiting: [ControlSocket] = []
    for _ in 0..<ControlServer.maximumClients { waiting.append(try ControlSocket.connect(path)) }
    defer { for socket in waiting { close(socket.descriptor) } }
    #expect(await failure { _ = try await ControlClient.ask("x", at: path) }?.message == "too many clients")
  }
}
