public import RouterCore

/// The sound of a test call: hears, speaks and records in steps of 20 ms, on the call's loop.
public struct PhoneSound {
  /// Samples a second of everything here.
  public let sampleRate: Int
  /// What is to be spoken, and how far it was.
  private var speech: [Int16] = []
  private var spoken = 0
  /// Recorded samples, left and right in turn, that were not taken yet.
  private var recorded: [Int16] = []
  private let isRecording: Bool

  /// Silent so far.
  public init(sampleRate: Int, isRecording: Bool) {
    self.sampleRate = sampleRate
    self.isRecording = isRecording
  }

  /// Whether something is being spoken.
  public var isSpeaking: Bool { spoken < speech.count }

  /// Speaks; what was being spoken is over.
  public mutating func speak(_ samples: [Int16]) {
    speech = samples
    spoken = 0
  }

  /// One step: what was heard comes in, what is to be sent goes out; `nil` is silence.
  public mutating func step(_ heard: [Int16]) -> [Int16]? {
    var sent: [Int16]?
    if isSpeaking {
      let end = min(speech.count, spoken + heard.count)
      sent = Array(speech[spoken..<end]) + Array(repeating: 0, count: heard.count - (end - spoken))
      spoken = end
    }
    if isRecording {
      for index in heard.indices {
        recorded.append(sent?[index] ?? 0)
        recorded.append(heard[index])
      }
    }
    return sent
  }

  /// What was recorded since the last time.
  public mutating func takeRecorded() -> [Int16] {
    defer { recorded.removeAll(keepingCapacity: true) }
    return recorded
  }
}

/// Frames of any format as samples of one rate.
public struct PhoneConverter {
  public let sampleRate: Int
  private var converter: AudioConverter?

  /// Converts to this rate.
  public init(sampleRate: Int) { self.sampleRate = sampleRate }

  /// Throws for a rate that is no audio's.
  public mutating func samples(_ frame: AudioFrame) throws -> [Int16] {
    if converter?.from != frame.format {
      converter = AudioConverter(from: frame.format, to: .linear16(sampleRate))
    }
    guard let converted = converter?.convert(frame) else {
      throw EmulatorError("sound of \(frame.format.sampleRate) Hz cannot be converted")
    }
    return converted.withSamples { Array($0) }
  }
}
