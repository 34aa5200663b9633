internal import FoundationEssentials
internal import Glibc
internal import RouterCore

/// The last tables that were in force, kept on disk so that any of them can be brought back, also after a restart.
///
/// Each version is a folder, in the order in which they came: `000012-3f2a…/` with `version.json`, the route files as
/// they were (`files/`), and the caller lists and documents that they named (`lists/0`, …). Files that did not change are
/// hard links to those of the version before, so a large table costs its space once. Secrets are kept as references,
/// like everywhere. `documents/` has links to what a version that was gone back to is read from, for as long as any
/// version has it. All of it belongs to one thread at a time: ``RoutesInForce`` sees to it.
struct RouteVersions: Sendable {
  /// One of them, as `version.json` tells it.
  struct Entry: Codable, Sendable {
    var version: String
    /// When it was put in force, the last time.
    var date: Date
    /// What put it in force: `start`, `SIGHUP`, `routerd reload`, `a change on disk`, `rollback`.
    var reason: String
    /// The route directory that it was read from.
    var directory: String
    /// By what they are called in the version's folder.
    var files: [File]
    var lists: [File]
    /// Set by a rollback, for the next start: what the files on disk were then. While they still are, this version
    /// stays in force in their place.
    var replacing: String?

    struct File: Codable, Sendable {
      /// From the route directory; of a list, as the table names it.
      var path: String
      var bytes: Int
      var digest: String
    }
  }

  /// How many are kept.
  static let maximum = 20
  /// Even when they are too large together, the one in force and the one before are kept.
  static let minimum = 2

  let folder: String
  /// The route directory whose versions these are; those of others are left alone.
  let directory: String
  /// Bytes of all of them together, files that several share counted once.
  let maximumBytes: Int

  init(folder: String, directory: String, maximumBytes: Int) {
    self.folder = folder
    self.directory = RouteVersions.fromRoot(directory)
    self.maximumBytes = maximumBytes
  }

  private static func fromRoot(_ path: String) -> String {
    if path.hasPrefix("/") { return path }
    let here = FileManager.default.currentDirectoryPath
    return path == "." ? here : "\(here)/\(path.hasPrefix("./") ? String(path.dropFirst(2)) : path)"
  }

  // MARK: Reading

  private struct Kept {
    var name: String
    var entry: Entry
    var number: Int { Int(name.prefix { $0 != "-" }) ?? 0 }
  }

  /// Newest first.
  var entries: [Entry] { kept.map(\.entry) }

  private var kept: [Kept] {
    // A folder that is not there holds none; what cannot be read is none of ours.
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { !$0.hasPrefix(".") }.compactMap { name -> Kept? in
      // A folder without its facts is no version.
      guard let bytes = try? Files.read("\(folder)/\(name)/version.json"),
        let entry = try? JSON.decode(Entry.self, bytes),  // nor is one with others
        entry.directory == directory
      else { return nil }
      return Kept(name: name, entry: entry)
    }.sorted { $0.number > $1.number }
  }

  /// The newest version that begins with these digits.
  func find(_ version: String) throws(ControlFailure) -> Entry {
    let found = entries.filter { $0.version.hasPrefix(version.lowercased()) }
    guard let first = found.first, version.utf8.count >= 3 else {
      throw ControlFailure(
        "there is no version \(version) to go back to; routerd versions lists them", .notFound)
    }
    if found.contains(where: { $0.version != first.version }) {
      throw ControlFailure("several versions begin with \(version)", .usage)
    }
    return first
  }

  /// The files of a version. Throws when they are damaged.
  /// - Parameter root: What their paths begin with, in messages.
  func content(of version: String, root: String) throws(ControlFailure) -> RouteContent {
    guard let kept = kept.first(where: { $0.entry.version == version }) else {
      throw ControlFailure("there is no version \(version)", .notFound)
    }
    let place = "\(folder)/\(kept.name)"
    var content = RouteContent(root: root, files: [])
    for file in kept.entry.files {
      guard !file.path.split(separator: "/").contains("..") else { throw damaged(place) }
      content.files.append(
        RouteSource.File(path: "\(root)/\(file.path)", bytes: try Files.read("\(place)/files/\(file.path)")))
    }
    for (index, list) in kept.entry.lists.enumerated() {
      content.lists[list.path] = try Files.read("\(place)/lists/\(index)")
      content.places[list.path] = lend("\(place)/lists/\(index)", list)
    }
    guard content.version == version else { throw damaged(place) }
    return content
  }

  /// A link to a copy, under its own name and where it stays: a version's folder is renamed when the version comes back.
  /// `nil` where the file system has no links.
  private func lend(_ copy: String, _ file: Entry.File) -> String? {
    guard let name = file.path.split(separator: "/").last, name != ".." else { return nil }
    let place = "\(documents)/\(file.digest)/\(name)"
    if Files.exists(place) { return place }
    do throws(ControlFailure) { try Files.makeParent(of: place) } catch { return nil }
    return link(copy, place) == 0 || errno == EEXIST ? place : nil
  }

