internal import FoundationEssentials
internal import RouterCore

/// `routerd function-output`: answers an implicit function of a live call.
enum FunctionOutputCommand {
  static let spec = CommandSpec(
    name: "function-output", summary: "Answer an implicit function of a live call (see calls --follow)",
    operands: [OperandSpec("CALL-ID"), OperandSpec("FUNCTION-CALL-ID"), OperandSpec("OUTPUT")],
    options: [
      OptionSpec("--error", "The function has failed; OUTPUT says why"), CommonOption.socket,
      CommonOption.config,
    ]
  ) { arguments in await Program.attempt { try await run(arguments) } }

  private static func run(_ arguments: Arguments) async throws -> ExitCode {
    let output = arguments.operands[2]
    // What is no JSON is text.
    let value = (try? JSONDecoder().decode(JSONValue.self, from: Data(output.utf8))) ?? .string(output)
    _ = try await ControlClient.ask(
      "functionOutput",
      [
        "id": .string(arguments.operands[0]), "call_id": .string(arguments.operands[1]), "output": value,
        "isError": .bool(arguments.has("--error")),
      ], at: ControlPath.client(arguments))
    return .success
  }
}
