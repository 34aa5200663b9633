internal import FoundationEssentials
internal import RouterCore

/// The routes that calls are routed by, where they come from, and how they change.
///
/// Whatever changes them (a signal, the command line, the disk, a rollback) waits for its turn and does the same:
/// read, check, compile and test off to the side, then exchange the router's snapshot in one step.
final class RoutesInForce: Sendable {
  /// What came of an attempt to change them.
  struct Change: Sendable {
    var date = Date()
    var reason: String
    /// The versions that were in force before and are afterwards.
    var from = ""
    var version = ""
    /// Why the old one stayed; empty when the new one is in force.
    var errors = DiagnosticList()
    /// What a person should look at, though the table is in force.
    var warnings = DiagnosticList()
    /// How long it took to read and compile.
    var seconds = 0.0
    /// Why it could not be kept for a rollback.
    var notKept: String?
    /// The longest that an event loop was late meanwhile, in milliseconds.
    var longestDelay = 0.0
    var isAccepted: Bool { !errors.hasErrors }
    var isSame: Bool { isAccepted && from == version }
  }

  /// What the routes in force stand on.
  enum Footing: Sendable, Equatable {
    /// The files on disk, as they were when they were read.
    case files
    /// A rollback: the files, which had this content, are passed over until they change.
    case rollback(replacing: String)
    /// The last good version, because the files were wrong when routerd started.
    case lastGood
  }

  /// `nil` for the table that routerd comes with.
  let directory: String?
  let router: Router
  /// `nil` when none are kept.
  let versions: RouteVersions?
  let state: Lock<State>
  let turn = Turn()

  struct State {
    var loadedAt = Date()
    var footing = Footing.files
    var lastChange: Change?
    /// The files that are watched, and how they looked when they were last tried.
    var watched: WatchedFiles?
    var tried: [String] = []
    /// How the files looked when they were last read for whatever reason, what they are, and what is wrong with them.
    var seen: (fingerprint: [String], version: String?, errors: DiagnosticList)?
    /// A reload that has not begun to read.
    var waiting: Task<Change, Never>?
  }

  static let usualDirectory = "routes"

  /// Reads the routes at start. Throws everything that is wrong with them, unless there is a last good version.
  init(directory: String?, versions: RouteVersions? = nil) throws(DiagnosticList) {
    self.directory = RoutesInForce.place(directory)
    self.versions = self.directory == nil ? nil : versions
    let reading = RouteReading.disk(self.directory)
    var state = State()
    state.watched = reading.watched
    state.tried = reading.fingerprint
    state.note(reading)
    var change = Change(reason: "start")
    let last = self.versions?.entries.first
    let start: RouteReading
    if let last, let replacing = last.replacing, replacing == reading.version,
      let kept = RoutesInForce.kept(last.version, self.versions, self.directory)
    {
      state.footing = .rollback(replacing: replacing)
      start = kept
    } else if case .failure(let errors) = reading.result {
      guard let last, let kept = RoutesInForce.kept(last.version, self.versions, self.directory) else {
        throw errors
      }
      state.footing = .lastGood
      change.errors = errors
      start = kept
    } else {
      start = reading
    }
    router = Router(try start.result.get())
    change.version = router.snapshot.version
    change.warnings = router.snapshot.warnings
    if let content = start.content, state.footing == .files {
      change.notKept = RoutesInForce.keep(content, change, self.versions)
    }
    state.lastChange = change
    self.state = Lock(state)
  }

  /// Where routes come from: what was asked for, the usual directory if it is there, or (`nil`) the built-in table.
  static func place(_ directory: String?) -> String? {
    directory ?? (Files.exists(usualDirectory) ? usualDirectory : nil)
  }

  var snapshot: RouteSnapshot { router.snapshot }
  var loadedAt: Date { state.withLock { $0.loadedAt } }
  var footing: Footing { state.withLock { $0.footing } }
  var lastChange: Change? { state.withLock { $0.lastChange } }

  // MARK: Changing

  /// Reads the routes anew. Wrong ones change nothing. When one waits for its turn already, this is the same one.
  func reload(because reason: String) async -> Change {
    let task = state.withLock { state in
      if let waiting = state.waiting { return waiting }
      let task = Task { await reloadInTurn(because: reason) }
      state.waiting = task
      return task
    }
    return await task.value
  }

  private func reloadInTurn(because reason: String) async -> Change {
    await turn.wait { [self] in
      state.withLock { $0.waiting = nil }
      return await put(await read(), in: Change(reason: reason), isAsked: true)
    }
  }

  /// The same when the files look otherwise than when they were last tried; `nil` when they do not. While a rollback
  /// holds, files with the content that it took back stay passed over.
  func reloadIfChanged(because reason: String) async -> Change? {
    await turn.wait { [self] in
      let (watched, tried) = state.withLock { ($0.watched, $0.tried) }
      let isChanged = await onThread { watched?.fingerprint != tried }
      guard isChanged else { return nil }
      return await put(await read(), in: Change(reason: reason), isAsked: false)
    }
  }

