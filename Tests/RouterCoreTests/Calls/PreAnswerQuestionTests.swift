import FoundationEssentials
import RouterCore
import Testing

@Suite struct PreAnswerQuestionTests {
  /// Gives one answer and keeps the question.
  private final class Server: HTTPSending {
    let answer: Result<HTTPResponse, HTTPError>
    let asked = Lock<HTTPRequest?>(nil)
    init(_ answer: Result<HTTPResponse, HTTPError>) { self.answer = answer }
    func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
      asked.withLock { $0 = request }
      return try answer.get()
    }
  }

  private let call = InboundCall(
    id: CallID("c-1"), channel: .sip, from: Party(user: "+447700900123"), to: Party(user: "0123"))
  private let decision = RouteDecision(
    id: "d-1", snapshotVersion: "v1", route: "front", location: nil, targets: [.reject(CallEnd(.noRoute))],
    summary: "route front")

  private func outcome(
    _ answer: Result<HTTPResponse, HTTPError>, onFailure: PreAnswerHook.Default = .proceed
  ) async -> PreAnswerQuestion.Outcome {
    let hook = PreAnswerHook(url: "http://127.0.0.1/hook", onFailure: onFailure)
    return await PreAnswerQuestion(hook, over: Server(answer)).ask(about: call, decision)
  }

  private func answered(_ body: String, status: Int = 200) -> Result<HTTPResponse, HTTPError> {
    .success(HTTPResponse(status: status, body: Array(body.utf8)))
  }

  @Test func answersAreTyped() async {
    let cases: [(String, PreAnswerAdvice)] = [
      ("", .proceed), ("{}", .proceed), (#"{"action":"continue"}"#, .proceed),
      (#"{"action":"agent","agent":"night"}"#, .agent("night", overrides: [:])),
      (
        #"{"action":"agent","agent":"a","overrides":{"voiceId":"x"}}"#,
        .agent("a", overrides: ["voiceId": "x"])
      ),
      (#"{"action":"transfer","transfer":"sip:200@pbx"}"#, .transfer(TransferRequest(target: "sip:200@pbx"))),
      (
        #"{"action":"reject","code":486,"reason":"Busy Here"}"#,
        .reject(CallEnd(.rejectedByRoute, text: "Busy Here", sipStatus: 486))
      ),
    ]
    for (body, advice) in cases {
      let outcome = await outcome(answered(body), onFailure: .reject)
      #expect(outcome.advice == advice, "\(body)")
      #expect(outcome.isAnswered)
    }
  }

  @Test func whatIsNoAnswerTakesTheDefault() async {
    let useless: [Result<HTTPResponse, HTTPError>] = [
      answered("{}", status: 500), answered("<html>"), answered(#"{"action":"dance"}"#),
      answered(#"{"action":"agent"}"#), answered(#"{"action":"reject","code":200}"#), answered("[1]"),
      .failure(HTTPError(.timedOut, "late")), .failure(HTTPError(.refused, "127.0.0.1: refused")),
    ]
    for answer in useless {
      let proceeding = await outcome(answer)
      #expect(proceeding.advice == .proceed)
      #expect(!proceeding.isAnswered)
      guard case .reject(let end) = await outcome(answer, onFailure: .reject).advice else {
        Issue.record("must be refused: \(answer)")
        continue
      }
      #expect(end.sipStatus == 503)
    }
  }

  @Test func theQuestionIsSignedAndHasADeadline() async throws {
    let server = Server(answered("{}"))
    let hook = PreAnswerHook(url: "http://127.0.0.1/hook", secret: "sesame")
    let question = PreAnswerQuestion(hook, over: server)
    _ = await question.ask(about: call, decision, now: Date(timeIntervalSince1970: 1000))
    let request = try #require(server.asked.withLock { $0 })
    let body = try #require(request.body)
    #expect(request.deadline == .milliseconds(300))
    let expected = Digest.hexadecimal(Digest.authenticate(Array("1000.".utf8) + body, key: "sesame".utf8))
    #expect(request.headers.contains(Header("X-Routerd-Signature", "t=1000,v1=\(expected)")))
    let text = String(decoding: body, as: UTF8.self)
    #expect(text.contains(#""id":"c-1""#) && text.contains(#""route":"front""#) && !text.contains("sesame"))
  }
}
