import Testing

@testable import RouterCore

/// The `failover:` part of the `engine:` section.
@Suite struct FailoverSettingsTests {
  static func read(_ yaml: String) throws -> EngineSettings {
    let node = try #require(try YAML.parse(Array(yaml.utf8), file: "routerd.yaml", limits: YAML.Limits()))
    return try YAMLDecoder.decode(EngineSettings.self, from: node)
  }

  @Test func whatIsNotThereKeepsItsDefault() throws {
    let settings = try Self.read(
      "failover: {wordMs: 0, firstAudioMs: 5000, words: {de: Moment.}, breaker: {failures: 2}}")
    #expect(settings.failover.wordMilliseconds == 0 && settings.failover.firstAudioMilliseconds == 5000)
    #expect(settings.failover.switchWordMilliseconds == 1000)
    #expect(settings.failover.breaker.failures == 2 && settings.failover.breaker.openSeconds == 15)
    #expect(Phrase.moment.words("de-CH", settings).text == "Moment.")
    #expect(Phrase.moment.words("fr", settings).text == "Un instant, s'il vous plaît.")
    #expect(Phrase.moment.words("xx", settings).text == "One moment, please.")
    #expect(Phrase.moment.words("xx", settings).language == "en")
    #expect(Phrase.apology.words(nil, settings).text == EngineSettings.usualApology)
  }

  @Test(arguments: [
    "failover: {wordMs: -1}", "failover: {firstAudioMs: 999999}", "failover: {maximumTurnSeconds: 0}",
    "failover: {breaker: {failures: 0}}", "failover: {word: 3}", "failover: {breaker: {open: 3}}",
  ]) func whatIsWrongIsTold(yaml: String) {
    #expect(throws: DiagnosticList.self) { try Self.read(yaml) }
  }
}
