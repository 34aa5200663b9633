internal import Emulators
internal import RouterCore

/// What happens every 20 ms.
extension TestPhone {
  func startSound(_ parameters: MediaParameters) {
    let sampleRate = min(16000, parameters.codec.wireFormat.sampleRate)
    do throws(EmulatorError) {
      recorder = try options.recording.map { path throws(EmulatorError) in
        try StereoRecorder(path, sampleRate: sampleRate)
      }
    } catch {
      printer.event("warning", "no recording: \(error)")
    }
    sound = PhoneSound(sampleRate: sampleRate, isRecording: recorder != nil)
    media?.hear(as: .linear16(sampleRate)) { frame in
      self.assumeIsolated { $0.tick(frame) }
    }
  }

  private func tick(_ frame: AudioFrame) {
    guard !isOver, let media, sound != nil else { return }
    let heard = frame.withSamples { Array($0) }
    elapsed += frame.milliseconds
    let wasSpeaking = sound?.isSpeaking ?? false
    if let sent = sound?.step(heard) {
      media.play(AudioFrame(samples: sent, sampleRate: frame.format.sampleRate), turn: TurnID(1))
    }
    listen(frame)
    if wasSpeaking, sound?.isSpeaking == false { script.stepDone(at: elapsed) }
    if let step = stepAfter, elapsed >= step.at {
      stepAfter = nil
      step.action(self)
    }
    for action in script.tick(at: elapsed) { perform(action) }
    if elapsed >= options.maximumSeconds * 1000, gaveUp == nil {
      printer.event("warning", at: elapsed, "hanging up: \(options.maximumSeconds) s are over")
      giveUp(.interrupted)
    }
    if elapsed % 1000 == 0 { saveRecorded() }
  }

  private func listen(_ frame: AudioFrame) {
    switch ear.hear(frame) {
    case .spoke?:
      printer.event("speaks", at: elapsed, "agent speaks")
      script.agentSpoke()
    case .stopped(let length)?:
      printer.event(
        "stopped", at: elapsed, "agent stopped (\(PhonePrinter.seconds(length)))",
        ["milliseconds": .integer(length)])
      script.agentStopped()
    case nil: break
    }
  }

  private func saveRecorded() {
    guard let samples = sound?.takeRecorded(), !samples.isEmpty else { return }
    recorder?.append(samples)
  }

  func finishRecording() {
    saveRecorded()
    recorder?.finish()
  }
}
