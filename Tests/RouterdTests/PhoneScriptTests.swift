@testable import Emulators
import RouterTesting
import Testing

@testable import routerd

@Suite struct PhoneScriptTests {
  @Test func stepsWaitForTheAgent() {
    var script = PhoneScript([.say("a"), .digits("1")])
    #expect(script.tick(at: 20) == [])
    script.agentSpoke()
    #expect(script.tick(at: 9000) == [])
    script.agentStopped()
    #expect(script.tick(at: 9020) == [.perform(.say("a"))])
    #expect(script.tick(at: 30000) == [])
    script.stepDone(at: 30000)
    #expect(script.tick(at: 30020) == [])
    script.agentSpoke()
    script.agentStopped()
    #expect(script.tick(at: 31000) == [.perform(.digits("1"))])
    script.stepDone(at: 31500)
    script.agentSpoke()
    script.agentStopped()
    #expect(script.tick(at: 33000) == [.hangUp])
    #expect(script.tick(at: 99000) == [])
  }

  @Test func silenceIsWaitedForOnlySoLong() {
    var script = PhoneScript([.say("a")], patience: 1000)
    #expect(script.tick(at: 980) == [])
    #expect(script.tick(at: 1000) == [.goOnInSilence(milliseconds: 1000), .perform(.say("a"))])
    script.stepDone(at: 2000)
    #expect(script.tick(at: 2980) == [])
    #expect(script.tick(at: 3000) == [.goOnInSilence(milliseconds: 1000), .hangUp])
  }

  /// Some agents let the caller begin; an answer of theirs is waited for longer.
  @Test func withoutAGreetingThePhoneBegins() {
    var script = PhoneScript([.say("a")], patience: 8000, greeting: 3000)
    #expect(script.tick(at: 2980) == [])
    #expect(script.tick(at: 3000) == [.goOnInSilence(milliseconds: 3000), .perform(.say("a"))])
    script.stepDone(at: 4000)
    #expect(script.tick(at: 11_980) == [])
    #expect(script.tick(at: 12_000) == [.goOnInSilence(milliseconds: 8000), .hangUp])
    var mute = PhoneScript([], patience: 8000, greeting: 3000)
    #expect(mute.tick(at: 7980) == [])
    #expect(mute.tick(at: 8000) == [.goOnInSilence(milliseconds: 8000), .hangUp])
  }

  @Test func anAnswerMayBeginBeforeTheStepIsDone() {
    var script = PhoneScript([.say("a"), .say("b")])
    script.agentSpoke()
    script.agentStopped()
    #expect(script.tick(at: 100) == [.perform(.say("a"))])
    script.agentSpoke()  // an echo, or a quick answer
    script.stepDone(at: 2000)
    #expect(script.tick(at: 2020) == [])
    script.agentStopped()
    #expect(script.tick(at: 2500) == [.perform(.say("b"))])
  }

  @Test func staysWhenAsked() {
    var script = PhoneScript([], stays: true)
    script.agentSpoke()
    script.agentStopped()
    #expect(script.tick(at: 100) == [])
  }
}

@Suite struct WAVFileTests {
  private func file(_ samples: [Int16], rate: Int, channels: Int) -> [UInt8] {
    WAVFile.header(sampleRate: rate, channels: channels, dataBytes: samples.count * 2)
      + samples.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
  }

  @Test func readsWhatItWrites() throws {
    #expect(
      try WAVFile.parse(file([1, -2, 3], rate: 8000, channels: 1))
        == .init(sampleRate: 8000, samples: [1, -2, 3]))
    #expect(
      try WAVFile.parse(file([1, 9, -2, 9], rate: 16000, channels: 2))
        == .init(sampleRate: 16000, samples: [1, -2]))
  }

  @Test func skipsOtherChunks() throws {
    var bytes = file([5], rate: 8000, channels: 1)
    bytes.insert(contentsOf: Array("LIST".utf8) + [3, 0, 0, 0, 1, 2, 3, 0], at: 12)
    #expect(try WAVFile.parse(bytes).samples == [5])
  }

  @Test(arguments: 0..<46)
  func cutFilesAreNoReasonToCrash(_ length: Int) {
    _ = try? WAVFile.parse(Array(file([1], rate: 8000, channels: 1).prefix(length)))
  }

  @Test func otherFormatsAreRefused() {
    var bytes = file([1], rate: 8000, channels: 1)
    bytes[34] = 8
    #expect(throws: WAVFile.Failure.self) { try WAVFile.parse(bytes) }
    #expect(throws: WAVFile.Failure.self) { try WAVFile.parse(Array("hello".utf8)) }
  }

  @Test func recordsBothSides() throws {
    let place = try Workplace()
    let path = place.path("both.wav")
    let recorder = try StereoRecorder(path, sampleRate: 8000)
    recorder.append([1, 2, 3, 4])
    recorder.append([5, 6])
    recorder.finish()
    let bytes = try Files.read(path)
    #expect(bytes == file([1, 2, 3, 4, 5, 6], rate: 8000, channels: 2))
  }
}
