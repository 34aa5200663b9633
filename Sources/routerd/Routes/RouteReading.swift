internal import RouterCore

/// One reading of the route files: what was read, what it refers to, and what came of it.
struct RouteReading: Sendable {
  var result: Result<RouteSnapshot, DiagnosticList>
  /// What was read; `nil` for the built-in table, and when there is no directory.
  var content: RouteContent?
  /// What to watch from now on, and how it looked before it was read.
  var watched: WatchedFiles?
  var fingerprint: [String] = []
  /// How long it took.
  var seconds = 0.0

  /// What the files are, right or wrong; `nil` when there are none.
  var version: String? {
    if case .success(let snapshot) = result { return snapshot.version }
    return content?.version
  }

  /// Where paths in the files of a directory begin.
  static func root(of directory: String) -> String {
    // A directory that is not there is where it would be.
    (try? RouteDirectory(directory))?.root ?? directory
  }

  /// Reads a directory, or (`nil`) the built-in table.
  static func disk(_ directory: String?) -> RouteReading {
    guard let directory else {
      return RouteReading(result: RouteTableLoader.load(.embedded, types: .ofPlugins))
    }
    var watched = WatchedFiles(directory: directory)
    let before = watched.fingerprint
    do throws(DiagnosticList) {
      let source = try RouteSource.directory(directory)
      var reading = read(source, runsTests: true)
      // What could be read of it is not what the files are.
      if !source.faults.isEmpty { reading.content = nil }
      watched.references = reading.watched?.references ?? []
      watched.patterns = reading.watched?.patterns ?? []
      reading.watched = watched
      reading.fingerprint = watched.fingerprint
      // Files that changed while they were read must not count as read.
      if !reading.fingerprint.starts(with: before) { reading.fingerprint = [] }
      return reading
    } catch {
      return RouteReading(result: .failure(error), watched: watched, fingerprint: before)
    }
  }

  /// Reads a table that was kept; secrets are those of today.
  static func kept(_ content: RouteContent, in directory: String) -> RouteReading {
    var source = RouteSource(root: content.root, files: content.files).reading(in: content.root)
    source.read = { path in
      guard let bytes = content.lists[path] else { throw RouteSource.ReadFailure("it was not kept") }
      return bytes
    }
    source.find = { pattern in
      let kept = content.lists.keys.filter { FilePattern.matches($0, pattern) }
      return kept.map { RouteDirectory.absolute($0, in: content.root) }.sorted()
    }
    source.place = { content.places[$0] }
    // Its tests passed when it was put in force, and nothing may keep an operator from going back.
    var reading = read(source, runsTests: false)
    reading.watched?.directory = directory
    return reading
  }

  private static func read(_ source: RouteSource, runsTests: Bool) -> RouteReading {
    let seen = Lock(Seen())
    var noting = source
    noting.read = { path in
      seen.withLock { _ = $0.watched.references.insert(path) }
      let bytes = try source.read(path)
      seen.withLock { $0.lists[path] = bytes }
      return bytes
    }
    noting.readSecret = { path in
      seen.withLock { _ = $0.watched.references.insert(path) }
      return try source.readSecret(path)
    }
    if let find = source.find {
      noting.find = { path in
        seen.withLock { _ = $0.watched.patterns.insert(path) }
        return find(path)
      }
    }
    let result = RouteTableLoader.load(noting, types: .ofPlugins, runsTests: runsTests)
    let (watched, lists) = seen.withLock { ($0.watched, $0.lists) }
    return RouteReading(
      result: result, content: RouteContent(root: source.root, files: source.files, lists: lists),
      watched: watched)
  }

  private struct Seen {
    var watched = WatchedFiles(directory: "")
    var lists: [String: [UInt8]] = [:]
  }
}

/// The files of a table, right or wrong: what its version is made of.
struct RouteContent: Sendable {
  var root: String
  var files: [RouteSource.File]
  /// Caller lists and documents, by the path that the table names them by.
  var lists: [String: [UInt8]] = [:]
  /// Of a version that was kept: where its own copies of them lie.
  var places: [String: String] = [:]

  var version: String {
    RouteSource(root: root, files: files).version(lists: lists.mapValues { Digest.hash($0) })
  }
}
