internal import RouterCore

/// Says when the route files on disk have changed and are at rest: by watching their folders, and by looking at the
/// files themselves from time to time, since not every file system tells.
final class RouteWatch: Sendable {
  /// How often the files are looked at where all folders can be watched, and where they cannot.
  static let usualLook = Duration.seconds(30)
  static let anxiousLook = Duration.seconds(2)

  private let files: @Sendable () -> WatchedFiles
  private let isKnown: @Sendable (_ fingerprint: [String]) -> Bool
  private let log: Log

  /// - Parameters:
  ///   - files: What to watch; asked again and again.
  ///   - isKnown: Whether the files were read when they looked like this.
  init(
    _ files: @escaping @Sendable () -> WatchedFiles, isKnown: @escaping @Sendable ([String]) -> Bool, log: Log
  ) {
    self.files = files
    self.isKnown = isKnown
    self.log = log
  }

  /// An element for each change, until the reader stops. A thread of its own waits for them.
  func changes() -> AsyncStream<Void> {
    let (changes, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let isOver = Lock(false)
    continuation.onTermination = { _ in isOver.withLock { $0 = true } }
    detachThread { [self] in
      while !isOver.withLock({ $0 }) { watch(isOver) { continuation.yield() } }
    }
    return changes
  }

  private func watch(_ isOver: Lock<Bool>, _ report: () -> Void) {
    let watch = FolderWatch()
    var known: WatchedFiles?
    var isWatching = true
    var settling = Settling()
    var nextLook = ContinuousClock.now
    while !isOver.withLock({ $0 }) {
      let now = ContinuousClock.now
      let files = files()
      if files != known || settling.isDue(at: now) || now >= nextLook {
        // The watch first: what changes from here on is heard, what changed before is seen.
        let isComplete = watch?.watch(files.folders) ?? false
        if isComplete != isWatching { tell(isComplete) }
        (known, isWatching) = (files, isComplete)
        settling = Settling()
        nextLook = now + (isComplete ? RouteWatch.usualLook : RouteWatch.anxiousLook)
        if !isKnown(files.fingerprint) { report() }
      }
      let patience = min(settling.wait(at: now), nextLook - now, .seconds(1))
      if let watch {
        settling.hear(watch.wait(milliseconds: Int32(max(1, patience / .milliseconds(1)))), at: .now)
      } else {
        pause(patience)
      }
    }
  }

  private func tell(_ isComplete: Bool) {
    if isComplete {
      log.notice("the folders of the route files are watched again")
    } else {
      log.warning(
        "not all folders of the route files can be watched (see fs.inotify in sysctl(8)); the files are compared "
          + "every \(RouteWatch.anxiousLook.components.seconds) seconds")
    }
  }
}

/// Decides when changed files may be read: a moment after the last change, and not while somebody writes. What never
/// comes to rest is read all the same.
struct Settling {
  static let quiet = Duration.milliseconds(250)
  /// Longest wait for changes that do not stop, and for a file that is being written.
  static let patience = Duration.seconds(2)
  static let patienceWithWriters = Duration.seconds(10)

  private var first: ContinuousClock.Instant?
  private var last: ContinuousClock.Instant?
  private var writing: Set<String> = []

  mutating func hear(_ news: FolderWatch.News, at now: ContinuousClock.Instant) {
    guard news.isChange else { return }
    first = first ?? now
    last = now
    writing.subtract(news.done)
    writing.formUnion(news.begun)
  }

  /// Whether there were changes and it is time to look at them.
  func isDue(at now: ContinuousClock.Instant) -> Bool { first != nil && wait(at: now) == .zero }

  /// How long to wait at least; an hour when there was no change.
  func wait(at now: ContinuousClock.Instant) -> Duration {
    guard let first, let last else { return .seconds(3600) }
    let end = first + (writing.isEmpty ? Settling.patience : Settling.patienceWithWriters)
    return max(.zero, min(end, writing.isEmpty ? last + Settling.quiet : end) - now)
  }
}
