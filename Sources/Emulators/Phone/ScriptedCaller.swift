internal import RouterCore

/// Somebody who rings up through an emulated provider: listens, follows a script, speaks and records, in steps of 20 ms.
///
/// A value that the emulated call owns; what takes time (a voice, a file) was done before the call, in ``init(_:_:)``.
public struct ScriptedCaller: @unchecked Sendable {  // its recorder is its own
  /// What the provider has to do for the caller.
  public enum Action: Equatable, Sendable {
    case press(String)
    case hangUp
  }

  /// How the caller is told what to do: the steps, and how long to wait.
  public static let options = [
    EmulatorOption("--say", value: "TEXT", repeatable: true, "Speak, after the agent has spoken and stopped"),
    EmulatorOption("--wav", value: "FILE", repeatable: true, "Play a 16-bit WAV file in the same way"),
    EmulatorOption(
      "--digits", value: "KEYS", repeatable: true, "Press keys: 0-9 * # A-D, a comma waits half a second"),
    EmulatorOption("--pause", value: "SECONDS", repeatable: true, "Say nothing for a while"),
    EmulatorOption(
      "--barge", value: "SECONDS", "Do not wait for the agent's end: act so long after it began"),
    EmulatorOption("--stay", "Keep the call when all of that is done, until the other side ends it"),
    EmulatorOption("--patience", value: "SECONDS", "How long to wait for the agent's first word; 8"),
    EmulatorOption("--seconds", value: "N", "Hang up after so many seconds; 120"),
    EmulatorOption("--voice", value: "NAME", "Whose voice: rms, slt, kal or kal16; rms"),
    EmulatorOption(
      "--record", value: "FILE", "Write both sides to a stereo WAV: left the caller, right the agent"),
  ]

  /// Samples a second of everything here.
  public let sampleRate: Int
  private var script: PhoneScript
  private var sound: PhoneSound
  private var ear = PhoneEar()
  private var recorder: StereoRecorder?
  private var clips: [String: [Int16]] = [:]
  private var elapsed = 0
  private var doneAt: Int?
  private let limit: Int
  private let report: EmulatorReport

  /// Reads the options and prepares what is to be said. Throws ``EmulatorError``, or what a synthesiser throws.
  public init(
    _ options: EmulatorOptions, sampleRate: Int, _ host: EmulatorHost
  ) async throws {
    self.sampleRate = sampleRate
    report = host.report
    let steps = try options.ordered(PhoneStep.options).map { try PhoneStep($0.name, $0.value) }
    let patience = try options.integer("--patience", 0...600) ?? 8
    limit = (try options.integer("--seconds", 1...86_400) ?? 120) * 1000
    script = PhoneScript(steps, patience: patience * 1000, stays: options.has("--stay"))
    script.impatience = try options.integer("--barge", 0...600).map { $0 * 1000 }
    recorder = try options.value("--record").map { try StereoRecorder($0, sampleRate: sampleRate) }
    sound = PhoneSound(sampleRate: sampleRate, isRecording: recorder != nil)
    for step in steps {
      switch step {
      case .say(let text):
        guard let synthesizer = host.synthesizer else { throw EmulatorError("--say: nobody here can speak") }
        let voice = PhoneVoice(synthesizer, name: options.value("--voice") ?? "rms")
        clips[text] = try await voice.samples(of: text, sampleRate: sampleRate)
      case .wav(let path): clips[path] = try PhoneVoice.samples(ofFile: path, sampleRate: sampleRate)
      case .digits, .pause, .hold: break
      }
    }
  }

  /// Milliseconds of the agent's speech so far.
  public var heardSpeech: Int { ear.speech }

  /// 20 ms: what was heard comes in, what is said goes out (`nil` is silence), with what the provider has to do.
  public mutating func step(_ heard: [Int16]) -> (said: [Int16]?, actions: [Action]) {
    elapsed += 20
    var actions: [Action] = []
    let wasSpeaking = sound.isSpeaking
    let said = sound.step(heard)
    switch ear.hear(AudioFrame(samples: heard, sampleRate: sampleRate)) {
    case .spoke?:
      tell("agent speaks")
      script.agentSpoke(at: elapsed)
    case .stopped(let length)?:
      tell("agent stopped (\(seconds(length)))")
      script.agentStopped()
    case nil: break
    }
    if wasSpeaking, !sound.isSpeaking { script.stepDone(at: elapsed) }
    if let at = doneAt, elapsed >= at {
      doneAt = nil
      script.stepDone(at: elapsed)
    }
    for action in script.tick(at: elapsed) {
      if let wish = perform(action) { actions.append(wish) }
    }
    if elapsed == limit || elapsed == limit + 20 {
      tell("hanging up: \(limit / 1000) s are over")
      actions.append(.hangUp)
    }
    if elapsed % 1000 == 0 { recorder?.append(sound.takeRecorded()) }
    return (said, actions)
  }

  private mutating func perform(_ action: PhoneScript.Action) -> Action? {
    switch action {
    case .goOnInSilence(let milliseconds):
      tell("nobody spoke for \(seconds(milliseconds)); going on")
    case .hangUp: return .hangUp
    case .perform(.say(let text)):
      tell("caller says \"\(text)\"")
      speak(text)
    case .perform(.wav(let path)):
      tell("caller plays \(path)")
      speak(path)
    case .perform(.digits(let keys)):
      tell("caller presses \(keys)")
      doneAt = elapsed + keys.count * 250
      return .press(keys)
    case .perform(.pause(let length)), .perform(.hold(let length)): doneAt = elapsed + length * 1000
    }
    return nil
  }

  private mutating func speak(_ clip: String) {
    let samples = clips[clip] ?? []
    sound.speak(samples)
    if samples.isEmpty { script.stepDone(at: elapsed) }
  }

  private func tell(_ text: String) {
    let tenths = elapsed / 100
    report.saw("\(tenths / 10).\(tenths % 10) s  \(text)")
  }

  private func seconds(_ milliseconds: Int) -> String {
    "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s"
  }

  /// The call is over: the recording is finished.
  public mutating func finish() {
    recorder?.append(sound.takeRecorded())
    recorder?.finish()
    recorder = nil
  }
}
