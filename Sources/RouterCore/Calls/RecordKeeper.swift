/// Saves the records of calls, with a few retries. A record that cannot be saved at all goes to the log.
struct RecordKeeper: Sendable {
  let store: (any CallStore)?
  let retries: Int
  let timebase: Timebase
  let metrics: Metrics

  /// How long after a failure it is tried again: this, then four times as long each time.
  static let firstPause = Duration.milliseconds(100)

  /// Returns when the record is saved or given up, also when the call's task is cancelled meanwhile.
  func save(_ record: CallRecord, log: Log) async {
    guard let store else { return }
    do {
      try await store.save(record)
    } catch {
      // The retries are a task of their own: the call's may have been cancelled, and the record is to be kept.
      await Task { await again(record, to: store, after: error, log: log) }.value
    }
  }

  private func again(
    _ record: CallRecord, to store: any CallStore, after first: any Error, log: Log
  ) async {
    var (error, pause) = (first, RecordKeeper.firstPause)
    for _ in 0..<retries {
      metrics.add("routerd_record_failures_total")
      log.warning("the call's record could not be saved yet", ("error", "\(error)"))
      do {
        try await timebase.sleep(pause)
        try await store.save(record)
        return
      } catch let next { error = next }
      pause *= 4
    }
    metrics.add("routerd_record_failures_total")
    log.error(
      "the call's record is lost", ("error", "\(error)"), ("from", record.from.uri), ("to", record.to.uri),
      ("end", record.end.reason.rawValue))
  }
}
