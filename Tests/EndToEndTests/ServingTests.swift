import RouterTesting
import Foundation
import RouterCore
import Testing

/// A running routerd: how it starts, reloads and ends.
@Suite struct ServingTests {
  @Test func serves() async throws {
    let routerd = try await ServingRouterd(routes: ["main.yaml": RouteCommandTests.routes])
    let status = try await routerd.status()
    #expect(status["state"] == "serving")
    #expect(status["routes"]?["routes"] == 2)
    #expect(status["routes"]?["isSameOnDisk"] == true)
    #expect(status["loops"]?.array?.count == 2)
    let attributes = try FileManager.default.attributesOfItem(
      atPath: routerd.workplace.path("routerd.sock"))
    #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
    #expect(await routerd.stop() == 0)
    #expect(!FileManager.default.fileExists(atPath: routerd.workplace.path("routerd.sock")))
    for line in routerd.program.errors.split(separator: "\n") {
      #expect((try? JSONDecoder().decode(JSONValue.self, from: Data(line.utf8))) != nil, "\(line)")
    }
  }

  @Test func reloadsAndKeepsTheLastGoodRoutes() async throws {
    let routerd = try await ServingRouterd(
      routes: ["main.yaml": RouteCommandTests.routes], settings: "routes: {watch: false}")
    let first = try #require(try await routerd.status()["routes"]?["version"]?.string)
    try routerd.workplace.write(
      "routes/main.yaml", RouteCommandTests.routes + "\n  - {name: third, agent: night}\n")
    #expect(try await routerd.status()["routes"]?["isSameOnDisk"] == false)
    let reload = try await routerd.workplace.routerd("reload")
    #expect(reload.code == 0, "\(reload.errors)")
    let second = try #require(try await routerd.status()["routes"]?["version"]?.string)
    #expect(second != first)

    try routerd.workplace.write(
      "routes/main.yaml", RouteCommandTests.routes + "\n  - {name: third, agnt: night}\n")
    let refused = try await routerd.workplace.routerd("reload")
    #expect(refused.code == 1)
    #expect(refused.errors.contains("routes/main.yaml:15:"), "\(refused.errors)")
    #expect(refused.errors.contains("did you mean 'agent'?"))
    let status = try await routerd.status()
    #expect(status["routes"]?["version"]?.string == second)
    #expect(status["routes"]?["lastReload"]?["isAccepted"] == false)

    let rollback = try await routerd.workplace.routerd("rollback", first)
    #expect(rollback.code == 0, "\(rollback.errors)")
    #expect(try await routerd.status()["routes"]?["version"]?.string == first)
    #expect(try await routerd.workplace.routerd("rollback", "nonsense").code == 66)
  }

  @Test func drainsAndEnds() async throws {
    let routerd = try await ServingRouterd(routes: ["main.yaml": RouteCommandTests.routes])
    #expect(try await routerd.workplace.routerd("drain").code == 0)
    #expect(await routerd.program.exitCode(within: .seconds(30)) == 0)
  }

  @Test func aPortThatIsTakenIsSaidAtOnce() async throws {
    let first = try await ServingRouterd(routes: ["main.yaml": RouteCommandTests.routes])
    let workplace = try Workplace()
    try workplace.write("routerd.yaml", "sip: {listen: [\"udp:127.0.0.1:\(first.port)\"]}\n")
    let second = try await workplace.routerd("run", within: .seconds(30))
    #expect(second.code == 71, "\(second.errors)")
    #expect(second.errors.contains("\(first.port)"), "\(second.errors)")
  }

  @Test func twoOfThemNeedTwoSockets() async throws {
    let first = try await ServingRouterd(routes: ["main.yaml": RouteCommandTests.routes])
    let second = try await first.workplace.routerd("run", within: .seconds(30))
    #expect(second.code == 71)
    #expect(second.errors.contains("another routerd listens at routerd.sock"), "\(second.errors)")
  }
}
