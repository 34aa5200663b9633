/// A leg that never waits: what it is told to do is begun at once, and what happens is told at once.
///
/// For a channel whose calls live on an event loop. The call then lives on the same loop, from its first sign to its
/// record, without a task or a change of threads. Every method is called on ``CallLeg/executor``, and like those of
/// ``CallLeg`` at any time and after the end: what no longer makes sense does nothing.
public protocol InlineLeg: CallLeg {
  /// From now on `sink` takes the events in the place of ``CallLeg/events``, also those that happened before; `nil` is
  /// the end of them. It may be called from any thread, one event after the other.
  func report(to sink: @escaping @Sendable (LegEvent?) -> Void)
  /// ``CallLeg/ring()``.
  func ringInline()
  /// ``CallLeg/answer(_:)``; `done` is called once, on ``CallLeg/executor``, also before this returns.
  func answerInline(
    _ options: AnswerOptions, _ done: @escaping @Sendable (Result<any CallMedia, LegError>) -> Void)
  /// ``CallLeg/reject(_:headers:)``.
  func rejectInline(_ end: CallEnd, headers: [Header])
  /// ``CallLeg/hangUp(_:)``.
  func hangUpInline(_ end: CallEnd)
}

/// What a leg reports, for its one reader: a stream for whoever waits, or a function for whoever is told.
///
/// Any thread. Events that nobody took yet are kept, the newest of them.
public final class LegEvents: Sendable {
  private enum Reader {
    case none(kept: [LegEvent], isFinished: Bool)
    case stream(AsyncStream<LegEvent>.Continuation)
    case sink(@Sendable (LegEvent?) -> Void)
    case gone
  }

  /// How many events may wait for a reader; when a peer floods us with keys, the oldest go.
  public static let limit = 256

  private let reader = Lock(Reader.none(kept: [], isFinished: false))

  public init() {}

  /// Tells the reader. After ``finish()`` it does nothing.
  public func yield(_ event: LegEvent) {
    let sink = reader.withLock { reader -> (@Sendable (LegEvent?) -> Void)? in
      switch reader {
      case .none(var kept, false):
        if kept.count == LegEvents.limit { kept.removeFirst() }
        kept.append(event)
        reader = .none(kept: kept, isFinished: false)
      case .stream(let continuation): continuation.yield(event)
      case .sink(let sink): return sink
      case .none(_, true), .gone: break
      }
      return nil
    }
    sink?(event)
  }

  /// Nothing follows.
  public func finish() {
    let sink = reader.withLock { reader -> (@Sendable (LegEvent?) -> Void)? in
      switch reader {
      case .none(let kept, _): reader = .none(kept: kept, isFinished: true)
      case .stream(let continuation):
        reader = .gone
        continuation.finish()
      case .sink(let sink):
        reader = .gone
        return sink
      case .gone: break
      }
      return nil
    }
    sink?(nil)
  }

  /// The events as ``CallLeg/events`` has them. The first reader has them all.
  public var stream: AsyncStream<LegEvent> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: LegEvent.self, bufferingPolicy: .bufferingNewest(LegEvents.limit))
    reader.withLock { reader in
      guard case .none(let kept, let isFinished) = reader else { return continuation.finish() }
      for event in kept { continuation.yield(event) }
      if isFinished { continuation.finish() }
      reader = isFinished ? .gone : .stream(continuation)
    }
    return stream
  }

  /// The events as ``InlineLeg/report(to:)`` has them.
  public func deliver(to sink: @escaping @Sendable (LegEvent?) -> Void) {
    let (kept, isFinished) = reader.withLock { reader -> ([LegEvent], Bool) in
      guard case .none(let kept, let isFinished) = reader else { return ([], true) }
      reader = isFinished ? .gone : .sink(sink)
      return (kept, isFinished)
    }
    for event in kept { sink(event) }
    if isFinished { sink(nil) }
  }
}
