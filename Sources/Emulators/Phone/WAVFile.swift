internal import Glibc

/// Sound files of the simplest kind: RIFF/WAVE, 16-bit linear samples.
public enum WAVFile {
  /// Longest file that is read, in bytes: half an hour at 16 kHz.
  public static let maximumBytes = 64 << 20

  public struct Sound: Equatable {
    public var sampleRate: Int
    /// One channel: the first one of the file.
    public var samples: [Int16]
  }

  public struct Failure: Error, Equatable {
    public var message: String
  }

  /// Reads PCM with 16 bits a sample. Throws with the reason, in words that name what to do.
  public static func parse(_ bytes: [UInt8]) throws(Failure) -> Sound {
    func number(_ at: Int, _ count: Int) -> Int {
      (0..<count).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
    }
    func tag(_ at: Int) -> String { String(decoding: bytes[at..<at + 4], as: UTF8.self) }
    guard bytes.count >= 12, tag(0) == "RIFF", tag(8) == "WAVE" else {
      throw Failure(message: "no WAV file (RIFF/WAVE is missing at its beginning)")
    }
    var at = 12
    var format: (channels: Int, rate: Int)?
    while at + 8 <= bytes.count {
      let name = tag(at)
      let length = min(number(at + 4, 4), bytes.count - at - 8)
      at += 8
      if name == "fmt ", length >= 16 {
        // 0xFFFE is the extensible form: its samples are linear too when they have 16 bits.
        guard [1, 0xFFFE].contains(number(at, 2)), number(at + 14, 2) == 16, number(at + 2, 2) > 0 else {
          throw Failure(message: "only 16-bit linear samples are read: sox in.wav -b 16 -e signed out.wav")
        }
        format = (number(at + 2, 2), number(at + 4, 4))
      } else if name == "data" {
        guard let format else { throw Failure(message: "the file has no format before its data") }
        let stride = 2 * format.channels
        let samples = (0..<length / stride).map { Int16(truncatingIfNeeded: number(at + $0 * stride, 2)) }
        return Sound(sampleRate: format.rate, samples: samples)
      }
      at += length + length % 2  // chunks begin at even places
    }
    throw Failure(message: "the file has no data")
  }

  /// The beginning of a file with so many bytes of 16-bit samples.
  public static func header(sampleRate: Int, channels: Int, dataBytes: Int) -> [UInt8] {
    func number(_ value: Int, _ count: Int) -> [UInt8] {
      (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    let block = channels * 2
    return Array("RIFF".utf8) + number(36 + dataBytes, 4) + Array("WAVEfmt ".utf8) + number(16, 4)
      + number(1, 2) + number(channels, 2) + number(sampleRate, 4) + number(sampleRate * block, 4)
      + number(block, 2) + number(16, 2) + Array("data".utf8) + number(dataBytes, 4)
  }
}

/// Writes a stereo file while the call goes on: left the caller, right the agent.
public final class StereoRecorder: @unchecked Sendable {  // whoever records owns it alone
  private let descriptor: Int32
  private let sampleRate: Int
  private var dataBytes = 0

  /// Throws ``EmulatorError`` when the file cannot be made.
  public init(_ path: String, sampleRate: Int) throws(EmulatorError) {
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw EmulatorError("\(path): \(String(cString: strerror(errno)))") }
    self.sampleRate = sampleRate
    put(WAVFile.header(sampleRate: sampleRate, channels: 2, dataBytes: 0))
  }

  deinit { close(descriptor) }

  /// Adds samples, left and right in turn.
  public func append(_ samples: [Int16]) {
    samples.withUnsafeBytes { put(Array($0)) }
    dataBytes += samples.count * 2
  }

  /// Writes the sizes into the beginning.
  public func finish() {
    lseek(descriptor, 0, SEEK_SET)
    put(WAVFile.header(sampleRate: sampleRate, channels: 2, dataBytes: dataBytes))
  }

  private func put(_ bytes: [UInt8]) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes {
        write(descriptor, $0.baseAddress.map { $0 + done }, bytes.count - done)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }  // a full disk: the call is more important than its recording
      done += count
    }
  }
}
