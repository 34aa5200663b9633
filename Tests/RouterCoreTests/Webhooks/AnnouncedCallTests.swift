import RouterCore
import Testing

/// What providers write in their webhooks, whoever they are.
@Suite struct AnnouncedCallTests {
  @Test(arguments: [
    ("+15550001", "+15550001", "", "+15550001"), ("client:ann", "ann", "", "client:ann"),
    (
      "sip:ann@pbx.example.com;transport=tls", "ann", "pbx.example.com",
      "sip:ann@pbx.example.com;transport=tls"
    ),
    ("ann@pbx.example.com", "ann", "pbx.example.com", "sip:ann@pbx.example.com"),
    ("0200", "0200", "", "0200"),
    ("sip:a@b@c?x=y", "a", "b@c", "sip:a@b@c?x=y"),
  ])
  func parties(_ text: String, _ user: String, _ host: String, _ uri: String) {
    let party = Party(announced: text, name: "")
    #expect(party == Party(user: user, host: host, uri: uri))
    #expect(Party(announced: text, name: "Ann").displayName == "Ann")
  }

  @Test(arguments: [
    "", "Anonymous", "restricted", "+266696687", "sip:", "sip:anonymous@anonymous.invalid",
    "x@Anonymous.invalid",
  ])
  func nobody(_ text: String) { #expect(Party(announced: text).isAnonymous) }

  private func call(_ fields: [(name: String, value: String)]) -> InboundCall {
    InboundCall(
      announcedBy: "ringer", id: "1", from: Party(user: "a"), to: Party(user: "b"), fields: fields,
      HTTPServerRequest(method: "POST", target: "/"), agent: "support")
  }

  @Test func fieldsAreBounded() {
    let call = call([("X-Tenant", "red")])
    #expect(call.channel == .voip && call.provider == "ringer" && call.foreignID == "1")
    #expect(call.defaultAgent == "support" && call.values(ofHeader: "x-tenant") == ["red"])
    #expect(self.call(Array(repeating: ("a", "b"), count: 1000)).headers.count == 64)
    #expect(self.call([("a", String(repeating: "b", count: 20_000))]).headers.isEmpty)
  }

  @Test(arguments: [
    ("completed", CallEnd.Reason.callerHungUp), ("canceled", .cancelled), ("no-answer", .cancelled),
    ("busy", .cancelled), ("failed", .failed), ("ringing", nil), ("tomorrow", nil), (nil, nil),
  ])
  func statuses(_ status: String?, _ reason: CallEnd.Reason?) {
    #expect(CallEnd(callStatus: status)?.reason == reason)
  }
}

@Suite struct HandOverTests {
  private static let socket = MediaSocketInvitation(url: "wss://h/m", token: "m")
  private static let failed = TransferOutcome.failed(status: 486, reason: "busy")

  private func begin(_ handOver: HandOver, to target: String = "0200") async -> Task<TransferOutcome, Never> {
    let isAsked = OneShot<Void>()
    let task = Task {
      await handOver.run(TransferRequest(target: target, timeout: 5), Self.socket, domain: "pbx") { _, _ in
        isAsked.resolve(())
        return nil
      }
    }
    await isAsked.value(cancelled: ())
    return task
  }

  @Test func theCallerComesBackFromABusyTarget() async {
    let handOver = HandOver()
    let asking = await begin(handOver)
    #expect(handOver.ended(Self.failed) == Self.socket)
    #expect(await asking.value == Self.failed)
    #expect(handOver.ended(Self.failed) == nil && !handOver.answered())
  }

  @Test func aCallerWhoWasConnectedIsGone() async {
    let handOver = HandOver()
    let asking = await begin(handOver)
    #expect(handOver.answered() && !handOver.answered())
    #expect(await asking.value == .completed)
    #expect(handOver.ended(.completed) == nil && handOver.ended(Self.failed) == nil)
  }

  /// Nobody waits any longer; the sound has to come back all the same.
  @Test func newsMayComeLate() async {
    let handOver = HandOver()
    let asking = await begin(handOver)
    asking.cancel()
    #expect(await asking.value == .callerHungUp)
    #expect(handOver.ended(Self.failed, attempt: 1) == Self.socket)
    let second = await begin(handOver)
    #expect(handOver.ended(Self.failed, attempt: 1) == nil, "an attempt before this one")
    #expect(handOver.ended(.completed, attempt: 2) == nil)
    #expect(await second.value == .completed)
  }

  @Test func whatCannotBeAskedIsRefused() async {
    let handOver = HandOver()
    let request = TransferRequest(target: "0200", timeout: 5)
    let nowhere = await handOver.run(request, Self.socket, domain: nil) { _, _ in nil }
    let isRefused = if case .refused(status: 484, _) = nowhere { true } else { false }
    #expect(isRefused, "\(nowhere)")
    let refused = await handOver.run(request, Self.socket, domain: "pbx") { target, attempt in
      #expect(target == .sip("sip:0200@pbx") && attempt == 1)
      return .refused(status: 403, reason: "no")
    }
    #expect(refused == .refused(status: 403, reason: "no"))
    #expect(handOver.ended(Self.failed) == nil)
  }
}
