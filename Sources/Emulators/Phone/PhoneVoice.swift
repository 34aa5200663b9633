internal import Glibc
public import RouterCore

/// Words and files as samples, for somebody who rings up.
public struct PhoneVoice: Sendable {
  private let synthesizer: any SpeechSynthesizer
  private let name: String

  /// - Parameter name: The voice, as the synthesiser calls it.
  public init(_ synthesizer: any SpeechSynthesizer, name: String) {
    self.synthesizer = synthesizer
    self.name = name
  }

  /// Speaks. Throws what the synthesiser throws.
  public func samples(of text: String, sampleRate: Int) async throws -> [Int16] {
    var converter = PhoneConverter(sampleRate: sampleRate)
    var samples: [Int16] = []
    let request = SynthesisRequest(text: text, voice: name, preferredFormat: .linear16(sampleRate))
    for try await frame in synthesizer.speak(request) { samples += try converter.samples(frame) }
    return samples
  }

  /// Reads a WAV file. Throws ``EmulatorError``.
  public static func samples(ofFile path: String, sampleRate: Int) throws -> [Int16] {
    let file: WAVFile.Sound
    do throws(WAVFile.Failure) { file = try WAVFile.parse(try read(path)) } catch {
      throw EmulatorError("\(path): \(error.message)")
    }
    var converter = PhoneConverter(sampleRate: sampleRate)
    return try converter.samples(AudioFrame(samples: file.samples, sampleRate: file.sampleRate))
  }

  private static func read(_ path: String) throws(WAVFile.Failure) -> [UInt8] {
    func failure() -> WAVFile.Failure { WAVFile.Failure(message: String(cString: strerror(errno))) }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure() }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while bytes.count <= WAVFile.maximumBytes {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0 { throw failure() }
      if count == 0 { return bytes }
      bytes += chunk[..<count]
    }
    throw WAVFile.Failure(message: "longer than \(WAVFile.maximumBytes) bytes")
  }
}
