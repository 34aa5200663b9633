import RouterCore
import RouterTesting
import Testing

/// The suite for tools finds what it is meant to find.
@Suite struct ToolConformanceTests {
  enum Flaw: CaseIterable {
    case offersNothing, offersTwice, foreignKind, namesAnotherCall, answersAnything, takesEverything,
      hangsOnClose,
      ignoresCancellation

    /// The promise that is broken.
    var rule: String {
      switch self {
      case .offersNothing: "there is something to use"
      case .offersTwice: "no name is offered twice"
      case .foreignKind: "its functions are of its kinds"
      case .namesAnotherCall: "a result has the call's identifier"
      case .answersAnything: "what is not there gives no result"
      case .takesEverything: "an answer that nobody asked for is refused"
      case .hangsOnClose: "closing ends soon, also twice and while a tool runs"
      case .ignoresCancellation: "a run that is cancelled ends"
      }
    }
  }

  struct Adapter: ToolAdapter, ToolSession {
    let flaw: Flaw?
    var kinds: [String] { flaw == .foreignKind ? ["other"] : ["fake"] }
    var offers: [ToolOffer] {
      let offer = ToolOffer(Tool(name: "look", description: "Looks."))
      return flaw == .offersNothing ? [] : flaw == .offersTwice ? [offer, offer] : [offer]
    }
    func open(_ request: ToolRequest) async throws -> any ToolSession { self }
    func run(_ call: ToolCall) async throws -> ToolResult {
      if call.name != "look", flaw != .answersAnything { throw ToolFailure("there is no such tool") }
      if flaw == .ignoresCancellation, Task.isCancelled { await Latch().waitStubbornly() }
      return ToolResult(callID: flaw == .namesAnotherCall ? "x" : call.id, output: "seen")
    }
    func take(_ result: ToolResult) -> Bool { flaw == .takesEverything }
    func close() async { if flaw == .hangsOnClose { await Latch().waitStubbornly() } }
  }

  static func violations(_ flaw: Flaw?) async -> [Violation] {
    await ToolConformance.violations([FunctionDefinition(key: "look", kind: "fake")], within: .seconds(1)) {
      Adapter(flaw: flaw)
    }
  }

  @Test(arguments: Flaw.allCases) func aBrokenAdapterIsFound(flaw: Flaw) async {
    let violations = await ToolConformanceTests.violations(flaw)
    #expect(violations.contains { $0.rule == flaw.rule }, "\(violations)")
  }

  @Test func aGoodOnePasses() async { #expect(await ToolConformanceTests.violations(nil).isEmpty) }

  @Test func theFakeConforms() async {
    let function = FunctionDefinition(key: "echo", kind: "fake")
    let violations = await ToolConformance.violations([function]) { FakeTool() }
    #expect(violations.isEmpty, "\(violations)")
  }
}
