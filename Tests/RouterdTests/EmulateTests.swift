import Emulators
import RouterCore
import Testing

@testable import routerd

/// The frame that all emulators share, around one that only repeats what it is told.
@Suite struct EmulateTests {
  private struct Parrot: Emulator {
    static let name = "parrot"
    static let summary = "Repeats"
    static let options = [
      EmulatorOption("--word", value: "WORD", repeatable: true, "What it knows"),
      EmulatorOption("--times", value: "N", "How often"),
    ]
    static let notes = "A parrot needs no account."
    let words: [String]
    let times: Int
    let report: EmulatorReport

    init(_ options: EmulatorOptions, _ host: EmulatorHost) throws {
      words = options.all("--word")
      times = try options.integer("--times", 1...3) ?? 1
      report = host.report
    }

    func answer(_ request: HTTPServerRequest) async -> HTTPServerReply {
      report.saw("\(request.method) \(request.target)")
      if request.method != "GET" { report.violation("a parrot is only asked") }
      return .text(200, Array(repeating: words.joined(separator: " "), count: times).joined(separator: " "))
    }
  }

  @Test func oneServesInTheTestsOwnProcess() async throws {
    let parrot = try await RunningEmulator(Parrot.self, [("--word", "a"), ("--word", "b"), ("--times", "2")])
    let clients = HTTPClients()
    let loop = EventLoop(name: "test")
    let http = clients.client(on: loop)
    #expect(http === clients.client(on: loop))
    #expect(try await http.send(HTTPRequest(url: parrot.url("http", "/x?y"))).text == "a b a b")
    #expect(parrot.report.violations == [])
    _ = try await http.send(HTTPRequest("POST", url: parrot.url()))
    #expect(parrot.report.lines == [.saw("GET /x?y"), .saw("POST /"), .violation("a parrot is only asked")])
    await parrot.close()
    await #expect(throws: HTTPError.self) { try await http.send(HTTPRequest(url: parrot.url())) }
    await clients.close()
    await #expect(throws: HTTPError.self) {
      try await clients.client(on: loop).send(HTTPRequest(url: parrot.url()))
    }
    await Task.detached { loop.stop() }.value
  }

  @Test func optionsThatMakeNoSenseAreRefused() async throws {
    await #expect(throws: EmulatorError("--times wants a whole number from 1 to 3, not '9'")) {
      _ = try await RunningEmulator(Parrot.self, [("--times", "9")])
    }
  }

  @Test func theHelpNamesEveryKind() {
    let notes = EmulateCommand.notes(of: [Parrot.self])
    #expect(notes.contains("  parrot  Repeats"))
    #expect(notes.contains("A parrot needs no account."))
    #expect(
      EmulateCommand.options(of: [Parrot.self, Parrot.self]).map(\.name) == [
        "--port", "--quiet", "--word", "--times",
      ])
  }

  /// Sound is told once for a run of it, and long lines are cut.
  @Test func theWireIsReadable() {
    let wire = WirePrinter()
    let sound = #"{"event":"media","media":{"payload":"AAAA"}}"#
    let mark = #"{"event":"mark","mark":{"name":"1.1"}}"#
    #expect(wire.lines("200 to POST http://h/\nType: x") == ["  > 200 to POST http://h/", "  > Type: x"])
    #expect(wire.lines(sound) == ["  > " + sound] && wire.lines(sound) == [])
    #expect(wire.lines(mark) == ["  > " + mark] && wire.lines(sound) == [] && wire.lines(mark) == [])
    #expect(wire.lines("200 to POST http://h/") == ["  > 200 to POST http://h/"])
    #expect(wire.flush() == ["  > … and 3 more like these"] && wire.flush() == [])
    #expect(wire.lines("640 bytes: 00") == ["  > 640 bytes: 00"] && wire.lines("640 bytes: 17") == [])
    #expect(wire.lines(String(repeating: "x", count: 300)).first?.count == 205)
  }

  @Test func anUnknownKindIsAUsageError() async {
    #expect(await Program.run(["emulate", "nonsense"]) == .usage)
    #expect(await Program.run(["emulate"]) == .usage)
  }
}
