/// What a route asks for: its `match` block as patterns and conditions.
extension RouteCompiler {
  func toPatterns(_ node: YAMLNode, _ check: inout SchemaCheck) -> [NumberPattern] {
    guard let to = node["match"]?["to"] else { return [] }
    // A called party is anonymous for nobody: the word is a SIP user here.
    return patterns(to, &check).map { $0 == .anonymous ? .text("anonymous") : $0 }
  }

  func patterns(_ node: YAMLNode, _ check: inout SchemaCheck) -> [NumberPattern] {
    let nodes = node.kind == .sequence ? node.elements : [node]
    return nodes.compactMap { node in
      if let list = node["list"] {
        definitions.refer(list, "caller list", in: "callerLists", &check)
        return .list(list.text ?? "")
      }
      guard let text = node.text, !node.isNull else { return nil }  // its shape was refused
      do throws(TextFault) {
        let pattern = try NumberPattern(text, numbering)
        lint(node, pattern, &check)
        return pattern
      } catch {
        check.append(node.diagnostic(.error, error.message, hint: error.hint))
        return nil
      }
    }
  }

  func conditions(_ match: YAMLNode?, _ check: inout SchemaCheck) -> [Condition] {
    guard let match else { return [] }
    return match.pairs.flatMap { key, value -> [Condition] in
      guard key.text == "to" else { return condition(key.text ?? "", value, &check) }
      // The index keeps who is called; a list of nobody is a condition that never holds.
      return value.kind == .sequence && value.elements.isEmpty ? [.to([])] : []
    }
  }

  /// A misspelt `anonymous` is a SIP user, as is a list's name alone, and nobody calls by that name.
  private func warnOfNearly(_ node: YAMLNode, _ check: inout SchemaCheck) {
    for element in node.kind == .sequence ? node.elements : [node] {
      guard let text = element.text, text != "anonymous" else { continue }
      let hint: String
      if definitions.has(text, in: "callerLists") {
        hint = "write {list: \(text)} for the caller list"
      } else if Suggestion.nearest(to: text, in: ["anonymous"]) != nil {
        hint = "write 'anonymous' for withheld numbers"
      } else {
        continue
      }
      check.append(element.diagnostic(.warning, "'\(text)' is a SIP user of that name", hint: hint))
    }
  }

  func condition(_ key: String, _ node: YAMLNode, _ check: inout SchemaCheck) -> [Condition] {
    let texts = (node.kind == .sequence ? node.elements : [node]).compactMap(\.text)
    switch key {
    case "to": return [.to(patterns(node, &check))]
    case "from":
      warnOfNearly(node, &check)
      return [.from(patterns(node, &check))]
    case "diversion": return [.diversion(patterns(node, &check))]
    case "channel": return [.channel(texts)]
    case "provider":
      ProviderReferences.checkChannel(node, definitions, &check)
      return [.provider(texts)]
    case "connection":
      definitions.referAll(node, "connection", in: "connections", &check)
      return [.connection(texts)]
    case "trunk":
      definitions.referAll(node, "trunk", in: "trunks", &check)
      return [.trunk(texts)]
    case "schedule":
      definitions.referAll(node, "schedule", in: "schedules", &check)
      return [.schedule(texts)]
    case "header": return headers(node, &check)
    case "language": return [.language(texts)]
    case "percent": return [.percent(node.number ?? 0)]
    case "attestation": return [.attestation(texts)]
    case "sourceAddress":
      return [
        .sourceAddress(texts.compactMap { text in AddressPrefix(text).map { .init(prefix: $0, text: text) } })
      ]
    case "not":
      let blocks = node.kind == .sequence ? node.elements : [node]
      return [
        .not(blocks.map { block in block.pairs.flatMap { condition($0.key.text ?? "", $0.value, &check) } })
      ]
    default: return []
    }
  }

  func headers(_ node: YAMLNode, _ check: inout SchemaCheck) -> [Condition] {
    node.pairs.map { name, value in
      let nodes = value.kind == .sequence ? value.elements : [value]
      let patterns = nodes.compactMap { try? TextPattern($0.text ?? "") }  // faults came with the shape
      return .header(name.text ?? "", patterns)
    }
  }

  /// Warns about numbers that are read otherwise than they look, or not at all.
  func lint(_ node: YAMLNode, _ pattern: NumberPattern, _ check: inout SchemaCheck) {
    guard let text = node.text else { return }
    switch pattern {
    case .number(let number) where number.description != text:
      check.append(node.diagnostic(.warning, "'\(text)' is read as \(number)", hint: "write \(number)"))
    case .text where text.utf8.count >= 7 && text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }:
      check.append(
        node.diagnostic(
          .warning, "'\(text)' is compared with what the network sends, digit by digit",
          hint: numbering.region == nil
            ? "write it with + and the country code, or set 'numbering: {region: …}'"
            : "write it with + and the country code, unless it is an extension"))
    case .text, .textPrefix, .digits:
      guard text.utf8.contains(where: { "^$\\[](){}|".utf8.contains($0) }) else { return }
      check.append(
        node.diagnostic(
          .warning, "'\(text)' is no regular expression: it is compared letter by letter",
          hint: "write /…/ around a regular expression"))
    default: break
    }
  }
}
