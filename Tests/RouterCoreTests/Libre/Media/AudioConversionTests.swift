import Testing

@testable import RouterCore

@Suite struct AudioConversionTests {
  static func convert(_ bytes: [UInt8], _ from: AudioFormat, _ to: AudioFormat, chunk: Int = .max) throws
    -> [UInt8]
  {
    var converter = try #require(AudioConverter(from: from, to: to))
    var output: [UInt8] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      rest.prefix(chunk).withUnsafeBytes { converter.convert($0, into: &output) }
      rest = rest.dropFirst(chunk)
    }
    return output
  }

  /// Values of ITU-T G.711 tables 1a and 2a.
  @Test(arguments: [
    (AudioFormat.muLaw, UInt8(0xFF), Int16(0)), (.muLaw, 0x80, 32124), (.muLaw, 0x00, -32124),
    (.muLaw, 0xFE, 8),
    (.muLaw, 0x7E, -8), (.muLaw, 0xF0, 120), (.aLaw, 0xD5, 8), (.aLaw, 0x55, -8), (.aLaw, 0xAA, 32256),
    (.aLaw, 0x2A, -32256), (.aLaw, 0xD4, 24),
  ])
  func g711HasTheStandardsValues(_ format: AudioFormat, _ code: UInt8, _ sample: Int16) throws {
    #expect(try Self.convert([code], format, .linear16(8000)).linear == [sample])
    #expect(try Self.convert([sample].bytes, .linear16(8000), format) == [code])
  }

  @Test(arguments: [AudioFormat.muLaw, .aLaw])
  func g711IsStableAndMonotonic(_ format: AudioFormat) throws {
    let all = Array(Int16.min ... .max)
    let codes = try Self.convert(all.bytes, .linear16(8000), format)
    let decoded = try Self.convert(codes, format, .linear16(8000)).linear
    for (before, after) in zip(all, decoded) {
      let step = max(16, abs(Int(before)) / 16)
      #expect(abs(Int(before) - Int(after)) <= step + (abs(Int(before)) > 32000 ? 700 : 0))
    }
    #expect(zip(decoded, decoded.dropFirst()).allSatisfy { $0 <= $1 })
    let again = try Self.convert(decoded.bytes, .linear16(8000), format)
    #expect(try Self.convert(again, format, .linear16(8000)).linear == decoded)
  }

  static let ratePairs = [
    (8000, 16000), (8000, 24000), (8000, 48000), (16000, 8000), (16000, 24000), (24000, 8000), (24000, 16000),
    (48000, 8000), (48000, 16000), (24000, 48000), (22050, 8000), (44100, 16000),
  ]

  @Test(arguments: ratePairs)
  func resamplingIsFlatToThreeKilohertz(from: Int, to: Int) throws {
    for frequency in [300.0, 1000, 1500, 2000, 2500, 3000] {
      let tone = Tone.samples(frequency, rate: from, milliseconds: 400)
      let made = try Self.convert(tone.bytes, .linear16(from), .linear16(to)).linear
      let settled = made.dropFirst(to / 20).dropLast(to / 20)
      let gain = Tone.decibels(Tone.amplitude(of: frequency, in: settled, rate: to) / 8000)
      #expect(abs(gain) < 0.2, "\(frequency) Hz")
      #expect(Tone.signalToNoise(of: frequency, in: settled, rate: to) > 50, "\(frequency) Hz")
    }
  }

  @Test(arguments: [
    (16000, 5000.0), (16000, 7000), (24000, 5000), (24000, 9000), (48000, 6000), (48000, 15000),
  ])
  func whatDoesNotFitIsTakenOut(from: Int, frequency: Double) throws {
    let tone = Tone.samples(frequency, rate: from, milliseconds: 400)
    let made = try Self.convert(tone.bytes, .linear16(from), .linear16(8000)).linear
    #expect(Tone.decibels(Tone.rms(made.dropFirst(400).dropLast(400)) / 5657) < -60)
  }

  /// Frames of 20 ms stay frames of 20 ms: nothing has to be kept over for the next tick.
  @Test(arguments: ratePairs.prefix(10))
  func framesKeepTheirLength(from: Int, to: Int) throws {
    var converter = try #require(AudioConverter(from: .linear16(from), to: .linear16(to)))
    let frame = Tone.samples(440, rate: from, milliseconds: 20).bytes
    for _ in 0..<100 {
      var output: [UInt8] = []
      frame.withUnsafeBytes { converter.convert($0, into: &output) }
      #expect(output.count == to / 50 * 2)
    }
  }

  @Test func chunksMakeNoDifference() throws {
    let tone = Tone.samples(1000, rate: 24000, milliseconds: 500).bytes
    let whole = try Self.convert(tone, .linear16(24000), .muLaw)
    let parts = try Self.convert(tone, .linear16(24000), .muLaw, chunk: 334)
    #expect(abs(whole.count - parts.count) <= 2)
    #expect(whole.prefix(3990).elementsEqual(parts.prefix(3990)))
  }

  @Test(arguments: [0, -1, 1, 3999, 1_000_000])
  func badRatesAreRefused(rate: Int) {
    #expect(AudioConverter(from: .linear16(rate), to: .muLaw) == nil)
  }

  @Test func halfSamplesAreDropped() throws {
    #expect(try Self.convert([1, 2, 3], .linear16(8000), .linear16(16000), chunk: 3).count == 4)
  }
}
