/// One option of a command.
struct OptionSpec: Sendable {
  /// With its dashes: `--say`.
  let name: String
  /// The word for its value in the help; `nil` for a switch.
  let value: String?
  let help: String
  /// Whether it may stand more than once.
  let isRepeatable: Bool

  init(_ name: String, value: String? = nil, repeatable: Bool = false, _ help: String) {
    self.name = name
    self.value = value
    self.help = help
    isRepeatable = repeatable
  }
}

/// What follows a command that is no option.
struct OperandSpec: Sendable {
  let name: String
  let isOptional: Bool
  init(_ name: String, optional: Bool = false) {
    self.name = name
    isOptional = optional
  }
}

/// A command: the parser, the help and the dispatch are all made from this.
struct CommandSpec: Sendable {
  let name: String
  let summary: String
  var operands: [OperandSpec] = []
  var options: [OptionSpec] = []
  /// Lines below the options in the command's own help.
  var notes: String = ""
  let run: @Sendable (Arguments) async -> ExitCode
}

/// How routerd ends. The numbers of `sysexits.h` where they fit.
struct ExitCode: RawRepresentable, Hashable, Sendable {
  let rawValue: Int32
  /// What was asked for was done.
  static let success = ExitCode(rawValue: 0)
  /// Something is wrong with the settings, the routes or the answer.
  static let failure = ExitCode(rawValue: 1)
  /// `call`: the other side is busy (486, 600).
  static let busy = ExitCode(rawValue: 2)
  /// `call`: refused (403, 404, 488, 603 and their kin).
  static let rejected = ExitCode(rawValue: 3)
  /// `call`: nobody answered in time (408, 480, 487).
  static let noAnswer = ExitCode(rawValue: 4)
  /// `call`: the other side failed or is overloaded (5xx).
  static let serverFailure = ExitCode(rawValue: 5)
  /// `call`: answered, but no sound came.
  static let noMedia = ExitCode(rawValue: 6)
  /// The command line makes no sense (EX_USAGE).
  static let usage = ExitCode(rawValue: 64)
  /// There is no such call, file or version (EX_NOINPUT).
  static let notFound = ExitCode(rawValue: 66)
  /// Nobody answers: no routerd runs, or nothing was heard from the called address (EX_UNAVAILABLE).
  static let unavailable = ExitCode(rawValue: 69)
  /// A mistake of routerd's own (EX_SOFTWARE).
  static let software = ExitCode(rawValue: 70)
  /// The system refused something: a port in use, a file that cannot be written (EX_OSERR).
  static let system = ExitCode(rawValue: 71)
  /// Ended by Ctrl-C before there was a result.
  static let interrupted = ExitCode(rawValue: 130)
}
