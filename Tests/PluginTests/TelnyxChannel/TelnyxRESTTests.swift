import Foundation
import RouterCore
import RouterTesting
import Testing

@testable import TelnyxChannel

@Suite struct TelnyxRESTTests {
  private static let socket = MediaSocketInvitation(url: "wss://voice.example.com/m/1", token: "1")
  private static let callID = "v3:a/b-_c"

  private static func error(_ status: Int, _ code: String) -> HTTPResponse {
    let body = #"{"errors":[{"code":"\#(code)","title":"Title","detail":"Detail"}]}"#
    return HTTPResponse(
      status: status, headers: [Header("Retry-After", "0")], body: Array(body.utf8))
  }

  static let errors: [(status: Int, code: String, kind: TelnyxREST.Fault.Kind, tries: Int)] = [
    (422, "90018", .callOver, 1), (422, "90015", .unknownCall, 1),
    (401, "10009", .unauthorized, 1), (404, "10005", .unknownCall, 1), (429, "10011", .tooManyRequests, 2),
    (500, "x", .unavailable, 2), (422, "10015", .refused, 1),
  ]

  @Test(arguments: errors)
  func errorsAreTold(_ status: Int, _ code: String, _ kind: TelnyxREST.Fault.Kind, _ tries: Int) async throws
  {
    let requests = Journal<HTTPRequest>()
    let rest = TelnyxStage.rest { request in
      requests.note(request)
      return Self.error(status, code)
    }
    let account = try TelnyxSignatureTests.account(["apiKey": "SECRET"])
    let fault = await #expect(throws: TelnyxREST.Fault.self) {
      try await rest.command("answer", [:], id: "1", call: "v3:a", account)
    }
    #expect(fault?.kind == kind && fault?.code == code)
    #expect(fault?.message == "status \(status), \(code), Title, Detail")
    #expect(requests.events.count == tries)
    #expect(Set(requests.events.map { $0.body }).count == 1, "a repetition is known by its command_id")
    #expect(!"\(fault.map(String.init(describing:)) ?? "")".contains("SECRET"))
  }

  /// A call that is over is what its end was to bring: nothing to complain of.
  @Test func whatIsOverNeedNotEnd() async throws {
    let account = try TelnyxSignatureTests.account()
    for (status, code) in [(422, "90018"), (422, "90015"), (404, "10005")] {
      let rest = TelnyxStage.rest { _ in Self.error(status, code) }
      try await rest.command("hangup", [:], id: "1", call: "v3:a", account)
      try await rest.update("v3:a", of: "acc", TelnyxREST.over, account)
      await #expect(throws: TelnyxREST.Fault.self) {
        try await rest.update("v3:a", of: "acc", ["Texml": "<Response/>"], account)
      }
    }
  }

  /// Answers that are not what they should be; and one that comes at the second try.
  @Test func oddAnswers() async throws {
    let account = try TelnyxSignatureTests.account()
    for body in ["", "{", "[]", #"{"errors":7}"#, #"{"errors":[]}"#, #"{"errors":[{"code":90018}]}"#] {
      let rest = TelnyxStage.rest { _ in HTTPResponse(status: 422, body: Array(body.utf8)) }
      let fault = await #expect(throws: TelnyxREST.Fault.self) {
        try await rest.command("answer", [:], id: "1", call: "v3:a", account)
      }
      #expect(fault?.kind == (body.contains("90018") ? .callOver : .refused))
    }
    let tries = Journal<Int>()
    let rest = TelnyxStage.rest { (_) throws(HTTPError) in
      tries.note(1)
      if tries.events.count == 1 { throw HTTPError(.refused, "nobody there") }
      return HTTPResponse(status: 200)
    }
    try await rest.command("hangup", [:], id: "1", call: "v3:a", account)
    #expect(tries.events.count == 2)
  }

  @Test func aCallThatIsGoneCannotBeAnswered() async throws {
    for (code, reason) in [("90018", CallEnd.Reason.cancelled), ("10015", .failed)] {
      let names = Journal<String>()
      let control = TelnyxCallControl(
        try TelnyxSignatureTests.account(), call: "v3:a",
        TelnyxStage.rest { request in
          names.note(String(request.url.split(separator: "/").last ?? ""))
          return Self.error(422, code)
        })
      let error = await #expect(throws: LegError.self) { try await control.answer(Self.socket) }
      #expect(error?.end.reason == reason)
      #expect(names.events == (reason == .failed ? ["answer", "reject"] : ["answer"]))
    }
  }

  @Test func teXMLIsToldOnce() async throws {
    let bodies = Journal<String>()
    let rest = TelnyxStage.rest { request in
      bodies.note(String(decoding: request.body ?? [], as: UTF8.self))
      return HTTPResponse(status: 200)
    }
    let webhook = try #require(
      TeXMLWebhook(HTTPServerRequest(method: "POST", target: "/", body: Array("CallSid=v3:a".utf8))))
    let account = try TelnyxSignatureTests.account(["transferDomain": "pbx"])
    func control() -> DocumentCallControl {
      DocumentCallControl(.init(account, webhook, origin: "https://h", rest))
    }
    let early = control()
    await early.hangUp(CallEnd(.agentHungUp))
    #expect(early.reply.current == .hangUp && bodies.events.isEmpty)
    let busy = control()
    await busy.reject(CallEnd(.limitReached))
    #expect(busy.reply.current == .reject(isBusy: true))
    let up = control()
    try await up.answer(Self.socket)
    let transfer = Task { await up.transfer(TransferRequest(target: "0200"), Self.socket) }
    let dial = try await bodies.first { $0.contains("Texml") }
    #expect(dial.contains("https://h/voip/telnyx/dial/v3%3Aa") && dial.contains("sip:0200@pbx"))
    #expect(up.dialEnded("busy") == .connect(Self.socket))
    #expect(await transfer.value == .failed(status: 486, reason: "busy"))
    #expect(up.dialEnded("completed") == .hangUp)
    let second = Task { await up.transfer(TransferRequest(target: "+15550100009"), Self.socket) }
    _ = try await bodies.first { $0.contains("+15550100009") }
    up.targetReported("ringing")
    up.targetReported("in-progress")
    #expect(await second.value == .completed)
    #expect(up.dialEnded("completed") == .hangUp)
    await up.hangUp(CallEnd(.agentHungUp))
    #expect(bodies.events.last == #"{"Status": "completed"}"#)
  }

  /// Telnyx's own Python package says the same of the same wishes, and believes what we sign as we believe it.
  @Test func theOfficialPackageAgrees() async throws {
    let requests = Journal<HTTPRequest>()
    let rest = TelnyxStage.rest { request in
      requests.note(request)
      return HTTPResponse(status: 200)
    }
    let account = try TelnyxSignatureTests.account(["callerId": "+15550100009", "transferDomain": "pbx"])
    let control = TelnyxCallControl(account, call: Self.callID, rest)
    try await control.answer(Self.socket)
    await control.reject(CallEnd(.limitReached))
    await control.reject(CallEnd(.noRoute))
    await control.hangUp(CallEnd(.agentHungUp))
    #expect(await control.sendDigits("12,*#D"))
    for target in ["+15550100003", "0200", "sips:bob@example.com"] {
      let count = requests.events.count
      let transfer = Task { await control.transfer(TransferRequest(target: target), Self.socket) }
      try await requests.first(after: count) { $0.url.hasSuffix("/transfer") }
      transfer.cancel()
      _ = await transfer.value
    }
    await control.targetReported(.failed(status: 486, reason: "busy"), attempt: 3, isHeard: false)
    try await rest.update(Self.callID, of: "acc-1", ["Status": "completed"], account)
    try await rest.update(
      Self.callID, of: "acc-1", ["Texml": .string(CallDocument.connect(Self.socket).text)], account)
    #expect(requests.events.count == 11)

    let key = (0..<32).map { UInt8($0) }
    let time = String(Int(Date().timeIntervalSince1970))
    let body = "{\"a\": \"ü\"}"
    let input: JSONValue = [
      "requests": .array(
        requests.events.map { request in
          let url = request.url.replacing("https://api.telnyx.com", with: "")
          return [
            "path": .string(url), "call": .string(Self.callID), "owner": "acc-1",
            "method": .string(request.method), "body": JSONValue(parsing: request.body ?? []) ?? .null,
            "authorization": .string(request.headers.first { $0.name == "Authorization" }?.value ?? ""),
            "contentType": .string(request.headers.first { $0.name == "Content-Type" }?.value ?? ""),
          ]
        }),
      "publicKey": .string(Base64.encode(Signature.ed25519PublicKey(of: key) ?? [])),
      "timestamp": .string(time), "body": .string(body),
      "signature": .string(
        Base64.encode(Signature.ed25519(Array("\(time)|\(body)".utf8), privateKey: key) ?? [])),
    ]
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "telnyx_sdk.py")
    let python = try PythonEnvironment(["telnyx==4.189.0", "pynacl==1.6.2"])
    let signed = try #require(
      JSONValue(parsing: try python.run(script, input: Data(input.text.utf8)))?.array)
    #expect(signed.count == 50)
    let believer = try TelnyxSignatureTests.account([
      "publicKey": .string(Base64.encode(Signature.ed25519PublicKey(of: key) ?? []))
    ])
    for webhook in signed {
      let request = TelnyxSignatureTests.request(
        webhook["signature"]?.string, webhook["timestamp"]?.string, webhook["body"]?.string ?? "")
      let verdict = TelnyxSignature.verdict(request, [believer], now: Int(time) ?? 0)
      #expect(verdict == .right(accounts: [0]))
    }
  }
}
