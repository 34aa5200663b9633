/// Saves the records of calls: no call waits for the disk, and what comes meanwhile is written together. A few retries;
/// a record that cannot be saved at all goes to the log.
final class RecordKeeper: Sendable {
  /// A record on its way to the store.
  private struct Waiting: Sendable {
    let record: CallRecord
    let log: Log
    /// Called once, when the record is saved or given up.
    let done: @Sendable () -> Void
  }

  private struct Queue {
    var waiting: [Waiting] = []
    /// Whether a task is saving; it takes what comes meanwhile.
    var isSaving = false
  }

  /// How long after a failure it is tried again: this, then four times as long each time.
  static let firstPause = Duration.milliseconds(100)
  /// Records that may wait for a store; one more is lost, and the log says so.
  static let maximumWaiting = 10_000
  /// Records that the store gets at once.
  static let batch = 512

  private let store: (any CallStore)?
  private let retries: Int
  private let timebase: Timebase
  private let metrics: Metrics
  private let queue = Lock(Queue())

  init(store: (any CallStore)?, retries: Int, timebase: Timebase, metrics: Metrics) {
    self.store = store
    self.retries = retries
    self.timebase = timebase
    self.metrics = metrics
  }

  /// Takes a record; any thread. `done` is called once, on any thread, when it is saved or given up.
  func keep(_ record: CallRecord, log: Log, _ done: @escaping @Sendable () -> Void) {
    guard let store else { return done() }
    let waiting = Waiting(record: record, log: log, done: done)
    let (fits, mustStart) = queue.withLock { queue in
      guard queue.waiting.count < RecordKeeper.maximumWaiting else { return (false, false) }
      queue.waiting.append(waiting)
      defer { queue.isSaving = true }
      return (true, !queue.isSaving)
    }
    if !fits { return lose(waiting, "more than \(RecordKeeper.maximumWaiting) records wait for the store") }
    if mustStart { Task { await save(to: store) } }
  }

  /// Saves until nothing waits.
  private func save(to store: any CallStore) async {
    while let batch = next() {
      do {
        if batch.count == 1 {
          try await store.save(batch[0].record)
        } else {
          try await store.save(batch.map(\.record))
        }
        for waiting in batch { waiting.done() }
      } catch {
        // Tasks of their own: the next records are not held up by these.
        for waiting in batch {
          Task { await again(waiting, to: store, after: error, isAlone: batch.count == 1) }
        }
      }
    }
  }

  private func next() -> [Waiting]? {
    queue.withLock { queue in
      let batch = Array(queue.waiting.prefix(RecordKeeper.batch))
      queue.waiting.removeFirst(batch.count)
      queue.isSaving = !batch.isEmpty
      return batch.isEmpty ? nil : batch
    }
  }

  /// - Parameter isAlone: The failure was this record's; else it may be a neighbour's, and this one is tried at once.
  private func again(
    _ waiting: Waiting, to store: any CallStore, after first: any Error, isAlone: Bool
  ) async {
    var (error, pause) = (first, RecordKeeper.firstPause)
    if !isAlone {
      do {
        try await store.save(waiting.record)
        return waiting.done()
      } catch let own { error = own }
    }
    for _ in 0..<retries {
      metrics.add("routerd_record_failures_total")
      waiting.log.warning("the call's record could not be saved yet", ("error", "\(error)"))
      do {
        try await timebase.sleep(pause)
        try await store.save(waiting.record)
        return waiting.done()
      } catch let next { error = next }
      pause *= 4
    }
    lose(waiting, "\(error)")
  }

  private func lose(_ waiting: Waiting, _ why: String) {
    let record = waiting.record
    metrics.add("routerd_record_failures_total")
    waiting.log.error(
      "the call's record is lost", ("error", why), ("from", record.from.uri), ("to", record.to.uri),
      ("end", record.end.reason.rawValue))
    waiting.done()
  }
}
