/// Where the agent's sound comes in: converted to what the wire carries, on the thread of whoever says it, and queued.
final class PlayoutInput: Sendable {
  private let mailbox: Lock<MediaMailbox>
  private let producer = Lock(Producer())

  /// Conversion of what is being said.
  private struct Producer {
    var converter: AudioConverter?
    var turn: TurnID?
    var converted: [UInt8] = []
  }

  init(_ mailbox: Lock<MediaMailbox>) { self.mailbox = mailbox }

  func play(_ audio: AudioFrame, turn: TurnID) {
    let isDone = mailbox.withLock { mailbox in
      if mailbox.isClosed || !mailbox.playout.accepts(turn) { return true }
      guard audio.format == mailbox.playout.format else { return false }
      audio.bytes.withUnsafeBytes { mailbox.playout.append($0, turn: turn) }
      return true
    }
    if !isDone { producer.withLock { convert(audio, turn, &$0) } }
  }

  private func convert(_ audio: AudioFrame, _ turn: TurnID, _ producer: inout Producer) {
    // Converted outside of the mailbox's lock; when the codec changed meanwhile, once more.
    for _ in 0..<3 {
      let wanted = mailbox.withLock { $0.playout.format }
      if producer.turn != turn || producer.converter?.from != audio.format || producer.converter?.to != wanted
      {
        producer.converter = AudioConverter(from: audio.format, to: wanted)
        producer.turn = turn
      }
      producer.converted.removeAll(keepingCapacity: true)
      audio.bytes.withUnsafeBytes { producer.converter?.convert($0, into: &producer.converted) }
      let isQueued = mailbox.withLock { mailbox in
        guard mailbox.playout.format == wanted else { return false }
        producer.converted.withUnsafeBytes { mailbox.playout.append($0, turn: turn) }
        return true
      }
      if isQueued { return }
    }
  }

  func endTurn(_ turn: TurnID) {
    producer.withLock { producer in
      // The filter still holds the last millisecond or two: a little silence drives it out.
      if producer.turn == turn, let converter = producer.converter,
        converter.from.sampleRate != converter.to.sampleRate
      {
        let silence = AudioFrame(
          converter.from,
          bytes: Array(repeating: converter.from.silence, count: converter.from.frameBytes / 4 & ~1))
        convert(silence, turn, &producer)
      }
      mailbox.withLock { $0.playout.end(turn) }
    }
  }
}
