internal import Glibc

/// Runs a program that writes to its standard output, within limits of time and size.
enum ChildProcess {
  struct Failure: Error, Hashable, CustomStringConvertible {
    let description: String
  }

  /// What the program wrote. Blocks; call it from a thread that may wait.
  /// - Parameters:
  ///   - words: The program, looked for in `PATH`, and its arguments.
  ///   - seconds: After so long it is ended by force.
  ///   - maximumBytes: More output ends it by force as well.
  static func output(of words: [String], seconds: Int, maximumBytes: Int) throws(Failure) -> [UInt8] {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw Failure(description: "no pipe: \(errorText())") }
    defer { close(ends[0]) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let process: pid_t
    do throws(Failure) { process = try spawn(words, output: ends[1]) } catch {
      close(ends[1])
      throw error
    }
    close(ends[1])
    let result = read(ends[0], until: now() + seconds * 1000, maximumBytes)
    if case .failure = result { kill(process, SIGKILL) }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    let bytes = try result.get()
    let isExit = status & 0x7F == 0
    guard isExit, status >> 8 & 0xFF == 0 else {
      throw Failure(description: "\(words[0]) failed (\(isExit ? status >> 8 & 0xFF : -(status & 0x7F)))")
    }
    return bytes
  }

  private static func spawn(_ words: [String], output: Int32) throws(Failure) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    arguments.append(nil)
    defer { for argument in arguments { free(argument) } }
    var process = pid_t()
    let code = posix_spawnp(&process, words[0], &actions, nil, arguments, environ)
    guard code == 0 else {
      throw Failure(description: "\(words[0]) cannot be run: \(String(cString: strerror(code)))")
    }
    return process
  }

  private static func read(_ end: Int32, until deadline: Int, _ maximumBytes: Int) -> Result<[UInt8], Failure>
  {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      var watched = pollfd(fd: end, events: Int16(POLLIN), revents: 0)
      let left = deadline - now()
      guard left > 0 else { return .failure(Failure(description: "it took too long")) }
      let ready = poll(&watched, 1, Int32(clamping: left))
      if ready < 0, errno == EINTR { continue }
      guard ready > 0 else { return .failure(Failure(description: "it took too long")) }
      let count = Glibc.read(end, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return .success(bytes) }
      guard bytes.count + count <= maximumBytes else {
        return .failure(Failure(description: "it is longer than \(maximumBytes) bytes"))
      }
      bytes += chunk[..<count]
    }
  }

  /// Milliseconds of the monotonic clock.
  private static func now() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }

  private static func errorText() -> String { String(cString: strerror(errno)) }
}
