import Foundation
import Testing

@testable import RouterCore

@Suite struct RouteTableLoaderTests {
  @Test func sectionsOfAllFilesAreOneTable() throws {
    let source = Fixture.source([
      ("routes/b.yaml", "routes: [{match: {to: 100}, agent: late}]\nagents: {late: {companionId: ada}}"),
      (
        "routes/a/deep.yaml",
        "companions: {ada: {instructions: Be kind.}}\nroutes: [{name: first, match: {to: 100}, agent: late}]"
      ),
      ("routes/empty.yaml", ""), ("routes/comment.yaml", "# nothing\n"),
    ])
    let snapshot = try RouteTableLoader.load(source).get()
    let decision = snapshot.resolve(Fixture.call(to: "100"))
    #expect(decision.route == "first", "path order, then line")
    guard case .agent(let agent) = decision.targets[0] else { return }
    #expect(agent.instructions == "Be kind.")
    #expect(
      snapshot.files == ["routes/a/deep.yaml", "routes/b.yaml", "routes/comment.yaml", "routes/empty.yaml"])
  }

  @Test func theVersionIsTheContents() throws {
    func version(_ files: [(String, String)], root: String = "routes", list: String = "+447700900123\n")
      throws -> String
    {
      var source = Fixture.source(files, lists: ["l.txt": list])
      source.root = root
      return try RouteTableLoader.load(source).get().version
    }
    let files = [("routes/a.yaml", "callerLists: {l: {file: l.txt}}")]
    let first = try version(files)
    #expect(first.count == 12)
    #expect(try version(files) == first)
    #expect(
      try version([("/etc/routerd/a.yaml", files[0].1)], root: "/etc/routerd") == first,
      "wherever the directory is")
    #expect(try version(files, list: "+447700900124\n") != first)
    #expect(try version([("routes/b.yaml", files[0].1)]) != first)
    #expect(try version([("routes/a.yaml", files[0].1 + "\n")]) != first)
  }

  @Test func everySectionIsRead() throws {
    let snapshot = try Fixture.snapshot(
      """
      providers: {cloud: {type: realtime, apiKey: "${env:KEY}", model: m, port: 12}}
      companions: {ada: {name: Ada, description: A shop.}}
      functions: {f: {flow: explicit, url: https://x.example, headers: {Authorization: "Bearer ${env:KEY}"}, data: {description: d}}}
      faqCollections:
        one: [{question: q1, answer: a1, phrases: [p1]}]
        two: [{question: q2, answer: 0200}]
      knowledgeBases: {docs: {files: [a.md]}}
      agents:
        a:
          companionId: ada
          provider: cloud
          voiceId: 12
          language: German
          functions: [f]
          faqCollections: [one, two]
          knowledgeBaseId: docs
          initialSpeech: Hello
          humanHandoff: {enabled: true, transferExtension: 0200, transferDescription: x}
          providerSettings: {temperature: 1, turnDetection: {threshold: 0.9, prefix_padding_ms: 1, silence_duration_ms: 2}, extra: no}
          fallback: [b, {agent: b}, {transfer: 0200}, {transfer: {target: "sip:a@b", timeout: 5}}]
          patience: {openMs: 3000, wordMs: 0}
          memory: {by: externalClientId, days: 7}
          maximumDuration: 60
        b: {providerSettings: {instructions: Mine.}, companionId: ada}
      connections:
        desk: {agentId: a, settings: {server: pbx, domain: d, username: 101, password: "${file:pw}", transport: TLS, callerId: +1}}
      trunks:
        t: {addresses: [203.0.113.0/28], auth: {username: gw, password: "x${env:KEY}y"}, region: GB, calledNumberFrom: [diversion, "header:X-A"], limit: 3}
      routes: [{agent: a, hook: {url: https://h.example, secret: "${env:KEY}", timeoutMs: 100, onFailure: reject}}]
      """, lists: ["pw": "s3cret\n", "a.md": "# A"], environment: ["KEY": "k"])
    let decision = snapshot.resolve(Fixture.call(to: "1"))
    guard case .agent(let agent) = decision.targets[0] else { return }
    #expect(agent.instructions == "A shop.")
    #expect(agent.voiceId == "12")
    #expect(agent.language == "de")
    #expect(agent.faqs.map(\.answer) == ["a1", "0200"])
    #expect(agent.turnDetection.threshold == 0.9 && agent.turnDetection.prefixPadding == 1)
    #expect(agent.turnDetection.silenceDuration == 2)
    #expect(agent.humanHandoff.enabled && agent.humanHandoff.transferExtension == "0200")
    #expect(agent.provider == "cloud" && agent.providerType == "realtime" && agent.knowledgeBase == "docs")
    #expect(agent.providerConfiguration == ["type": "realtime", "apiKey": "k", "model": "m", "port": 12])
    #expect(agent.providerSettings["extra"] == "no")
    #expect(
      agent.fallback == [
        "b", "b", .transfer(TransferRequest(target: "0200")),
        .transfer(TransferRequest(target: "sip:a@b", timeout: 5)),
      ])
    #expect(agent.patience == .init(open: 3000, word: 0))
    #expect(agent.memory == .init(by: .externalClientId, conversations: 3, days: 7))
    #expect(agent.maximumDuration == 60 && agent.functions.map(\.key) == ["f", "docs", "faqs"])
    #expect(
      decision.hook
        == PreAnswerHook(
          url: "https://h.example", secret: "k", deadline: .milliseconds(100), onFailure: .reject))
    #expect(snapshot.function(named: "f")?["headers"]?["Authorization"] == "Bearer k")
    #expect(snapshot.provider(named: "cloud")?["apiKey"] == "k")
    #expect(snapshot.providerTypes == ["realtime"])
    let connection = try #require(snapshot.connections.first)
    #expect(connection.port == 5061 && connection.transport == .tls && connection.password == "s3cret")
    #expect(connection.username == "101" && connection.callerId == "+1")
    let trunk = try #require(snapshot.trunks.first)
    #expect(trunk.credentials?.password == "xky" && trunk.maximumCalls == 3 && trunk.region == "GB")
    #expect(trunk.calledNumberFrom == [.diversion, .header("X-A")])
  }

  @Test func targetsAndLimitsAreRead() throws {
    let snapshot = try Fixture.snapshot(
      """
      agents: {a: {voiceId: x}, b: {voiceId: x}}
      routes:
        - name: r
          agent: a
          overrides: {voiceId: y}
          limit: {calls: 20, key: seats}
          fallback: [{agent: b}, {agent: b, overrides: {voiceId: z}}, {transfer: 0200}, {transfer: {target: "sip:a@b", timeout: 5}}, {reject: 486},
            {reject: {code: 503, reason: Later, retryAfter: 9}}]
        - {name: own, match: {to: 1}, agent: a, limit: 7}
      """)
    let decision = snapshot.resolve(Fixture.call(to: "2"))
    let voices = decision.targets.map { target -> String? in
      if case .agent(let agent) = target { agent.voiceId } else { nil }
    }
    #expect(voices == ["y", "x", "z", nil, nil, nil, nil], "overrides are for the route's own target")
    #expect(decision.targets[3] == .transfer(TransferRequest(target: "0200")))
    #expect(decision.targets[4] == .transfer(TransferRequest(target: "sip:a@b", timeout: 5)))
    #expect(
      decision.targets[5] == .reject(CallEnd(.rejectedByRoute, text: "rejected by route r", sipStatus: 486)))
    #expect(
      decision.targets[6] == .reject(CallEnd(.rejectedByRoute, text: "Later", sipStatus: 503, retryAfter: 9)))
    #expect(decision.limits == [CallLimit(key: "limit seats", maximum: 20)])
    #expect(snapshot.resolve(Fixture.call(to: "1")).limits == [CallLimit(key: "route own", maximum: 7)])
  }

  @Test func directoriesAreReadAsTheyShouldBe() throws {
    let root = NSTemporaryDirectory() + "routerd-loader-\(UInt64.random(in: 0 ... .max))"
    let files = FileManager.default
    defer { try? files.removeItem(atPath: root) }  // left behind, it harms nobody
    for folder in ["", "/sub", "/.hidden", "/examples", "/empty"] {
      try files.createDirectory(atPath: root + folder, withIntermediateDirectories: true)
    }
    let table = "agents: {a: {}}"
    for name in [
      "/main.yaml", "/sub/more.yml", "/.#main.yaml", "/.hidden/x.yaml", "/examples/y.yaml", "/notes.txt",
      "/main.yaml~",
    ] {
      let text = name == "/main.yaml" ? table : name == "/sub/more.yml" ? "routes: [{agent: a}]" : "nonsense"
      #expect(files.createFile(atPath: root + name, contents: Data(text.utf8)))
    }
    let snapshot = try RouteTableLoader.load(directory: root + "/").get()
    #expect(snapshot.files == [root + "/main.yaml", root + "/sub/more.yml"])
    #expect(try RouteTableLoader.load(directory: root + "/main.yaml").get().routeCount == 0)
    #expect(try RouteTableLoader.load(directory: root + "/empty").get().routeCount == 0)
    guard case .failure(let problems) = RouteTableLoader.load(directory: root + "/none") else {
      Issue.record("a directory that is not there")
      return
    }
    #expect(problems.rendered.contains("error: there is no directory \(root)/none"))
  }

  @Test func faultsOfListFilesHaveTheirPlace() {
    let complaint = Fixture.complaint(
      "callerLists: {l: {file: l.txt}}", lists: ["l.txt": "+447700900123\n  +44*20 # bad\n"])
    #expect(complaint.contains("l.txt:2:3: error: a * can only stand at the end of a number"), "\(complaint)")
    #expect(complaint.contains("  2 |   +44*20 # bad\n    |   ^^^^^^"))
  }

  @Test func atMostFiftyErrorsAreListed() {
    let routes = (0..<80).map { "  - {agnet: a\($0)}\n" }.joined()
    let complaint = Fixture.complaint("routes:\n" + routes)
    #expect(complaint.hasSuffix("… and 30 more"))
    #expect(complaint.components(separatedBy: "unknown key 'agnet'").count == 51)
  }
}
