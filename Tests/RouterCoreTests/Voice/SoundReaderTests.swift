import RouterCore
import Testing

/// Sound from the network: cut anywhere, with heads of all sorts.
@Suite struct SoundReaderTests {
  private static func bytes(_ number: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }

  private static func chunk(_ name: String, _ content: [UInt8], size: Int? = nil) -> [UInt8] {
    Array(name.utf8) + bytes(size ?? content.count, 4) + content
      + (content.count % 2 == 1 && size == nil ? [0] : [])
  }

  private static func format(_ code: Int = 1, channels: Int = 1, rate: Int = 16000, bits: Int = 16) -> [UInt8]
  {
    let frame = channels * bits / 8
    return chunk(
      "fmt ",
      bytes(code, 2) + bytes(channels, 2) + bytes(rate, 4) + bytes(rate * frame, 4) + bytes(frame, 2)
        + bytes(bits, 2))
  }

  private static func wav(_ chunks: [UInt8]...) -> [UInt8] {
    Array("RIFF".utf8) + bytes(0xFFFF_FFFF, 4) + Array("WAVE".utf8) + chunks.joined()
  }

  private static let sound: [UInt8] = (0..<64).map { UInt8($0) }
  private static let raw = AudioFormat.linear16(24000)
  private static let wide = AudioFormat.linear16(16000)

  private static let cases: [(String, [UInt8], AudioFormat, [UInt8])] = [
    ("raw", sound, raw, sound),
    ("raw, half a sample at the end", sound + [9], raw, sound),
    ("WAV", wav(format(), chunk("data", sound)), wide, sound),
    ("WAV of a stream", wav(format(), chunk("data", sound, size: 0xFFFF_FFFF)), wide, sound),
    ("WAV of a stream, size 0", wav(format(), chunk("data", sound, size: 0)), wide, sound),
    (
      "WAV with more before and behind",
      wav(chunk("LIST", [1, 2, 3]), format(), chunk("data", sound), chunk("LIST", [5, 5])), wide, sound
    ),
    ("WAV, µ-law", wav(format(7, rate: 8000, bits: 8), chunk("data", sound)), .muLaw, sound),
    ("WAV, extensible", wav(format(0xFFFE, rate: 48000), chunk("data", sound)), .linear16(48000), sound),
    ("a size that is too large", wav(format(), chunk("data", sound, size: 5000)), wide, sound),
    ("nothing", [], raw, []), ("only a head", wav(format(), chunk("data", [], size: 0)), wide, []),
  ]

  @Test(arguments: cases) func reads(
    _ name: String, _ input: [UInt8], _ format: AudioFormat, _ expected: [UInt8]
  ) throws {
    for size in [1, 3, 7, 1000] {
      var reader = SoundReader(Self.raw)
      var output: [UInt8] = []
      for start in stride(from: 0, to: input.count, by: size) {
        guard let frame = try reader.add(Array(input[start..<min(start + size, input.count)])) else {
          continue
        }
        #expect(frame.format == format && frame.bytes.count % format.bytesPerSample == 0)
        output += frame.bytes
      }
      #expect(output == expected, "\(name) in pieces of \(size)")
    }
  }

  @Test func aHeadInEveryPiece() throws {
    var reader = SoundReader(Self.raw)
    let piece = Self.wav(Self.format(), Self.chunk("data", Self.sound, size: 0xFFFF_FFFF))
    for _ in 0..<3 { #expect(try reader.add(piece)?.bytes == Self.sound) }
  }

  @Test func textThatCallsItselfText() throws {
    let words = Array("There was an error.".utf8)
    for type in ["text/plain; charset=utf-8", "application/json", "TEXT/HTML"] {
      var reader = SoundReader(Self.raw, type: type)
      #expect(throws: SoundReader.NoSound.self) { try reader.add(words) }
      // A server that does not know what it sends.
      var sound = SoundReader(Self.raw, type: type)
      #expect(try sound.add(Self.sound)?.bytes == Self.sound)
    }
    var other = SoundReader(Self.raw, type: "audio/pcm")
    #expect(try other.add(words + [0]) != nil)
  }

  @Test(arguments: [
    Array("ID3\u{3}mp3 mp3 mp3".utf8), Array("<!DOCTYPE html>".utf8), Array("{\"error\": \"no\"}".utf8),
    wav(format(channels: 2)), wav(format(3, bits: 32)), wav(chunk("junk", [], size: 1 << 30)),
    wav(format(rate: 0)),
  ]) func whatIsNoSound(_ input: [UInt8]) {
    var reader = SoundReader(Self.raw)
    #expect(throws: SoundReader.NoSound.self) { try reader.add(input) }
  }
}
