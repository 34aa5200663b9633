internal import Glibc

// The main thread takes signals and nothing else. Were it left to the concurrency runtime, it would sleep with every
// signal unblocked, and SIGTERM would end the process before anybody heard of it.
Signals.block()
Task.detached {
  let code = await Program.run(Array(CommandLine.arguments.dropFirst()))
  Program.end(code.rawValue)
}
Signals.take()
