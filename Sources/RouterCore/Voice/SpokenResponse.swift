/// Sound that a speech service sends over HTTP, as the frames that a ``SpeechSynthesizer`` gives. Asked for again while
/// none of it has come.
public struct SpokenResponse: Sendable {
  /// Milliseconds to the first sound, tries included, and to each next piece.
  public var firstSound = Duration.seconds(8)
  public var idle = Duration.seconds(8)
  public var retries = 1
  /// Characters of one request; longer texts become several.
  public var maximumCharacters: Int
  /// What raw bytes are.
  public var format: AudioFormat
  private let open: @Sendable (String) async throws(BackendFailure) -> HTTPStream
  private let backend: HTTPBackend

  /// A piece of text that is longer is not spoken to its end.
  private static let maximumText = 16_384

  /// - Parameter open: Sends the request for a piece of text.
  public init(
    _ backend: HTTPBackend, format: AudioFormat, maximumCharacters: Int,
    _ open: @escaping @Sendable (String) async throws(BackendFailure) -> HTTPStream
  ) {
    self.backend = backend
    self.format = format
    self.maximumCharacters = maximumCharacters
    self.open = open
  }

  /// The sound of a text; nothing for one without letters and numbers.
  public func frames(_ text: String) -> AsyncThrowingStream<AudioFrame, any Error> {
    // Unbounded, but no longer than the text.
    AsyncThrowingStream { continuation in
      let task = Task {
        do {
          for piece in pieces(text) { try await speak(piece) { continuation.yield($0) } }
          continuation.finish()
        } catch let failure as BackendFailure {
          continuation.finish(throwing: failure.failure)
        } catch {
          continuation.finish(throwing: error)
        }
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }

  /// Those parts of it that can be heard.
  private func pieces(_ text: String) -> [String] {
    let text = text.prefix(SpokenResponse.maximumText)
    var rest = text[...]
    var pieces: [String] = []
    while !rest.isEmpty {
      var piece = rest.prefix(maximumCharacters)
      if piece.count < rest.count, let space = piece.lastIndex(where: \.isWhitespace),
        space > piece.startIndex
      {
        piece = piece[...space]
      }
      pieces.append(String(piece))
      rest = rest[piece.endIndex...]
    }
    return pieces.filter { $0.contains { $0.isLetter || $0.isNumber } }
  }

  private struct Begun: Sendable {
    var body: HTTPBody
    var reader: SoundReader
    var first: AudioFrame?
  }

  private func speak(_ text: String, _ give: (AudioFrame) -> Void) async throws(BackendFailure) {
    var begun = try await BackendFailure.retrying(retries, within: firstSound) {
      (left) async throws(BackendFailure) in try await self.begin(text, within: left)
    }
    var converter: AudioConverter?
    var frame = begun.first
    while let sound = frame {
      if let usual = SpokenResponse.usual(sound.format) {
        if converter?.from != sound.format { converter = AudioConverter(from: sound.format, to: usual) }
        if let converted = converter?.convert(sound), !converted.bytes.isEmpty { give(converted) }
      } else {
        give(sound)
      }
      frame = try await next(&begun, within: idle)
    }
  }

  /// The usual format in the place of one that is not; `nil` when it is usual.
  private static func usual(_ format: AudioFormat) -> AudioFormat? {
    [8000, 16000, 24000, 48000].contains(format.sampleRate) ? nil : .linear16(16000)
  }

  private func begin(_ text: String, within limit: Duration) async throws(BackendFailure) -> Begun {
    let deadline = ContinuousClock.now + limit
    let stream = try await open(text)
    var begun = Begun(body: stream.body, reader: SoundReader(format, type: stream.header("content-type")))
    begun.first = try await next(&begun, within: deadline - ContinuousClock.now)
    guard begun.first != nil else {
      throw BackendFailure(
        VoiceFailure(.protocolError, "the speech service gave no sound"), isTransient: true)
    }
    return begun
  }

  /// The next sound; `nil` at its end.
  private func next(_ begun: inout Begun, within limit: Duration) async throws(BackendFailure) -> AudioFrame?
  {
    while true {
      let bytes: [UInt8]?
      do { bytes = try await begun.body.next(within: limit) } catch { throw backend.failure(error) }
      guard let bytes else { return nil }
      do {
        if let frame = try begun.reader.add(bytes) { return frame }
      } catch {
        throw BackendFailure(
          VoiceFailure(.protocolError, "the speech service is of no use: \(error.message)"))
      }
    }
  }
}
