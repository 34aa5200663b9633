import RouterTesting
import Foundation
import Testing

/// The command line of the built program.
@Suite struct CommandLineTests {
  @Test func helpAndMistakes() async throws {
    let workplace = try Workplace()
    let help = try await workplace.routerd("--help")
    #expect(help.code == 0)
    #expect(help.output.contains("Place a test call"))
    #expect(try await workplace.routerd("--version").output.hasPrefix("routerd "))
    let wrong = try await workplace.routerd("cal")
    #expect(wrong.code == 64)
    #expect(wrong.errors.contains("did you mean call?"))
    #expect(wrong.output.isEmpty)
  }

  @Test func wrongSettingsStartNothing() async throws {
    let workplace = try Workplace()
    try workplace.write("routerd.yaml", "log: {level: loud}\nengin: {}\nengine: {maximumCalls: many}\n")
    let run = try await workplace.routerd("run")
    #expect(run.code == 1)
    for line in ["routerd.yaml:1:14: error:", "routerd.yaml:2:1: error:", "routerd.yaml:3:24: error:"] {
      #expect(run.errors.contains(line), "\(run.errors)")
    }
    #expect(run.errors.contains("did you mean 'engine'?"))
    #expect(!FileManager.default.fileExists(atPath: workplace.path("routerd.sock")))
  }

  @Test func nobodyToAsk() async throws {
    let workplace = try Workplace()
    let status = try await workplace.routerd("status")
    #expect(status.code == 69)
    #expect(status.errors.contains("no routerd listens at routerd.sock"))
  }
}
