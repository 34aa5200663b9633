import Foundation
import Testing

@testable import RouterCore

/// The JSON Schema accepts what the loader accepts and refuses what it refuses, as far as a schema can see: asked of a
/// real validator (python3-jsonschema), as an editor would.
@Suite struct JSONSchemaTests {
  /// Runs the validator over texts. Returns for each what it found; empty is valid.
  private func validate(_ texts: [String], types: ProviderTypes = ProviderTypes()) throws -> [String] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "/usr/bin/python3", Repository.path("Tests/RouterCoreTests/Routing/Cases/validate.py"),
    ]
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    let question: JSONValue = [
      "schema": JSONSchema.routeFile(types: types), "texts": .array(texts.map { .string($0) }),
    ]
    let data = try JSONEncoder().encode(question)
    // The validator reads all of it before it answers, so neither side waits for the other.
    try input.fileHandleForWriting.write(contentsOf: data)
    try input.fileHandleForWriting.close()
    let answer = try #require(
      try output.fileHandleForReading.readToEnd(),
      "no validator: apt-get install python3-jsonschema python3-yaml")
    process.waitUntilExit()
    return try JSONDecoder().decode([String].self, from: answer)
  }

  @Test func whatLoadsIsValid() throws {
    var names = ["routes/main.yaml"] + ExampleTableTests.examples.map { "routes/examples/\($0)" }
    var texts = try names.map { name in
      String(
        decoding: try #require(FileManager.default.contents(atPath: Repository.path(name))), as: UTF8.self)
    }
    for (name, text) in try ReadmeTests.blocks() {
      names.append(name)
      texts.append(text)
    }
    texts += [
      "", "agents:\nroutes:\n",
      "agents: {a: {voiceId: 12, language: no, humanHandoff: {transferExtension: 0200}}}",
    ]
    names += ["empty", "empty sections", "text that looks otherwise"]
    for (name, found) in zip(names, try validate(texts)) { #expect(found == "", "\(name)") }
  }

  @Test func whatIsBrokenIsNot() throws {
    let tables = try BrokenTable.all().filter { $0.files == nil }
    let found = try validate(tables.map { $0.table ?? "" })
    for (table, verdict) in zip(tables, found) {
      if table.schema == nil {
        #expect(verdict != "", "\(table.name): the schema accepts it")
      } else {
        #expect(
          verdict == "" || verdict.hasPrefix("yaml:"),
          "\(table.name): the schema sees it, so say so: \(verdict)")
      }
    }
  }

  @Test func theSchemaItselfIsSound() throws {
    #expect(try validate(["$schema"]) == [""])
  }

  /// What may stand in a provider depends on its type.
  @Test func providersAreReadByTheirType() throws {
    var types = ProviderTypes()
    types.keys = [
      "model": [ProviderKey("baseURL", as: .url(["https"]), ""), .headers],
      "bell": [ProviderKey("token", "")],
    ]
    let providers = [
      ("{type: model, baseURL: \"https://a.example\", headers: {a: b}, speech: {recognizer: offline}}", true),
      ("{type: bell, token: a}", true), ("{type: else, token: a, more: b}", true),
      ("{type: model, token: a}", false), ("{type: bell, baseURL: \"https://a.example\"}", false),
      ("{type: model, headers: [a]}", false),
    ]
    let found = try validate(providers.map { "providers: {p: \($0.0)}" } + ["$schema"], types: types)
    for (provider, verdict) in zip(providers, found) {
      #expect(verdict.isEmpty == provider.1, "\(provider.0): \(verdict)")
    }
    #expect(found.last == "")
  }

  /// A noun names a definition of the schema: two shapes of one noun would stand in each other's place.
  @Test func nounsAreUnique() {
    var shapes: [String: ObjectIdentifier] = [:]
    func visit(_ object: ObjectShape) {
      let known = shapes.updateValue(ObjectIdentifier(object), forKey: object.noun)
      #expect(known == nil || known == ObjectIdentifier(object), "two shapes are called '\(object.noun)'")
      if known == nil { object.fields.forEach { visit($0.shape) } }
    }
    func visit(_ shape: Shape) {
      switch shape {
      case .object(let object), .patch(let object), .short(_, let object), .shortOrMany(_, let object):
        visit(object)
      case .list(let inner), .oneOrMany(let inner), .named(let inner): visit(inner)
      default: break
      }
    }
    visit(RouteSchema.file)
  }
}
