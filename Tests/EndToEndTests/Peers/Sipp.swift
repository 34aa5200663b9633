import RouterTesting
import Foundation
import RouterCore
import Testing

/// sipp as a caller: it plays one of `Scenarios/*.xml` and says whether everything went as written there.
struct Sipp {
  var scenario: String
  var target: SocketAddress
  var transport = SIPTransport.udp
  /// What is dialled.
  var number = "600"
  /// More of sipp's own options.
  var options: [String] = []
  /// `[rtp_port]` and the like in the scenario.
  var keys: [String: String] = [:]
  var calls = 1
  var seconds = 25

  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Scenarios")

  init(_ scenario: String, to target: SocketAddress) {
    self.scenario = scenario
    self.target = target
  }

  /// Plays the scenario; what went wrong becomes an issue of the test, with the messages of the call.
  func run(sourceLocation: Testing.SourceLocation = #_sourceLocation) async throws {
    let finished = try await play()
    if finished.code != 0 {
      Issue.record(
        "sipp \(scenario) ended with \(finished.code)\n\(finished.errors)\n\(finished.output)",
        sourceLocation: sourceLocation)
    }
  }

  /// Plays the scenario and gives sipp's verdict (code 0 is success), the messages as output, and its complaints.
  func play() async throws -> Finished {
    let workplace = try Workplace()
    let program = try RunningProgram(
      "/usr/bin/sipp", arguments, in: workplace.folder, environment: ["TERM": "dumb"])
    let code = await program.exitCode(within: .seconds(seconds + 5))
    let read = { (name: String) in
      // A file that is missing is one in which nothing was written.
      (try? String(contentsOfFile: workplace.path(name), encoding: .utf8)) ?? ""
    }
    return Finished(
      code: code, output: String(read("messages.log").suffix(20_000)), errors: read("errors.log"))
  }

  private var arguments: [String] {
    let isIPv6 = target.ip.contains(":")
    let own = isIPv6 ? "[::1]" : "127.0.0.1"
    var arguments = [
      "\(target)", "-sf", Sipp.folder.appending(path: "\(scenario).xml").path, "-s", number, "-i", own,
      "-mi", isIPv6 ? "::1" : own, "-t", transport == .udp ? "u1" : "t1", "-m", "\(calls)", "-nostdin",
      "-timeout", "\(seconds)s", "-timeout_error", "-trace_err", "-error_file", "errors.log", "-trace_msg",
      "-message_file", "messages.log",
    ]
    if !options.contains("-p") { arguments += ["-p", "\(freePort())"] }
    var keys = keys
    for (name, value) in ["caller": "+15550177", "rtp_port": "9", "other_port": "9"] where keys[name] == nil {
      keys[name] = value
    }
    for (name, value) in keys.sorted(by: { $0.key < $1.key }) { arguments += ["-key", name, value] }
    return arguments + options
  }
}

/// A UDP and TCP port that was free a moment ago.
func freePort() -> UInt16 {
  for _ in 0..<100 {
    guard let socket = DatagramSocket(ip: "127.0.0.1", port: 0) else { continue }
    return socket.port
  }
  return 0
}
