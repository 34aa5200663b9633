internal import FoundationEssentials
internal import RouterCore

/// The routes that calls are routed by, where they come from, and how they change.
final class RoutesInForce: Sendable {
  /// What came of a reload.
  struct Reload: Sendable {
    var date: Date
    /// The version that is in force afterwards.
    var version: String
    /// Why the old one stayed; empty when the new one is in force.
    var errors = DiagnosticList()
    var isAccepted: Bool { !errors.hasErrors }
  }

  /// `nil` for the table that routerd comes with.
  let directory: String?
  let router: Router
  private let state: Lock<State>

  private struct State {
    var loadedAt: Date
    var lastReload: Reload?
    var isReloading = false
    /// How the files looked when they were last compared with what is in force, and what came of it.
    var compared: (fingerprint: [String], version: String, answer: Comparison)?
  }

  static let usualDirectory = "routes"

  /// Reads the routes at start. Throws everything that is wrong with them.
  init(directory: String?) throws(DiagnosticList) {
    self.directory = RoutesInForce.place(directory)
    router = Router(try RoutesInForce.load(self.directory))
    state = Lock(State(loadedAt: Date()))
  }

  /// Where routes come from: what was asked for, the usual directory if it is there, or (`nil`) the built-in table.
  static func place(_ directory: String?) -> String? {
    directory ?? (Files.exists(usualDirectory) ? usualDirectory : nil)
  }

  /// Reads a directory, or the built-in table.
  static func load(_ directory: String?) throws(DiagnosticList) -> RouteSnapshot {
    let loaded = directory.map { RouteTableLoader.load(directory: $0) } ?? RouteTableLoader.load(.embedded)
    return try loaded.get()
  }

  var snapshot: RouteSnapshot { router.snapshot }
  var loadedAt: Date { state.withLock { $0.loadedAt } }
  var lastReload: Reload? { state.withLock { $0.lastReload } }

  /// Reads the routes anew. Wrong ones change nothing. When one is
  /// under way already, the second does nothing but say so.
  func reload() async -> Reload {
    let isFirst = state.withLock { state in
      defer { state.isReloading = true }
      return !state.isReloading
    }
    guard isFirst else {
      return Reload(
        date: Date(), version: snapshot.version,
        errors: DiagnosticList([Diagnostic(.error, "a reload is under way")]))
    }
    let result = await loadAside()
    var reload = Reload(date: Date(), version: "")
    switch result {
    case .success(let snapshot): router.swap(snapshot)
    case .failure(let errors): reload.errors = errors
    }
    reload.version = snapshot.version
    state.withLock { [reload] state in
      state.lastReload = reload
      state.isReloading = false
      if reload.isAccepted { state.loadedAt = reload.date }
    }
    return reload
  }

  /// The files on disk beside the routes in force.
  struct Comparison: Sendable {
    var isSame: Bool
    /// What keeps the files from being loaded.
    var errors = DiagnosticList()
  }

  /// Whether the files on disk are what is in force. Loads them to find out, when any of them changed since the last
  /// time.
  func comparedWithDisk() async -> Comparison {
    let fingerprint = directory.map(Files.fingerprint) ?? []
    let version = snapshot.version
    let known = state.withLock { $0.compared }
    if let known, known.fingerprint == fingerprint, known.version == version { return known.answer }
    let answer =
      switch await loadAside() {
      case .success(let onDisk): Comparison(isSame: onDisk.version == version)
      case .failure(let errors): Comparison(isSame: false, errors: errors)
      }
    state.withLock { $0.compared = (fingerprint, version, answer) }
    return answer
  }

  /// Loads what is on disk, off to the side and on a thread of its own: a large table takes seconds.
  func loadAside() async -> Result<RouteSnapshot, DiagnosticList> {
    let loaded = OneShot<Result<RouteSnapshot, DiagnosticList>>()
    detachThread { [directory] in
      do throws(DiagnosticList) { loaded.resolve(.success(try RoutesInForce.load(directory))) } catch {
        loaded.resolve(.failure(error))
      }
    }
    return await loaded.value(cancelled: .failure(DiagnosticList([Diagnostic(.error, "interrupted")])))
  }
}
