import Foundation
import RouterCore
import RouterTesting
import Testing

/// How the routes of a running routerd change: by the disk, by rollbacks, under load.
@Suite(.serialized) struct RouteChangeTests {
  /// A table whose route for 600 has this name.
  static func table(_ name: String) -> String {
    """
    trunks:
      loopback: {addresses: [127.0.0.0/8]}
    providers:
      echo: {type: echo}
    agents:
      mirror: {provider: echo}
      other: {provider: echo}
    routes:
      - {name: \(name), match: {to: "600"}, agent: mirror}
    """
  }

  @Test func aChangeOnDiskIsAReload() async throws {
    let routerd = try await ServingRouterd(routes: ["main.yaml": Self.table("first")])
    let first = try await version(routerd)
    try routerd.workplace.write("routes/more.yaml", "routes: [{name: more, agent: other}]")
    try await routerd.wait(for: "the second version") { $0["routes"]?["routes"] == 2 }
    let second = try await version(routerd)
    #expect(second != first)
    try routerd.workplace.write("routes/more.yaml", "routes: [{name: more, agnt: other}]")
    try await routerd.wait(for: "a refusal") { $0["routes"]?["lastReload"]?["isAccepted"] == false }
    #expect(try await version(routerd) == second)
    let text = try await routerd.workplace.routerd("status").output
    #expect(text.components(separatedBy: "unknown key 'agnt'").count == 2, "said once:\n\(text)")
    try FileManager.default.removeItem(atPath: routerd.workplace.path("routes/more.yaml"))
    try await routerd.wait(for: "the first version") { $0["routes"]?["version"]?.string == first }
    #expect(try await routerd.status()["routes"]?["isSameOnDisk"] == true)
    _ = await routerd.stop()
  }

  @Test func aRollbackHoldsUntilTheFilesChange() async throws {
    let workplace = try Workplace()
    var routerd = try await ServingRouterd(routes: ["main.yaml": Self.table("good")], workplace: workplace)
    let good = try await version(routerd)
    try workplace.write("routes/main.yaml", Self.table("bad"))
    try await routerd.wait(for: "the bad one") { $0["routes"]?["version"]?.string != good }
    let bad = try await version(routerd)
    let diff = try await workplace.routerd("diff", good)
    #expect(diff.code == 1)
    #expect(diff.output.contains("+ routes good"), "\(diff.output)")
    #expect(try await workplace.routerd("rollback").code == 0)
    #expect(try await version(routerd) == good)
    let status = try await routerd.status()["routes"]
    #expect(status?["standsOn"] == "rollback")
    #expect(status?["isSameOnDisk"] == false)
    let versions = try await workplace.routerd("versions").output.split(separator: "\n")
    #expect(versions.count == 2)
    #expect(versions.first?.hasPrefix(good) == true && versions.first?.contains("rollback") == true)
    #expect(await routerd.stop() == 0)

    // A restart does not bring the bad one back.
    routerd = try await ServingRouterd(routes: [:], workplace: workplace)
    #expect(try await version(routerd) == good)
    #expect(try await routerd.status()["routes"]?["standsOn"] == "rollback")
    #expect(await routerd.stop() == 0)

    // New files do end it, also while routerd was away.
    routerd = try await ServingRouterd(routes: ["main.yaml": Self.table("better")], workplace: workplace)
    #expect(try await version(routerd) != good)
    #expect(try await version(routerd) != bad)
    #expect(try await routerd.status()["routes"]?["standsOn"] == "files")
    #expect(try await workplace.routerd("rollback", String(bad.prefix(6))).code == 0)
    #expect(try await version(routerd) == bad)
    #expect(try await workplace.routerd("reload").code == 0)
    #expect(try await routerd.status()["routes"]?["standsOn"] == "files")
    #expect(await routerd.stop() == 0)
  }

  @Test func aStartWithWrongFilesHasTheLastGoodRoutes() async throws {
    let workplace = try Workplace()
    var routerd = try await ServingRouterd(routes: ["main.yaml": Self.table("good")], workplace: workplace)
    let good = try await version(routerd)
    #expect(await routerd.stop() == 0)
    routerd = try await ServingRouterd(routes: ["main.yaml": "routes: 5"], workplace: workplace)
    #expect(try await version(routerd) == good)
    let status = try await workplace.routerd("status")
    #expect(status.output.contains("because they are wrong"), "\(status.output)")
    try workplace.write("routes/main.yaml", Self.table("mended"))
    try await routerd.wait(for: "the mended files") { $0["routes"]?["standsOn"] == "files" }
    #expect(try await version(routerd) != good)
    _ = await routerd.stop()
  }

  @Test(.timeLimit(.minutes(3))) func aHundredReloadsUnderLoadLoseNothing() async throws {
    let routerd = try await ServingRouterd(routes: ["main.yaml": Self.table("r0")])
    var sipp = Sipp("call", to: SocketAddress(ip: "127.0.0.1", port: UInt16(clamping: routerd.port)))
    sipp.calls = 500
    sipp.seconds = 120
    sipp.options = ["-r", "20"]
    let short = sipp
    async let shortCalls: Void = short.run()
    async let first = routerd.call("600", "--patience", "1", "--hold", "25")
    async let second = routerd.call("600", "--patience", "1", "--hold", "25")
    // Both long ones, and some of the short ones: each lasts 200 ms, and twenty begin in a second.
    try await routerd.wait(for: "calls of both kinds") { ($0["liveCalls"]?.integer ?? 0) >= 4 }

    var names = [try await version(routerd): "r0"]
    var accepted = 0
    for number in 1...100 {
      let isBroken = number % 7 == 0
      let text = Self.table("r\(number)") + (isBroken ? "\n  - {nme: x}" : "\n# \(number)")
      try routerd.workplace.write("routes/main.yaml", text)
      if number % 10 == 5 { routerd.program.send(SIGHUP) }
      let reload = try await routerd.workplace.routerd("reload", "--json")
      #expect(reload.code == (isBroken ? 1 : 0), "\(number): \(reload.errors)")
      guard !isBroken else { continue }
      let answer = try JSONDecoder().decode(JSONValue.self, from: Data(reload.output.utf8))
      names[try #require(answer["version"]?.string)] = "r\(number)"
      accepted += 1
    }
    #expect(accepted == 86)
    try await shortCalls
    for call in try await [first, second] { #expect(call.code == 0, "\(call.output)\(call.errors)") }

    let listed = try await routerd.workplace.routerd("calls", "--json", "--limit", "1000")
    let records = try Records.parse(listed.output)
    #expect(records.count == 502)
    for record in records {
      #expect(record.end.reason == .callerHungUp)
      #expect(record.route == names[record.snapshotVersion ?? ""], "\(record.id)")
    }
    #expect(Set(records.compactMap(\.snapshotVersion)).count > 20, "hardly any reload met a call")
    let kept = try await routerd.workplace.routerd("versions").output.split(separator: "\n")
    #expect(kept.count == 20)
    _ = await routerd.stop()
  }

  private func version(_ routerd: ServingRouterd) async throws -> String {
    try #require(try await routerd.status()["routes"]?["version"]?.string)
  }
}
