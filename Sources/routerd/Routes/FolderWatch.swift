internal import Glibc
internal import RouterCore

/// Hears of changes in folders, by inotify(7). Folders are watched, never files: editors, `mv` and mounted
/// configurations put a new file in the old one's place.
///
/// ``wait(milliseconds:)`` belongs to one thread, ``watch(_:)`` to any.
final class FolderWatch: Sendable {
  /// Which names in a folder matter.
  enum Interest: Hashable {
    case all
    case names(Set<String>)
  }

  /// What was heard.
  struct News {
    /// Whether anything happened that may matter.
    var isChange = false
    /// The system had more news than it could keep; or a watched folder went away.
    var isIncomplete = false
    /// Files that somebody began to write, by their names.
    var begun: Set<String> = []
    /// Files that were written to their end, or went away.
    var done: Set<String> = []
  }

  /// Folders beyond this many are not watched.
  static let maximumFolders = 4096

  /// Microseconds until news are asked for again after some that did not matter.
  private static let gathering: UInt32 = 50_000

  private let descriptor: Int32
  private let watched = Lock<[Int32: (folder: String, interest: Interest)]>([:])

  /// `nil` when the system has no watch to give (`fs.inotify.max_user_instances`).
  init?() {
    descriptor = inotify_init1(O_NONBLOCK | O_CLOEXEC)
    if descriptor < 0 { return nil }
  }

  deinit { close(descriptor) }

  private static let mask: UInt32 = [
    IN_MODIFY, IN_CLOSE_WRITE, IN_ATTRIB, IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE, IN_DELETE_SELF,
    IN_MOVE_SELF, IN_ONLYDIR,
  ].reduce(0) { $0 | UInt32($1) }

  /// Watches these folders and no others from now on. Those that are not there are passed over.
  /// - Returns: Whether all of them are watched.
  func watch(_ folders: [String: Interest]) -> Bool {
    watched.withLock { watched in
      var isComplete = folders.count <= FolderWatch.maximumFolders
      var now: [Int32: (folder: String, interest: Interest)] = [:]
      for (folder, interest) in folders.prefix(FolderWatch.maximumFolders) {
        let watch = inotify_add_watch(descriptor, folder, FolderWatch.mask)
        if watch < 0 {
          if errno != ENOENT, errno != ENOTDIR { isComplete = false }
          continue
        }
        // Two paths may lead to one folder.
        now[watch] = (folder, now[watch].map { FolderWatch.union($0.interest, interest) } ?? interest)
      }
      for watch in watched.keys where now[watch] == nil { inotify_rm_watch(descriptor, watch) }
      watched = now
      return isComplete
    }
  }

  private static func union(_ a: Interest, _ b: Interest) -> Interest {
    guard case .names(let first) = a, case .names(let second) = b else { return .all }
    return .names(first.union(second))
  }

  /// Waits for news.
  func wait(milliseconds: Int32) -> News {
    var question = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    var news = News()
    guard poll(&question, 1, milliseconds) > 0 else { return news }
    // Room for some hundred events; an event has at most 16 bytes and a name of 255.
    withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 8) { buffer in
      while true {
        let count = read(descriptor, buffer.baseAddress, buffer.count)
        guard count > 0 else { return }
        var at = 0
        while at + MemoryLayout<inotify_event>.size <= count {
          let event = buffer.loadUnaligned(fromByteOffset: at, as: inotify_event.self)
          let start = at + MemoryLayout<inotify_event>.size
          let bytes = buffer[start..<min(count, start + Int(event.len))].prefix { $0 != 0 }
          take(event, String(decoding: bytes, as: UTF8.self), &news)
          at = start + Int(event.len)
        }
      }
    }
    // A database beside the routes makes news at every write: what does not matter is heard together.
    if !news.isChange { usleep(FolderWatch.gathering) }
    return news
  }

  private func take(_ event: inotify_event, _ name: String, _ news: inout News) {
    func has(_ kinds: Int32...) -> Bool { kinds.contains { event.mask & UInt32($0) != 0 } }
    if has(IN_Q_OVERFLOW) {
      (news.isChange, news.isIncomplete) = (true, true)
      return
    }
    let place = watched.withLock { $0[event.wd] }
    guard let place else { return }
    if has(IN_IGNORED, IN_DELETE_SELF, IN_MOVE_SELF) {
      (news.isChange, news.isIncomplete) = (true, true)
      return
    }
    if case .names(let names) = place.interest, !names.contains(name) { return }
    news.isChange = true
    // Hidden files are editors' own, and may be open for hours.
    if name.hasPrefix(".") { return }
    if has(IN_MODIFY) { news.begun.insert(name) }
    if has(IN_CREATE), FolderWatch.isEmptyFile("\(place.folder)/\(name)") { news.begun.insert(name) }
    if has(IN_CLOSE_WRITE, IN_DELETE, IN_MOVED_FROM, IN_MOVED_TO) {
      news.begun.remove(name)
      news.done.insert(name)
    }
  }

  /// Whether somebody has made a file and written nothing yet; a link or a folder is there at once.
  private static func isEmptyFile(_ path: String) -> Bool {
    var facts = stat()
    return lstat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG && facts.st_size == 0
  }
}
