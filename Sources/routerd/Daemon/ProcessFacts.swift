internal import Glibc

/// What the system says about this process.
enum ProcessFacts {
  static var id: Int { Int(getpid()) }

  /// Resident memory in bytes (`/proc/self/statm`, in pages); 0 where it cannot be read.
  static var residentBytes: Int {
    guard let bytes = try? Files.read("/proc/self/statm") else { return 0 }  // a fact to show, nothing more
    let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) : 0
  }
}
