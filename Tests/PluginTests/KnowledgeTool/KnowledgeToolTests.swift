import Foundation
import RouterCore
import RouterTesting
import Testing

@testable import KnowledgeTool

/// Documents of every kind, and FAQs.
@Suite struct KnowledgeToolTests {
  static func withFolder(_ body: (String) async throws -> Void) async throws {
    let place = try Workplace()
    try await body(place.folder.path)
    withExtendedLifetime(place) {}
  }

  static func base(_ paths: [String]) -> FunctionDefinition {
    let files = paths.map { path -> JSONValue in ["path": .string(path), "digest": .string(path)] }
    return FunctionDefinition(
      key: "manuals", kind: FunctionDefinition.Kind.knowledge,
      settings: ["name": "bicycles", "files": .array(files)])
  }

  private func session(_ functions: [FunctionDefinition], _ faqs: [AgentConfiguration.FAQ] = []) async throws
    -> any ToolSession
  {
    var agent = AgentConfiguration.example()
    agent.faqs = faqs
    return try await KnowledgeTool(.silent).open(
      ToolRequest(call: .example(), agent: agent, functions: functions, log: .silent))
  }

  private func search(_ session: any ToolSession, _ query: String) async throws -> JSONValue {
    try await session.run(
      ToolCall(id: "c", name: "search_knowledge", arguments: ["query": .string(query)], turn: TurnID(1))
    ).output
  }

  static let markdown = """
    # Brakes
    Disc brakes stop the bicycle in the wet.
    ## Pads
    Pads are changed every 2000 kilometres. The part number is BP-7.
    # Chain
    Oil the chain every month.
    """

