import RouterCore
import Testing

@testable import OpenAIRealtimeModel

/// An agent's configuration in the words of the protocol.
@Suite struct SessionSettingsTests {
  private func session(
    _ shape: JSONValue = "ga", wire: AudioFormat = .muLaw,
    _ change: (inout AgentConfiguration) -> Void = { _ in }
  ) throws -> JSONValue {
    var agent = AgentConfiguration(
      name: "a", instructions: "Be brief.", providerConfiguration: ["shape": shape])
    change(&agent)
    return try settings(agent, wire).session
  }

  private func settings(_ agent: AgentConfiguration, _ wire: AudioFormat = .muLaw) throws -> SessionSettings {
    SessionSettings(
      agent: agent, tools: [Tool(name: "f", description: "d")], format: SessionSettings.format(for: wire),
      endpoint: try Endpoint(agent.providerConfiguration))
  }

  @Test func everythingOfTheNewerForm() throws {
    let session = try session { agent in
      agent.voiceId = "cedar"
      agent.language = "de-CH"
      agent.turnDetection.threshold = 0.9
      agent.turnDetection.silenceDuration = 800
      agent.providerSettings = [
        "temperature": 0.7, "noiseReduction": ["type": "farField"], "max_output_tokens": 500, "speed": 1.1,
        "turnDetection": ["threshold": 0.9, "silence_duration_ms": 800, "idle_timeout_ms": 6000],
      ]
    }
    #expect(
      session == [
        "type": "realtime", "output_modalities": ["audio"], "tool_choice": "auto", "max_output_tokens": 500,
        "instructions": "Be brief.\n\nSpeak only this language, whatever the caller speaks: de-CH.",
        "tools": [
          [
            "type": "function", "name": "f", "description": "d",
            "parameters": ["type": "object", "properties": [:]],
          ]
        ],
        "audio": [
          "input": [
            "format": ["type": "audio/pcmu"], "noise_reduction": ["type": "far_field"],
            "transcription": ["model": "gpt-4o-mini-transcribe", "language": "de"],
            "turn_detection": [
              "type": "server_vad", "threshold": 0.9, "prefix_padding_ms": 300, "silence_duration_ms": 800,
              "idle_timeout_ms": 6000, "create_response": true, "interrupt_response": true,
            ],
          ],
          "output": ["format": ["type": "audio/pcmu"], "voice": "cedar", "speed": 1.1],
        ],
      ])
  }

  @Test(arguments: ["ga", "beta"] as [JSONValue], [["type": "none"], .null] as [JSONValue])
  func turnsByHand(_ shape: JSONValue, _ detection: JSONValue) throws {
    let session = try session(shape) { $0.providerSettings = ["turnDetection": detection] }
    let input = shape == "ga" ? session["audio"]?["input"] : session
    #expect(input?["turn_detection"] == .null)
  }

  @Test(
    arguments: [
      ([:], ["temperature": 0.8], 1), (["shape": "beta"], ["temperature": 0.8], 0), ([:], ["speed": 1], 0),
    ] as [(JSONValue, JSONValue, Int)])
  func whatHasNoEffectIsToldBefore(_ provider: JSONValue, _ settings: JSONValue, _ count: Int) {
    let agent = AgentConfiguration(name: "a", providerConfiguration: provider, providerSettings: settings)
    let warnings = OpenAIRealtimeModel.warnings(for: agent)
    #expect(warnings.count == count && warnings.allSatisfy { $0.contains("temperature") })
  }

  @Test func everythingOfTheOlderForm() throws {
    let session = try session("beta", wire: .aLaw) { agent in
      agent.providerSettings = ["temperature": 0.7, "noiseReduction": ["type": "nearField"], "speed": 1.1]
    }
    #expect(session["type"] == nil)
    #expect(session["modalities"] == ["audio", "text"])
    #expect(session["voice"] == "alloy")
    #expect(session["input_audio_format"] == "g711_alaw" && session["output_audio_format"] == "g711_alaw")
    #expect(session["temperature"] == 0.7 && session["speed"] == 1.1)
    #expect(session["input_audio_noise_reduction"] == ["type": "near_field"])
    #expect(session["input_audio_transcription"] == ["model": "gpt-4o-mini-transcribe"])
    #expect(session["turn_detection"]?["silence_duration_ms"] == 500)
    #expect(session["audio"] == nil)
  }

  @Test func whatIsNoTelephoneSoundTravelsAtTwentyFourKilohertz() throws {
    let session = try session(wire: .linear16(48000))
    #expect(session["audio"]?["input"]?["format"] == ["type": "audio/pcm", "rate": 24000])
    #expect(try self.session("beta", wire: .linear16(16000))["input_audio_format"] == "pcm16")
    #expect(SessionSettings.format(for: .linear16(48000)) == .linear16(24000))
  }

  @Test func semanticDetectionHasNoThresholds() throws {
    let session = try session { agent in
      agent.providerSettings = [
        "turnDetection": [
          "type": "semantic_vad", "eagerness": "high", "threshold": 0.9, "silence_duration_ms": 500,
        ]
      ]
    }
    #expect(
      session["audio"]?["input"]?["turn_detection"] == [
        "type": "semantic_vad", "eagerness": "high", "create_response": true, "interrupt_response": true,
      ])
  }

  @Test func voicesOfOnesOwnHaveIdentifiers() throws {
    let session = try session { $0.voiceId = "voice_123" }
    #expect(session["audio"]?["output"]?["voice"] == ["id": "voice_123"])
  }

  @Test func transcriptionCanBeTurnedOff() throws {
    let session = try session { $0.providerConfiguration = ["transcriptionModel": "none"] }
    #expect(session["audio"]?["input"]?["transcription"] == nil)
  }

  @Test func instructionsForOneResponseBeginWithTheSessions() throws {
    let settings = try settings(AgentConfiguration(name: "a", instructions: "Be brief."))
    #expect(settings.instructions(adding: "Greet.") == "Be brief.\n\nGreet.")
    #expect(try self.settings(AgentConfiguration(name: "a")).instructions(adding: "Greet.") == "Greet.")
  }
}
