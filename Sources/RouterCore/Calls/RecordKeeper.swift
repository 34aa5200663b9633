/// Saves the records of calls, with a few retries. A record that cannot be saved at all goes to the log.
struct RecordKeeper: Sendable {
  let store: (any CallStore)?
  let retries: Int
  let timebase: Timebase
  let metrics: Metrics

  /// How long after a failure it is tried again: this, then four times as long each time.
  static let firstPause = Duration.milliseconds(100)

  func save(_ record: CallRecord, log: Log) async {
    guard let store else { return }
    var pause = RecordKeeper.firstPause
    for attempt in 0...retries {
      do {
        try await store.save(record)
        return
      } catch {
        metrics.add("routerd_record_failures_total")
        guard attempt < retries else {
          log.error(
            "the call's record is lost", ("error", "\(error)"), ("from", record.from.uri),
            ("to", record.to.uri), ("end", record.end.reason.rawValue))
          return
        }
        log.warning("the call's record could not be saved yet", ("error", "\(error)"))
        // Cancelled while waiting: then try again at once.
        try? await timebase.sleep(pause)
        pause *= 4
      }
    }
  }
}
