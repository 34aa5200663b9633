/// The caller's sound as somebody wants to hear it: converted, in a frame whose storage is used again.
struct HeardFrame {
  private var converter: AudioConverter?
  private var frame: AudioFrame?

  /// Gives 20 ms to a listener, inline.
  mutating func give(
    _ bytes: UnsafeRawBufferPointer, _ format: AudioFormat, to listener: MediaMailbox.Listener
  ) {
    if frame?.format != listener.format { frame = AudioFrame(listener.format, bytes: []) }
    if format == listener.format {
      // In place when nobody kept the last frame, else in new storage.
      if frame?.bytes.count == bytes.count {
        frame?.bytes.withUnsafeMutableBytes { $0.copyMemory(from: bytes) }
      } else {
        frame?.bytes = Array(bytes)
      }
    } else {
      if converter?.from != format || converter?.to != listener.format {
        converter = AudioConverter(from: format, to: listener.format)
      }
      frame?.bytes.removeAll(keepingCapacity: true)
      guard var taken = frame.take() else { return }
      converter?.convert(bytes, into: &taken.bytes)
      frame = taken
    }
    if let frame { listener.sink(frame) }
  }
}
