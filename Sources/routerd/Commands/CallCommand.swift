internal import Glibc
internal import OfflineSpeech
internal import RouterCore

/// `routerd call`: a test phone in the terminal.
enum CallCommand {
  static let spec = CommandSpec(
    name: "call", summary: "Place a test call over real SIP and RTP", operands: [OperandSpec("URI")],
    options: PhoneOptions.specs,
    notes: """
      Steps (--say, --wav, --digits, --pause, --hold) happen in the order in which they stand; each waits until the
      agent has spoken and stopped. Example:
        routerd call sip:+15551230001@127.0.0.1 --say "when are you open" --record call.wav --transcript
      Ctrl-C hangs up. The exit status says how the call ended; see routerd --help.
      """
  ) { arguments in await Program.attempt { try await run(arguments) } }

  private static func run(_ arguments: Arguments) async throws -> ExitCode {
    let password = getenv("ROUTERD_CALL_PASSWORD").map { String(cString: $0) }
    var options = try PhoneOptions(arguments, password: password)
    if arguments.has("--transcript") { options.transcriptFrom = try ControlPath.client(arguments) }
    let signals = Signals.stream()
    let writer = LogWriter(.text)
    defer { writer.flush() }
    let loop = EventLoop(name: "phone")
    let phone = TestPhone(options, on: loop, synthesizer: OfflineSpeech())
    let watcher = Task {
      for await signal in signals where signal == .terminate { await phone.interrupt() }
    }
    defer { watcher.cancel() }
    let outcome = try await phone.run(log: writer.log(level: .warning))
    loop.stop()
    return outcome.code
  }
}
