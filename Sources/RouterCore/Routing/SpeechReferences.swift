/// The providers that a `speech:` block names.
enum SpeechReferences {
  /// Reports providers that there are not, and those that can neither hear nor speak as they should.
  static func check(_ speech: YAMLNode?, _ definitions: Definitions, _ check: inout SchemaCheck) {
    guard let speech, speech.kind == .mapping else { return }
    for (role, verb) in [("recognizer", "hear"), ("synthesizer", "speak")] {
      guard let node = speech[role], let name = node.text, !node.isNull, name != AgentReferences.offline
      else {
        continue
      }
      definitions.refer(node, "provider", in: "providers", &check)
      guard let types = definitions.types, let type = definitions.type(ofProvider: name) else { continue }
      let able = role == "recognizer" ? types.hearing : types.speaking
      guard !able.contains(type) else { continue }
      check.append(
        node.diagnostic(
          .error, "the provider '\(name)' is of type '\(type)', which does not \(verb)",
          hint: "types that \(verb): \(able.sorted().joined(separator: ", "))"))
    }
  }
}

extension AgentSettings {
  /// Who hears or speaks: as the agent says, else as the provider of its model says, else nobody's account.
  func speech(
    _ role: String, _ agent: JSONValue, _ provider: JSONValue, _ secrets: Secrets
  ) -> AgentConfiguration.SpeechProvider {
    guard let name = agent["speech"]?[role]?.string ?? provider["speech"]?[role]?.string,
      let definition = providers[name].map(secrets.fill), let type = definition["type"]?.string
    else { return .offline }
    return AgentConfiguration.SpeechProvider(name: name, type: type, configuration: definition)
  }
}
