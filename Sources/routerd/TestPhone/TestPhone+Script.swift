internal import Emulators
internal import RouterCore

/// What the caller does.
extension TestPhone {
  func perform(_ action: PhoneScript.Action) {
    switch action {
    case .goOnInSilence(let milliseconds):
      printer.event(
        "warning", at: elapsed, "nobody spoke for \(PhonePrinter.seconds(milliseconds)); going on")
    case .hangUp:
      giveUp(.interrupted)
    case .perform(.say(let text)):
      printer.event("say", at: elapsed, "caller says \"\(text)\"", ["text": .string(text)])
      speak { [voice] rate in try await voice.samples(of: text, sampleRate: rate) }
    case .perform(.wav(let path)):
      printer.event("wav", at: elapsed, "caller plays \(path)", ["file": .string(path)])
      speak { rate in try PhoneVoice.samples(ofFile: path, sampleRate: rate) }
    case .perform(.digits(let digits)):
      printer.event("digits", at: elapsed, "caller presses \(digits)", ["digits": .string(digits)])
      Task {
        await media?.sendDigits(digits)
        script.stepDone(at: elapsed)
      }
    case .perform(.pause(let seconds)):
      stepAfter = (elapsed + seconds * 1000, { $0.script.stepDone(at: $0.elapsed) })
    case .perform(.hold(let seconds)): hold(seconds)
    }
  }

  private func speak(_ samples: @escaping @Sendable (_ sampleRate: Int) async throws -> [Int16]) {
    Task {
      do {
        let samples = try await samples(sound?.sampleRate ?? 8000)
        sound?.speak(samples)
        if samples.isEmpty { script.stepDone(at: elapsed) }
      } catch {
        printer.event(
          "warning", at: elapsed, "cannot speak: \(error)")
        script.stepDone(at: elapsed)
      }
    }
  }

  private func hold(_ seconds: Int) {
    printer.event("hold", at: elapsed, "caller puts the agent on hold for \(seconds) s")
    Task { await reinvite(.sendonly) }
    stepAfter = (
      elapsed + seconds * 1000,
      { phone in
        phone.printer.event("resume", at: phone.elapsed, "caller takes the agent back")
        Task {
          await phone.reinvite(.sendrecv)
          phone.script.stepDone(at: phone.elapsed)
        }
      }
    )
  }

  private func reinvite(_ direction: MediaDirection) async {
    guard let call, var negotiation else { return }
    negotiation.wish.direction = direction
    let offer = negotiation.offer()
    self.negotiation = negotiation
    let response = await call.reinvite(sdp: offer.bytes)
    guard response.isSuccess, let sdp = response.sdp else {
      return printer.event("warning", at: elapsed, "re-INVITE: \(response.status) \(response.reason)")
    }
    if agree(sdp), let parameters = self.negotiation?.parameters { media?.apply(parameters) }
  }
}
