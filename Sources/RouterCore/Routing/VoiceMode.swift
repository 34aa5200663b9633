/// Who carries an agent's conversation: its `provider` (`hosted`, which is usual), or the server that its `webhook` names.
/// Changing one word moves the agent from one to the other, and back; calls that are up keep theirs.
enum VoiceMode {
  static let words = ["hosted", "webhook"]

  /// The provider of an agent's settings, layers merged; `nil` for none.
  static func provider(of agent: JSONValue) -> String? {
    let hosted = agent["provider"]?.string
    return agent["voiceMode"] == "webhook" ? agent["webhook"]?.string ?? hosted : hosted
  }

  /// Reports an agent that is to be carried by a server which it does not name.
  static func check(_ agent: YAMLNode, _ check: inout SchemaCheck) {
    let blocks = [agent] + (agent["channels"]?.pairs.map(\.value) ?? [])
    guard !blocks.contains(where: { $0["webhook"] != nil }) else { return }
    for block in blocks {
      guard let mode = block["voiceMode"], mode.text == "webhook" else { continue }
      check.append(
        mode.diagnostic(
          .error, "the voice mode webhook needs 'webhook'",
          hint: "name the provider that has the server's url: webhook: my-server"))
    }
  }
}