  private var documents: String { "\(folder)/documents" }

  private func damaged(_ place: String) -> ControlFailure {
    ControlFailure("\(place) is damaged: its files are not what they were", .failure)
  }

  // MARK: Writing

  /// Keeps what has been put in force, as the newest. One that is there already only moves to the top.
  func keep(
    _ content: RouteContent, reason: String, date: Date, replacing: String? = nil
  ) throws(ControlFailure) {
    let all = kept
    let version = content.version
    var entry = Entry(
      version: version, date: date, reason: reason, directory: directory, files: [], lists: [],
      replacing: replacing)
    let name = "\(nextNumber())-\(version)"
    if let known = all.first(where: { $0.entry.version == version }) {
      (entry.files, entry.lists) = (known.entry.files, known.entry.lists)
      try write(entry, in: "\(folder)/\(known.name)")
      try rename("\(folder)/\(known.name)", to: "\(folder)/\(name)")
    } else {
      let draft = "\(folder)/.\(name)"
      remove(draft)
      let before = all.first
      for file in content.files {
        let path =
          file.path.hasPrefix(content.root + "/")
          ? String(file.path.dropFirst(content.root.count + 1)) : file.path
        let old = before?.entry.files.first { $0.path == path }.map {
          (file: $0, at: "\(folder)/\(before?.name ?? "")/files/\(path)")
        }
        entry.files.append(try add(file.bytes, path, at: "\(draft)/files/\(path)", old))
      }
      for (index, (path, bytes)) in content.lists.sorted(by: { $0.key < $1.key }).enumerated() {
        let old = before?.entry.lists.firstIndex { $0.path == path }.flatMap { number in
          before.map { (file: $0.entry.lists[number], at: "\(folder)/\($0.name)/lists/\(number)") }
        }
        entry.lists.append(try add(bytes, path, at: "\(draft)/lists/\(index)", old))
      }
      try write(entry, in: draft)
      try rename(draft, to: "\(folder)/\(name)")
    }
    prune()
  }

  private func nextNumber() -> String {
    // Those of other directories count: their folders stand beside ours.
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let text = String((names.compactMap { Int($0.prefix { $0 != "-" }) }.max() ?? 0) + 1)
    return String(repeating: "0", count: max(0, 6 - text.count)) + text
  }

  /// Puts a file in place: a link to the one before when it is the same.
  private func add(
    _ bytes: [UInt8], _ path: String, at place: String, _ old: (file: Entry.File, at: String)?
  ) throws(ControlFailure) -> Entry.File {
    let file = Entry.File(
      path: path, bytes: bytes.count, digest: Digest.hexadecimal(Digest.hash(bytes)))
    try Files.makeParent(of: place)
    if let old, old.file.digest == file.digest, link(old.at, place) == 0 { return file }
    try Files.write(bytes, to: place, mode: 0o600)
    return file
  }

  private func write(_ entry: Entry, in place: String) throws(ControlFailure) {
    let text: String
    do { text = try JSON.encode(entry, pretty: true) } catch {
      throw ControlFailure("the version cannot be written: \(error)", .software)
    }
    try Files.makeParent(of: "\(place)/version.json")
    try Files.replace("\(place)/version.json", with: Array(text.utf8), mode: 0o600)
  }

  private func rename(_ old: String, to new: String) throws(ControlFailure) {
    guard Glibc.rename(old, new) == 0 else {
      throw ControlFailure("\(new): \(ControlSocket.errorText())", .system)
    }
  }

  /// Removes the oldest beyond what may be kept.
  private func prune() {
    var counted: Set<String> = []
    var bytes = 0
    for (index, kept) in kept.enumerated() {
      for file in kept.entry.files + kept.entry.lists where counted.insert(file.path + file.digest).inserted {
        bytes += file.bytes
      }
      let isTooMuch =
        index >= RouteVersions.maximum || (index >= RouteVersions.minimum && bytes > maximumBytes)
      if isTooMuch { remove("\(folder)/\(kept.name)") }
    }
    // What no version has any more is linked nowhere else.
    for digest in (try? FileManager.default.contentsOfDirectory(atPath: documents)) ?? [] {
      // A folder that is not there holds nothing.
      let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(documents)/\(digest)")) ?? []
      var facts = stat()
      let isHeld = names.contains { stat("\(documents)/\(digest)/\($0)", &facts) == 0 && facts.st_nlink > 1 }
      if !isHeld { remove("\(documents)/\(digest)") }
    }
  }

  private func remove(_ path: String) {
    guard Files.exists(path) else { return }
    try? FileManager.default.removeItem(atPath: path)  // what stays is tried again the next time
  }
}
