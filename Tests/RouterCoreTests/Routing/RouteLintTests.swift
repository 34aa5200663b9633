import FoundationEssentials
import Testing

@testable import RouterCore

@Suite struct RouteLintTests {
  private func lint(_ routes: String, _ more: String = "") throws -> String {
    let snapshot = try Fixture.snapshot("agents: {a: {}, b: {}}\n\(more)\nroutes:\n\(routes)")
    return snapshot.lint(now: Date(timeIntervalSince1970: 1_767_787_200)).rendered
  }

  @Test(arguments: [
    "- {name: x, match: {to: +44207}, agent: a}\n- {name: y, match: {to: +44207}, agent: b}",
    "- {name: x, match: {to: +44207, channel: [sip, voip]}, agent: a}\n- {name: y, match: {to: +44207, channel: sip}, agent: b}",
    "- {name: y, match: {to: +44207}, agent: a}\n- {name: x, agent: b, priority: 1}",
    "- {name: y, match: {to: +44207, channel: sip}, agent: a}\n- {name: x, match: {to: \"+44*\", channel: sip}, agent: b, priority: 1}",
    "- {name: y, match: {to: [+44207, +44208]}, agent: a}\n- {name: x, match: {to: \"+4420*\"}, agent: b, priority: 1}",
    "- {name: y, match: {to: \"+4420*\"}, agent: a}\n- {name: x, match: {to: \"+44*\"}, agent: b, priority: 1}",
    "- {name: x, match: {to: \"+44???\"}, agent: a}\n- {name: y, match: {to: \"+44???\"}, agent: b}",
    "- {name: x, match: {to: '/^44/'}, agent: a}\n- {name: y, match: {to: '/^44/', channel: sip}, agent: b}",
    "- {name: x, agent: a}\n- {name: y, match: {channel: sip}, agent: b}",
    "- {name: x, match: {to: \"*\"}, agent: a}\n- {name: y, match: {to: '/^44/'}, agent: b}",
    "- {name: x, match: {to: sales, percent: 100}, agent: a}\n- {name: y, match: {to: sales}, agent: b}",
  ])
  func aRouteThatCanNeverWinIsNamedWithTheOneBeforeIt(routes: String) throws {
    let found = try lint(routes)
    #expect(found.contains("warning: route y can never win"), "\(found)")
    #expect(found.contains("route x takes all of its calls before it"), "\(found)")
  }

  @Test(arguments: [
    "- {name: x, match: {to: +44207, channel: sip}, agent: a}\n- {name: y, match: {to: +44207}, agent: b}",
    "- {name: y, match: {to: +44207}, agent: a}\n- {name: x, match: {to: \"+44*\"}, agent: b}",
    "- {name: y, match: {to: [+44207, +49207]}, agent: a}\n- {name: x, match: {to: \"+44*\"}, agent: b, priority: 1}",
    "- {name: y, match: {to: \"+44*\"}, agent: a}\n- {name: x, match: {to: \"+4420*\"}, agent: b, priority: 1}",
    "- {name: x, match: {to: sales, percent: 50}, agent: a}\n- {name: y, match: {to: sales}, agent: b}",
    "- {name: x, match: {to: '/^44/'}, agent: a}\n- {name: y, match: {to: '/^45/'}, agent: b}",
    "- {name: x, match: {to: \"+44???\"}, agent: a}\n- {name: y, match: {to: \"+44??1\"}, agent: b}",
  ])
  func aRouteThatCanWinIsNot(routes: String) throws { #expect(try lint(routes) == "") }

  @Test(arguments: [
    ("from: vip", "write {list: vip} for the caller list"),
    ("from: [1, anon]", "write 'anonymous' for withheld"),
    ("to: '^\\+44'", "write /…/ around a regular expression"), ("from: '44(1|2)*'", "write /…/ around"),
    ("to: sales.one_2", nil), ("from: '/^44(1|2)/'", nil), ("to: [\"*\", 2??]", nil),
  ])
  func textsThatLookLikeSomethingElse(condition: String, hint: String?) throws {
    let table = """
      callerLists: {vip: {numbers: [+447700900123]}}
      routes: [{match: {\(condition)}, reject: 404}, {match: {from: {list: vip}}, reject: 404}]
      """
    let warnings = try Fixture.snapshot(table).warnings
    #expect(
      warnings.all.compactMap(\.hint).first?.contains(hint ?? "") == (hint == nil ? nil : true), "\(warnings)"
    )
  }

  @Test func tiesOfTwoFilesAreNamed() throws {
    let source = Fixture.source([
      (
        "routes/a.yaml", "routes: [{name: x, match: {to: +44207, channel: sip}, agent: a}]\n" + Fixture.agents
      ),
      ("routes/b.yaml", "routes: [{name: y, match: {to: +44207, from: anonymous}, agent: b}]"),
    ])
    let lint = try RouteTableLoader.load(source).get().lint().rendered
    #expect(
      lint.contains("routes/b.yaml:1:1: warning: only the names of the files put route y behind x"), "\(lint)"
    )
  }

  @Test func fallbacksBehindARejectionAreNamed() throws {
    let found = try lint("- {name: x, agent: a, fallback: [{reject: 486}, {agent: b}]}")
    #expect(found.contains("what stands behind a rejection in 'fallback' is never tried"))
    #expect(try lint("- {name: x, agent: a, fallback: [{agent: b}, {reject: 486}]}") == "")
  }

  @Test func schedulesThatDoNotOpenAreNamed() throws {
    let schedule = "schedules: {s: {timezone: UTC, open: mon-fri, closed: \"*-*-*\"}}"
    let found = try lint("- {match: {schedule: s}, agent: a}\n- {agent: b}", schedule)
    #expect(found.contains("the schedule 's' does not open in the next two years"), "\(found)")
  }

  @Test func singleLinesAreWarnedOfWhenATableIsLoaded() throws {
    let snapshot = try Fixture.snapshot(
      """
      numbering: {region: GB}
      agents: {a: {}, idle: {}}
      callerLists: {unused: {numbers: [020 7946 0001]}}
      routes:
        - {match: {to: 020 7946 0002}, agent: a}
        - {match: {to: 7946000}, agent: a}
      """)
    let found = snapshot.warnings.rendered
    #expect(found.contains("5:18: warning: '020 7946 0002' is read as +442079460002"), "\(found)")
    #expect(
      found.contains("6:18: warning: '7946000' is compared with what the network sends, digit by digit"))
    #expect(found.contains("2:17: warning: no route, connection or fallback names the agent 'idle'"))
    #expect(found.contains("no route uses the caller list 'unused'"))
  }

  @Test func providersSayWhatTheyWillNotDo() throws {
    let snapshot = try Fixture.snapshot("agents: {a: {providerSettings: {temperature: 1}}, b: {}}")
    let lint = snapshot.lint(advice: [
      "offline": { $0.providerSettings["temperature"] == nil ? [] : ["no temperature"] }
    ])
    #expect(lint.rendered.contains("agent a: no temperature") && !lint.rendered.contains("agent b"))
    #expect(lint.all.map { $0.location?.description } == ["routes/main.yaml:1:10"])
  }

  @Test func aConnectionIsNotRegistered() throws {
    let found = try lint(
      "- {agent: b}",
      "connections: {desk: {agentId: a, settings: {server: pbx, domain: x, username: y, password: z}}}")
    #expect(found.contains("main.yaml:2:15: warning: the connection 'desk' is not registered"), "\(found)")
  }
}
