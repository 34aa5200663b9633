internal import Glibc

Signals.block()
let code = await Program.run(Array(CommandLine.arguments.dropFirst()))
exit(code.rawValue)
