internal import RouterCore

/// `routerd forget`: erases a person from the agents' memory and from the records.
enum ForgetCommand {
  static let spec = CommandSpec(
    name: "forget", summary: "Erase a person: what agents remember, and words and numbers in the records",
    operands: [OperandSpec("PERSON")],
    options: [CommonOption.socket, CommonOption.config, CommonOption.json],
    notes: """
      PERSON is a number in E.164 (+15550001) or an externalClientId. Of the records of such calls stays when, how long \
      and through which route somebody called. Calls that are up are recorded when they end.
      """
  ) { arguments in
    await Program.attempt {
      let result = try await ControlClient.ask(
        "forget", ["person": .string(arguments.operands[0])], at: ControlPath.client(arguments))
      Terminal.print(
        arguments.has("--json")
          ? try JSON.encode(result, pretty: true)
          : "forgot \(result["conversations"]?.integer ?? 0) conversations, erased \(result["records"]?.integer ?? 0) records"
      )
      return .success
    }
  }
}
