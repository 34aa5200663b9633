import Testing

@testable import RouterCore

@Suite struct AudioCodingTests {
  /// A tone through encoder and decoder, in packets of 20 ms.
  static func roundTrip(_ codec: AudioCodec, _ frequency: Double, packet: Int = 20) throws -> [Int16] {
    let format = codec.wireFormat
    let encoder = try #require(AudioEncoder(codec))
    let decoder = try #require(AudioDecoder(codec))
    let tone = Tone.samples(frequency, rate: format.sampleRate, milliseconds: 1200)
    let native = try AudioConversionTests.convert(tone.bytes, .linear16(format.sampleRate), format)
    let size = format.frameBytes * packet / 20
    var output: [UInt8] = []
    var payload = [UInt8](repeating: 0, count: size)
    for start in stride(from: 0, to: native.count - size + 1, by: size) {
      let length = native[start..<start + size].withUnsafeBytes { audio in
        payload.withUnsafeMutableBytes { encoder.encode(audio, into: $0) }
      }
      payload[..<length].withUnsafeBytes {
        #expect(codec.duration(of: $0) == codec.clockRate * packet / 1000)
        decoder.decode($0, into: &output)
      }
    }
    return try AudioConversionTests.convert(output, format, .linear16(format.sampleRate)).linear
  }

  @Test(arguments: [
    (AudioCodec.pcmu, 35.0), (.pcma, 35), (.g722, 25), (.l16, 80), (.opus, 15),
  ])
  func tonesSurvive(_ codec: AudioCodec, _ decibels: Double) throws {
    for frequency in codec.wireFormat.sampleRate == 8000 ? [440.0, 1000, 3000] : [440, 1000, 3000, 6000] {
      let heard = try Self.roundTrip(codec, frequency)
      let rate = codec.wireFormat.sampleRate
      let settled = heard.dropFirst(rate / 5).dropLast(rate / 10)
      let level = Tone.decibels(Tone.amplitude(of: frequency, in: settled, rate: rate) / 8000)
      #expect(abs(level) < (codec == .opus ? 2 : 0.7), "\(frequency) Hz: \(level) dB")
      let clarity = Tone.signalToNoise(of: frequency, in: settled, rate: rate)
      #expect(clarity > decibels, "\(frequency) Hz: \(clarity) dB")
    }
  }

  @Test(arguments: [10, 20, 40, 60])
  func packetTimes(milliseconds: Int) throws {
    for codec in AudioCodec.allCases {
      #expect(try Self.roundTrip(codec, 500, packet: milliseconds).count > codec.wireFormat.sampleRate)
    }
  }

  /// Whatever a payload holds, decoding ends and makes a bounded amount of audio.
  @Test func anyPayloadIsSurvived() throws {
    var random = SplitMix(seed: 11)
    for codec in AudioCodec.allCases {
      let decoder = try #require(AudioDecoder(codec))
      for _ in 0..<500 {
        let payload = (0..<Int.random(in: 0...1400, using: &random)).map { _ in
          UInt8.random(in: .min ... .max, using: &random)
        }
        var output: [UInt8] = []
        payload.withUnsafeBytes {
          _ = codec.duration(of: $0)
          decoder.decode($0, into: &output)
        }
        #expect(output.count <= 24 * 120 * 2 + 1400 * 4)
      }
    }
  }

  @Test(arguments: [8000, 16000])
  func aGapIsBridgedAndFades(rate: Int) {
    let history = Tone.samples(200, rate: rate, milliseconds: 40)
    var gap = history.withUnsafeBufferPointer { Concealment(after: $0, sampleRate: rate) }
    var output: [UInt8] = []
    for _ in 0..<5 { gap.fill(rate / 50, into: &output) }
    let made = output.linear
    #expect(made.count == rate / 10)
    let expected = Tone.samples(200, rate: rate, milliseconds: 60).dropFirst(rate * 40 / 1000)
    let first = made.prefix(rate / 50)
    let error = Tone.rms(zip(first, expected).map { $0 &- $1 })
    #expect(error < 2000, "the wave goes on where it was: \(error)")
    #expect(Tone.rms(made.dropFirst(rate / 50).prefix(rate / 50)) < Tone.rms(first))
    #expect(made.dropFirst(rate * 60 / 1000).allSatisfy { $0 == 0 })
  }

  @Test func aGapAfterNothingIsSilence() {
    var gap = UnsafeBufferPointer<Int16>(start: nil, count: 0)
    var concealment = Concealment(after: gap, sampleRate: 8000)
    var output: [UInt8] = []
    concealment.fill(160, into: &output)
    #expect(output.linear.allSatisfy { $0 == 0 })
    gap = UnsafeBufferPointer(start: nil, count: 0)
  }

  @Test func opusRecoversWhatTheNextPacketRepeats() throws {
    let decoder = try #require(OpusSpeechDecoder())
    var output: [UInt8] = []
    decoder.conceal(480, following: nil, into: &output)
    #expect(output.count == 960)
    [UInt8](repeating: 0xF3, count: 20).withUnsafeBytes { decoder.conceal(480, following: $0, into: &output) }
    #expect(output.count <= 1920)
  }

  @Test func keyTonesAreHeard() throws {
    let keys = "0123456789*#ABCD"
    let detector = try #require(KeyToneDetector())
    var samples = KeyTones.samples(of: keys)
    samples = try AudioConversionTests.convert(
      AudioConversionTests.convert(samples.bytes, .linear16(8000), .muLaw), .muLaw, .linear16(8000)
    ).linear
    var heard: [Character] = []
    for start in stride(from: 0, to: samples.count, by: 160) {
      samples[start..<min(start + 160, samples.count)].withUnsafeBufferPointer {
        heard += detector.keys(in: $0)
      }
    }
    #expect(String(heard) == keys)
    #expect(KeyTones.samples(of: "xyz").isEmpty)
    #expect(KeyTones.samples(of: String(repeating: "1", count: 1000)).count == 64 * 180 * 8)
  }
}
