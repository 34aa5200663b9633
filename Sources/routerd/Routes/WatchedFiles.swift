internal import Glibc
internal import RouterCore

/// The files that a table is made of and all that it refers to: where changes of them would show, and how to tell
/// whether there were any.
struct WatchedFiles: Sendable, Equatable {
  /// The route directory, or a single file.
  var directory: String
  /// Files that the table refers to, as they stand there: caller lists, secrets.
  var references: Set<String> = []
  /// Paths with `*`, of knowledge bases.
  var patterns: Set<String> = []

  /// Where paths in the files begin.
  private var root: String {
    WatchedFiles.isFolder(directory) ? directory : RouteDirectory.folder(of: directory)
  }

  /// Name, size, time and number of every file: it changes whenever any of them does. Links are followed.
  var fingerprint: [String] {
    // A directory that cannot be read has no files; reading it tells why.
    let known = try? RouteDirectory(directory)
    let files = (known?.files ?? []) + (known?.dangling ?? [])
    let root = root
    let found = patterns.sorted().flatMap { FilePattern.files($0, in: root) }
    let others = references.sorted().map { RouteDirectory.absolute($0, in: root) }
    return (files + found + others).map { path in
      var facts = stat()
      guard stat(path, &facts) == 0 else { return path }
      let time = facts.st_mtim
      return
        "\(path) \(facts.st_size) \(time.tv_sec).\(time.tv_nsec) \(facts.st_dev).\(facts.st_ino) \(facts.st_mode)"
    }
  }

  /// The folders in which a change would show: those with the files, and each on the way to them where a link or a
  /// folder may be exchanged.
  var folders: [String: FolderWatch.Interest] {
    var folders: [String: FolderWatch.Interest] = [:]
    func add(_ path: String, _ interest: FolderWatch.Interest) {
      switch (folders[path], interest) {
      case (.names(let known)?, .names(let more)): folders[path] = .names(known.union(more))
      case (.all?, _): break
      default: folders[path] = interest
      }
    }
    func addWay(to path: String) {
      for step in WatchedFiles.way(to: path) { add(step.folder, .names([step.name])) }
    }
    addWay(to: directory)
    let known = try? RouteDirectory(directory)  // nothing may be there yet
    for folder in known?.folders ?? [] {
      add(folder, .all)
      addWay(to: folder)
    }
    // A link that leads nowhere may lead somewhere when that comes.
    for file in (known?.files ?? []) + (known?.dangling ?? []) where WatchedFiles.isLink(file) {
      addWay(to: file)
    }
    for path in references { addWay(to: RouteDirectory.absolute(path, in: root)) }
    for pattern in patterns {
      let full = RouteDirectory.absolute(pattern, in: root)
      let folder = RouteDirectory.folder(of: full)
      if !folder.contains("*"), !folder.contains("?") { add(folder, .all) }
      for file in FilePattern.files(pattern, in: root) { addWay(to: file) }
    }
    return folders
  }

  /// Links followed before a path counts as a circle, as the kernel has it.
  private static let maximumLinks = 40

  /// Every place where a path could be led elsewhere: each link on the way, its target's own way, and the file itself.
  static func way(to path: String) -> [(folder: String, name: String)] {
    var steps: [(folder: String, name: String)] = []
    var rest = path.split(separator: "/").map(String.init)
    var at = path.hasPrefix("/") ? "/" : "."
    var links = 0
    while !rest.isEmpty {
      let name = rest.removeFirst()
      if name == "." { continue }
      let next = at == "/" ? "/\(name)" : "\(at)/\(name)"
      let target = link(next)
      let isThere = exists(next)
      if target != nil || rest.isEmpty || !isThere { steps.append((at, name)) }
      if let target, links < maximumLinks {
        links += 1
        if target.hasPrefix("/") { at = "/" }
        rest = target.split(separator: "/").map(String.init) + rest
      } else if !isThere {
        break  // what is to come cannot be watched before this is there
      } else {
        at = next
      }
    }
    return steps
  }

  private static func link(_ path: String) -> String? {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path, &bytes, bytes.count)
    guard count > 0 else { return nil }
    return String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func isLink(_ path: String) -> Bool { link(path) != nil }

  private static func exists(_ path: String) -> Bool {
    var facts = stat()
    return lstat(path, &facts) == 0
  }

  private static func isFolder(_ path: String) -> Bool {
    var facts = stat()
    return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
  }
}
