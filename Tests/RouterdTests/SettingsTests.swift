import RouterCore
import Testing

@testable import routerd

@Suite struct SettingsTests {
  private func settings(_ text: String) throws -> Settings {
    try Settings.parse(Array(text.utf8), file: "routerd.yaml", plugins: plugins)
  }

  private func faults(_ text: String) -> [String] {
    do { _ = try settings(text) } catch let error as DiagnosticList {
      return error.all.map { "\($0.location?.line ?? 0):\($0.location?.column ?? 0) \($0.message)" }
    } catch { return ["\(error)"] }
    return []
  }

  @Test func nothingIsEnough() throws {
    let settings = try settings("")
    #expect(settings.engine == EngineSettings())
    #expect(settings.log.level == .info)
    #expect(settings.log.format == .text)
    #expect(settings.makers.count == plugins.count)
    #expect(settings.engine.mediaLoops == nil)
  }

  @Test func sectionsAreRead() throws {
    let settings = try settings(
      """
      log: {level: debug, format: json, linesOfOneKind: 5}
      control: {socket: /run/x.sock}
      routes: {directory: elsewhere}
      engine: {maximumCalls: 7, mediaLoops: 2}
      sip: {listen: [udp:127.0.0.1:5070]}
      """)
    #expect(settings.log.level == .debug)
    #expect(settings.log.format == .json)
    #expect(settings.log.linesOfOneKind == 5)
    #expect(settings.control.socket == "/run/x.sock")
    #expect(settings.routes.directory == "elsewhere")
    #expect(settings.engine.maximumCalls == 7)
    #expect(settings.engine.mediaLoops == 2)
    #expect(try self.settings("engine: {mediaLoops: auto}").engine.mediaLoops == nil)
  }

  @Test func everythingWrongIsSaidInTheOrderOfTheFile() {
    let faults = faults(
      """
      log: {level: loud}
      engin: {}
      engine: {mediaLoops: 100}
      sip: {lisen: []}
      control: 5
      """)
    #expect(faults.map { $0.prefix { $0 != " " } } == ["1:14", "2:1", "3:22", "4:7", "5:10"], "\(faults)")
  }

  @Test func aListIsNoSettingsFile() {
    #expect(faults("- a\n").count == 1)
    #expect(faults("log: {format: text\n").count == 1)
  }
}
