/// Turns the bytes of a speech service into frames: raw samples, or WAV, whatever way the network cut them. Pure.
///
/// Servers send WAV although raw samples were asked for, a new head with every piece, sizes that are placeholders, and
/// data after the sound.
public struct SoundReader: Sendable {
  /// What came is no sound that anybody here can play.
  public struct NoSound: Error, Sendable, Hashable {
    public var message: String
  }

  private enum Place: Sendable {
    /// Not enough is there to tell what it is.
    case start
    case raw
    /// Between the chunks of a WAV file.
    case chunks
    /// In the sound of a WAV file; so many bytes are left, `nil` when nobody knows.
    case sound(Int?)
    case over
  }

  /// A head longer than this is none.
  private static let maximumHead = 64 << 10

  private let raw: AudioFormat
  /// The server says that it is text.
  private let isCalledText: Bool
  private var format: AudioFormat
  private var place = Place.start
  private var bytes: [UInt8] = []

  /// - Parameters:
  ///   - format: What raw bytes are.
  ///   - type: The media type that came with them, if any. It alone is no proof: servers call sound `text/html`.
  public init(_ format: AudioFormat, type: String? = nil) {
    raw = format
    let type = type?.lowercased() ?? ""
    isCalledText = type.hasPrefix("text/") || type.hasPrefix("application/json")
    self.format = format
  }

  /// Takes bytes; returns the sound that is whole by now, `nil` when there is none.
  public mutating func add(_ piece: [UInt8]) throws(NoSound) -> AudioFrame? {
    bytes += piece
    var sound: [UInt8] = []
    while try step(&sound) {}
    return sound.isEmpty ? nil : AudioFrame(format, bytes: sound)
  }

  /// One step forward; `false` when more bytes are needed.
  private mutating func step(_ sound: inout [UInt8]) throws(NoSound) -> Bool {
    switch place {
    case .start:
      guard bytes.count >= 12 else { return false }
      try begin()
      return true
    case .chunks: return try readChunk()
    case .raw: return take(bytes.count, &sound)
    case .sound(nil):
      // Some servers put a head before every piece.
      if bytes.count >= 12, bytes.starts(with: "RIFF".utf8), bytes[8..<12].elementsEqual("WAVE".utf8) {
        place = .start
        return true
      }
      return take(bytes.count, &sound)
    case .sound(let left?):
      let before = sound.count
      let goesOn = take(min(left, bytes.count), &sound)
      let rest = left - (sound.count - before)
      place = rest < format.bytesPerSample ? .over : .sound(rest)
      return goesOn || rest < format.bytesPerSample
    case .over:
      bytes = []
      return false
    }
  }

  /// Whole samples of the first `count` bytes; half a one waits for its other half.
  private mutating func take(_ count: Int, _ sound: inout [UInt8]) -> Bool {
    let whole = count - count % format.bytesPerSample
    sound += bytes[..<whole]
    bytes.removeFirst(whole)
    return false
  }

  private mutating func begin() throws(NoSound) {
    if bytes.starts(with: "RIFF".utf8), bytes[8..<12].elementsEqual("WAVE".utf8) {
      bytes.removeFirst(12)
      place = .chunks
    } else if bytes.starts(with: "ID3".utf8) || bytes.starts(with: "OggS".utf8)
      || bytes.starts(with: "fLaC".utf8)
    {
      throw NoSound(message: "it sends compressed sound instead of PCM or WAV")
    } else if bytes.starts(with: "<!".utf8) || bytes.starts(with: "<htm".utf8)
      || bytes.starts(with: "{\"".utf8)
      || isCalledText && bytes.prefix(12).allSatisfy({ (32...126).contains($0) || (9...13).contains($0) })
    {
      throw NoSound(message: "it sends text instead of sound")
    } else {
      format = raw
      place = .raw
    }
  }

  private func number(_ at: Int, _ count: Int) -> Int {
    (0..<count).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
  }

  /// The head of the next chunk (and all of it when it is `fmt `).
  private mutating func readChunk() throws(NoSound) -> Bool {
    guard bytes.count >= 8 else { return false }
    let size = number(4, 4)
    if bytes.starts(with: "data".utf8) {
      // 0xFFFFFFFF, 0x7FFFFFFF and 0 are what streams write when they do not know.
      let isKnown = size > 0 && size < 0x7FFF_0000
      bytes.removeFirst(8)
      place = .sound(isKnown ? size : nil)
      return true
    }
    guard size <= SoundReader.maximumHead else { throw NoSound(message: "its WAV head makes no sense") }
    let length = 8 + size + size % 2
    guard bytes.count >= length else { return false }
    if bytes.starts(with: "fmt ".utf8) { try readFormat(size) }
    bytes.removeFirst(length)
    return true
  }

  private mutating func readFormat(_ size: Int) throws(NoSound) {
    guard size >= 16, number(10, 2) == 1 else { throw NoSound(message: "it sends more than one channel") }
    // 1 is PCM, 0xFFFE PCM with more words about it, 6 and 7 A-law and µ-law.
    let encoding: AudioFormat.Encoding? =
      switch (number(8, 2), number(22, 2)) {
      case (1, 16), (0xFFFE, 16): .linear16
      case (6, 8): .aLaw
      case (7, 8): .muLaw
      default: nil
      }
    let rate = number(12, 4)
    guard let encoding, (4000...192_000).contains(rate) else {
      throw NoSound(message: "its WAV is neither 16-bit PCM nor G.711")
    }
    format = AudioFormat(encoding, sampleRate: rate)
  }
}