  @Test func documentsOfEveryKindAreFound() async throws {
    try await KnowledgeToolTests.withFolder { folder in
      try KnowledgeToolTests.markdown.write(toFile: "\(folder)/parts.md", atomically: true, encoding: .utf8)
      try "Saddles: leather wants grease.".write(
        toFile: "\(folder)/care.txt", atomically: true, encoding: .utf8)
      try
        "<html><head><title>x</title></head><body><h1>Opening hours</h1><p>We close at <b>five</b> on Fridays&nbsp;&amp; Saturdays."
        .write(toFile: "\(folder)/hours.html", atomically: true, encoding: .utf8)
      try KnowledgeToolTests.pdf("Gears are adjusted with the barrel screw.").write(
        to: URL(fileURLWithPath: "\(folder)/gears.pdf"))
      let paths = ["parts.md", "care.txt", "hours.html", "gears.pdf", "missing.md"].map { "\(folder)/\($0)" }
      let session = try await session([KnowledgeToolTests.base(paths)])
      for (query, title, words) in [
        ("How often do I change brake pads?", "Brakes – Pads", "BP-7"),
        ("oiling chains", "Chain", "every month"),
        ("leather saddle", "care", "grease"),
        ("when do you close on friday", "Opening hours", "five on Fridays & Saturdays"),
        ("adjusting gear", "gears", "barrel screw"),
      ] {
        let first = try await search(session, query)["passages"]?.array?.first
        #expect(first?["title"]?.string == title, "\(query)")
        #expect(first?["text"]?.string?.contains(words) == true, "\(query): \(first?.text ?? "")")
      }
      for query in ["zebra", "", "   ", "\"; DROP TABLE passages", "NEAR( AND OR *", "the of and"] {
        _ = try await search(session, query)
      }
      #expect(try await search(session, "zebra") == "nothing was found; try other words")
      #expect(
        session.instructions.contains("### Chain\nOil the chain every month."),
        "short, so it stands there whole")
    }
  }

  @Test func longKnowledgeIsOnlyLookedUp() async throws {
    try await KnowledgeToolTests.withFolder { folder in
      let text = (0..<400).map { "## Part \($0)\nThe price of part number \($0) is \($0 * 3) francs.\n" }
        .joined()
      try text.write(toFile: "\(folder)/prices.md", atomically: true, encoding: .utf8)
      let session = try await session([KnowledgeToolTests.base(["\(folder)/prices.md"])])
      #expect(session.instructions.isEmpty)
      let found = try await search(session, "price of part 311")["passages"]?.array ?? []
      #expect(found.first?["text"] == "The price of part number 311 is 933 francs." && found.count == 5)
      let violations = await ToolConformance.violations(
        [KnowledgeToolTests.base(["\(folder)/prices.md"])], arguments: ["query": "part 7"]
      ) { KnowledgeTool(.silent) }
      #expect(violations.isEmpty, "\(violations)")
    }
  }

  @Test func storedAnswersAreFoundWordForWord() async throws {
    let faqs = [
      AgentConfiguration.FAQ(
        question: "When are you open?", answer: "From nine to five.", phrases: ["opening hours"]),
      AgentConfiguration.FAQ(question: "Do you repair e-bikes?", answer: "Yes, on Tuesdays — only."),
    ]
    let faq = FunctionDefinition(key: "faqs", kind: FunctionDefinition.Kind.faq)
    let session = try await session([faq], faqs)
    #expect(session.instructions.contains("Question: When are you open?\nAnswer: From nine to five."))
    func answer(_ question: String) async throws -> JSONValue? {
      try await session.run(
        ToolCall(id: "c", name: "find_answer", arguments: ["question": .string(question)], turn: TurnID(1))
      ).output["answers"]?.array?.first?["answer"]
    }
    #expect(try await answer("what are your opening hours") == "From nine to five.")
    #expect(try await answer("can you repair my e-bike") == "Yes, on Tuesdays — only.")
    #expect(try await answer("zebra") == nil)
    let violations = await ToolConformance.violations(
      [faq], arguments: ["question": "open"],
      agent: {
        var agent = AgentConfiguration.example()
        agent.faqs = faqs
        return agent
      }()
    ) { KnowledgeTool(.silent) }
    #expect(violations.isEmpty, "\(violations)")
  }

  @Test func badDocumentsHarmNobody() async throws {
    try await KnowledgeToolTests.withFolder { folder in
      try Data("%PDF-1.4 garbage".utf8).write(to: URL(fileURLWithPath: "\(folder)/broken.pdf"))
      try Data([0xFF, 0xFE, 0x00, 0xC0]).write(to: URL(fileURLWithPath: "\(folder)/bytes.txt"))
      try Data().write(to: URL(fileURLWithPath: "\(folder)/empty.md"))
      try "Good words.".write(toFile: "\(folder)/good.md", atomically: true, encoding: .utf8)
      let paths = ["broken.pdf", "bytes.txt", "empty.md", "-o.pdf", "good.md"].map { "\(folder)/\($0)" }
      let session = try await session([KnowledgeToolTests.base(paths)])
      #expect(try await search(session, "good words")["passages"]?.array?.first?["text"] == "Good words.")
    }
  }

  @Test func aProgramHasLimits() throws {
    let echo = try ChildProcess.output(of: ["echo", "a"], seconds: 10, maximumBytes: 100)
    #expect(echo == Array("a\n".utf8))
    for (words, seconds, why) in [
      (["sleep", "60"], 1, "it took too long"), (["cat", "/dev/zero"], 30, "it is longer than 100 bytes"),
      (["false"], 10, "false failed (1)"),
      (["no-such-program"], 10, "no-such-program cannot be run: No such file or directory"),
    ] {
      #expect(throws: ChildProcess.Failure(description: why)) {
        _ = try ChildProcess.output(of: words, seconds: seconds, maximumBytes: 100)
      }
    }
  }

  static let pages: [(html: String, text: String)] = [
    ("<p>a</p><p>b", "a\n\nb"), ("a<br>b", "a\nb"), ("<script>x < y</script>a", "a"), ("<!-- <p> -->a", "a"),
    ("<h2>A &lt;b&gt;</h2>c", "## A <b>\n\nc"), ("a < b > c", "a < b > c"),
    ("<a title='x>y'>link</a>", "link"),
    ("&#65;&#x42;&bogus;&", "AB&bogus;&"), ("<script>never ends", ""), ("<p", ""), ("<", "<"), ("", ""),
    ("<ul><li>one<li>two</ul>", "one\ntwo"), ("<td>1</td><td>2</td>", "1 2"),
    ("&#xFFFFFFFF;&#xD800;", "&#xFFFFFFFF;&#xD800;"),
  ]

  @Test(arguments: pages) func pagesBecomeText(html: String, text: String) {
    #expect(Passages.trimmed(PlainHTML.text(html)) == text)
  }

  @Test func longTextsAreCutWhereTheyMayBe() {
    let sentences = (0..<300).map { "This is sentence number \($0)." }.joined(separator: " ")
    let pieces = Passages.cut(sentences)
    #expect(
      pieces.count > 5 && pieces.allSatisfy { $0.count <= Passages.maximumCharacters && $0.hasSuffix(".") })
    #expect(pieces.joined(separator: " ") == sentences)
    #expect(Passages.cut(String(repeating: "x", count: 5000)).map(\.count) == [1200, 1200, 1200, 1200, 200])
    #expect(
      Passages.of("```\n# no heading\n```\n# A\n\n#B\n####### C\ntext", name: "n").map(\.title) == ["n", "A"])
  }

  /// The smallest PDF with one line of text.
  static func pdf(_ text: String) -> Data {
    let content = "BT /F1 12 Tf 72 700 Td (\(text)) Tj ET"
    let objects = [
      "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
      "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
      "<</Length \(content.utf8.count)>>\nstream\n\(content)\nendstream",
      "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    var file = "%PDF-1.4\n"
    var places: [Int] = []
    for (index, object) in objects.enumerated() {
      places.append(file.utf8.count)
      file += "\(index + 1) 0 obj\n\(object)\nendobj\n"
    }
    let start = file.utf8.count
    file += "xref\n0 6\n0000000000 65535 f \n"
    for place in places {
      file += String(repeating: "0", count: 10 - "\(place)".count) + "\(place) 00000 n \n"
    }
    return Data((file + "trailer\n<</Size 6/Root 1 0 R>>\nstartxref\n\(start)\n%%EOF\n").utf8)
  }
}
