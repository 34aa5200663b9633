import Foundation
import RouterCore
import RouterTesting
import Testing

/// The channel of docs/ADAPTERS.md: it is the code that is tested here, and it does what every channel does.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ExampleRingerTests {
  @Test func theDocumentShowsTheTestedCode() throws {
    let code = try ExampleBeeperTests.text("Tests/PluginTests/ExampleRinger.swift")
    let document = try ExampleBeeperTests.text("docs/ADAPTERS.md")
    #expect(document.contains("```swift\n\(code)```\n"), "docs/ADAPTERS.md and ExampleRinger.swift differ")
  }

  @Test func itDoesWhatEveryChannelDoes() async {
    let violations = await ChannelConformance.violations { try await RingerDriver($0) }
    #expect(violations.isEmpty, "\(violations)")
  }
}

/// What the web around a channel does.
@Suite(.timeLimit(.minutes(1))) struct MediaAddressTests {
  /// A proxy that mangles the first request, or somebody who looks what is there, costs no call.
  @Test func onlyASocketUsesTheAddressUp() async throws {
    let answered = OneShot<Bool>()
    let driver = try await RingerDriver(
      CallIntake { _, leg in
        let media = try? await leg.answer(AnswerOptions())  // what comes of it is the test's question
        answered.resolve(media != nil)
      })
    let caller = RingerCaller(driver.stage)
    let words = try await caller.tell("ringing").split(separator: " ").map(String.init)
    let address = try #require(words.last)
    for version in ["8", "13"] {
      let request = HTTPRequest(
        url: "http" + address.dropFirst(2),
        headers: [Header("Upgrade", "websocket"), Header("Sec-WebSocket-Version", version)],
        deadline: .seconds(20))
      let refusal = try await caller.client.send(request)
      #expect(refusal.status == 426)
      #expect(refusal.header("Sec-WebSocket-Version") == "13")
    }
    let socket = try await WebSocket.connect(address, over: caller.client)
    await socket.start(onMessage: { _ in }, onClose: { _ in })
    socket.send(.text("start \(caller.id)"))
    #expect(await answered.value(cancelled: false))
    await driver.stop()
  }
}

/// The provider, as small as it is.
final class RingerDriver: ChannelDriver {
  let stage: VoIPStage<RingerChannel>
  var capabilities: ChannelCapabilities { RingerChannel.capabilities }

  init(_ intake: CallIntake) async throws {
    stage = try await VoIPStage(RingerChannel.self, NoConfiguration(), intake: intake) { type in
      type == "ringer" ? [ProviderAccount(name: "main", settings: ["type": "ringer", "key": "sesame"])] : []
    }
  }

  func call() async throws -> any ChannelCaller {
    let caller = RingerCaller(stage)
    caller.ring()
    return caller
  }

  func held() async -> Int { stage.channel.calls.count + stage.channel.calls.openAddresses }
  func stop() async { await stage.stop() }
}

/// One call of the provider's.
final class RingerCaller: ChannelCaller {
  let events = Journal<CallerEvent>()
  let id = "R" + Secret.token()
  private let stage: VoIPStage<RingerChannel>
  private let socket = Lock<WebSocket?>(nil)

  init(_ stage: VoIPStage<RingerChannel>) { self.stage = stage }

  var client: HTTPClient { stage.clients.client(on: stage.loops.signalling) }

  func tell(_ event: String) async throws -> String {
    let body = Array(#"{"id":"\#(id)","event":"\#(event)","from":"+15550100001","to":"+15550100002"}"#.utf8)
    let signature = Digest.hexadecimal(Digest.authenticate(body, key: "sesame".utf8))
    return try await client.send(
      HTTPRequest(
        "POST", url: stage.origin + "/voip/ringer",
        headers: [Header("X-Ringer-Signature", signature), Header("Content-Type", "application/json")],
        body: body, deadline: .seconds(20))
    ).text
  }

  func ring() {
    Task {
      let answer = try await tell("ringing").split(separator: " ").map(String.init)
      guard answer.count == 2, answer[0] == "answer" else {
        return events.note(.refused(status: answer.last.flatMap { Int($0) } ?? 0))
      }
      let socket = try await WebSocket.connect(answer[1], over: client)
      self.socket.withLock { $0 = socket }
      events.note(.answered)
      await socket.start(
        onMessage: { message in
          // Everything is played at once here, so marks come back at once.
          if case .text(let text) = message, text.starts(with: "mark".utf8) { socket.send(message) }
        }, onClose: { [events] _ in events.note(.ended) })
      socket.send(.text("start \(id)"))
    }
  }

  func cancel() async throws { _ = try await tell("over") }

  func hangUp() async throws {
    if let socket = socket.withLock({ $0 }) {
      socket.send(.text("stop"))
      await socket.close()
      // What is told by another connection must not overtake what is still to be read on this one.
      try await events.wait(for: .ended)
    }
    _ = try await tell("over")
  }

  func press(_ keys: String) async throws {
    for key in keys { socket.withLock { $0 }?.send(.text("key \(key)")) }
  }

  func speak(milliseconds: Int) async throws {
    for _ in 0..<milliseconds / 20 {
      socket.withLock { $0 }?.send(.binary([UInt8](repeating: 0x2A, count: 160)))
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  func transferTarget(answers: Bool) async throws {}
}