  /// Reads what is on disk, off to the side and behind calls: a large table takes seconds.
  func read() async -> RouteReading {
    let started = ContinuousClock.now
    var reading = await onThread(isPatient: true) { [directory] in RouteReading.disk(directory) }
    reading.seconds = (ContinuousClock.now - started) / .seconds(1)
    state.withLock { [reading] in $0.note(reading) }
    return reading
  }

  /// Puts what was read in force, if it is sound.
  private func put(_ reading: RouteReading, in change: Change, isAsked: Bool) async -> Change {
    var change = change
    change.from = snapshot.version
    change.seconds = reading.seconds
    var reading = reading
    if !isAsked, case .rollback(let replacing) = footing, reading.version == replacing {
      // Only what the files refer to has changed: the version that was gone back to gets it, too.
      let kept = await onThread(isPatient: true) { [version = change.from, versions, directory] in
        RoutesInForce.kept(version, versions, directory)
      }
      if let kept { (reading.result, reading.content) = (kept.result, nil) }
    }
    if case .success(let new) = reading.result, new.routeCount == 0, snapshot.routeCount > 0 {
      // Files that were moved away are no wish to refuse every call.
      reading.result = .failure(RoutesInForce.noRoutes)
    }
    switch reading.result {
    case .success(let snapshot):
      router.swap(snapshot)
      change.warnings = snapshot.warnings
      if let content = reading.content {
        let isSame = change.from == snapshot.version && footing == .files
        change.notKept = await onThread(isPatient: true) { [change, versions] in
          // What was in force already came when it came, and how.
          if isSame, versions?.entries.first?.version == change.from { return nil }
          return RoutesInForce.keep(content, change, versions)
        }
      }
    case .failure(let errors):
      change.errors = errors
    }
    change.version = snapshot.version
    state.withLock { [change, reading] state in
      state.watched = reading.watched ?? state.watched
      state.tried = reading.fingerprint
      state.lastChange = change
      guard change.isAccepted else { return }
      if !change.isSame { state.loadedAt = change.date }
      if reading.content != nil { state.footing = .files }
    }
    await releaseUnused()
    return change
  }

  private static let noRoutes = DiagnosticList([
    Diagnostic(
      .error, "there is no route any more",
      hint: "bring the route files back; to refuse every call, write a route that does: {reject: 480}")
  ])

  /// Lets go of tables that no call needs any more. To free a large one takes long enough to be behind calls.
  func releaseUnused() async {
    _ = await onThread(isPatient: true) { [router] in router.releaseUnused() }
  }

  static func kept(
    _ version: String, _ versions: RouteVersions?, _ directory: String?
  ) -> RouteReading? {
    guard let versions, let directory,
      // A version that is damaged or gone cannot help; the files are read in its place.
      let content = try? versions.content(of: version, root: RouteReading.root(of: directory))
    else { return nil }
    let reading = RouteReading.kept(content, in: directory)
    if case .failure = reading.result { return nil }
    return reading
  }

  /// Keeps a version; says why it could not.
  static func keep(
    _ content: RouteContent, _ change: Change, _ versions: RouteVersions?, replacing: String? = nil
  ) -> String? {
    do throws(ControlFailure) {
      try versions?.keep(content, reason: change.reason, date: change.date, replacing: replacing)
      return nil
    } catch {
      return error.message
    }
  }

  // MARK: Comparing

  /// What is watched, for the next change.
  var watched: WatchedFiles? { state.withLock { $0.watched } }

  /// Whether the files were tried when they looked like this.
  func isTried(_ fingerprint: [String]) -> Bool { state.withLock { $0.tried == fingerprint } }

  /// The files on disk beside the routes in force.
  struct Comparison: Sendable {
    var isSame: Bool
    /// What keeps the files from being loaded.
    var errors = DiagnosticList()
  }

  /// Whether the files on disk are what is in force. Loads them to find out, when any of them changed since the last
  /// time.
  func comparedWithDisk() async -> Comparison {
    guard let watched else { return Comparison(isSame: true) }
    let fingerprint = await onThread { watched.fingerprint }
    if state.withLock({ $0.seen?.fingerprint }) != fingerprint { _ = await read() }
    let seen = state.withLock { $0.seen }
    let errors = seen?.errors ?? DiagnosticList()
    return Comparison(isSame: errors.isEmpty && seen?.version == snapshot.version, errors: errors)
  }
}

extension RoutesInForce.State {
  /// Notes what the files are.
  fileprivate mutating func note(_ reading: RouteReading) {
    var errors = DiagnosticList()
    if case .failure(let found) = reading.result { errors = found }
    seen = (reading.fingerprint, reading.version, errors)
  }
}
