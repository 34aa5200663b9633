import Foundation
import RouterCore
import RouterTesting
import Testing

@testable import TelnyxChannel

@Suite struct TelnyxWireTests {
  private func events(_ texts: [String], takesKey: Bool = true) -> [String] {
    let notices = Journal<String>()
    var codec = TelnyxMediaCodec(
      takesKey: { takesKey },
      notice: { notice in
        switch notice {
        case .unusable(let why): notices.note("unusable \(why)")
        case .fault(let text): notices.note("fault \(text)")
        }
      })
    var events: [String] = []
    for text in texts {
      codec.read(.text(text)) { event in
        switch event {
        case .started(let start):
          events.append("started \(start.callID ?? "-") \(start.codec) \(start.hears.encoding)")
        case .audio(let bytes, let number):
          events.append("audio \(Array(bytes)) \(number.map(String.init) ?? "-")")
        case .digit(let digit): events.append("digit \(digit)")
        case .mark(let name): events.append("mark \(name)")
        case .stopped: events.append("stopped")
        case .malformed: events.append("malformed")
        }
      }
    }
    return events + notices.events
  }

  private static func start(_ format: String) -> String {
    #"{"event":"start","sequence_number":"1","stream_id":"32DE","start":{"user_id":"u","call_control_id":"v3:a","client_state":"","from":"+1","to":"+2","tags":[],"custom_parameters":{"media_format":"x"},"media_format":\#(format)}}"#
  }

  /// A stream as Telnyx's documentation has it, line by line.
  @Test func aTranscriptIsRead() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "wire.jsonl")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
    let sound = (
      first: [126] + [Int](repeating: 255, count: 23), second: [Int](repeating: 255, count: 23) + [126]
    )
    #expect(
      events(lines) == [
        "started v3:demo PCMU muLaw", "audio \(sound.first) 2", "audio \(sound.second) 1", "digit 1",
        "mark 0.7",
        "stopped", "fault 100002, unknown_error, unknown",
      ])
  }

  @Test func aWholeStreamIsRead() {
    #expect(
      events([
        #"{"event":"connected","version":"1.0.0"}"#,
        Self.start(#"{"encoding":"PCMA","sample_rate":8000,"channels":1}"#),
        #"{"event":"media","sequence_number":"4","stream_id":"32DE","media":{"track":"inbound","chunk":"2","timestamp":"5","payload":"\/\/8A"}}"#,
        #"{"event":"media","media":{"track":"outbound","chunk":"3","payload":"AAAA"}}"#,
        #"{"event":"media","media":{"payload":"AQ=="}}"#,
        #"{"event":"dtmf","stream_id":"32DE","occurred_at":"x","dtmf":{"digit":"a"}}"#,
        #"{"event":"mark","mark":{"name":"0.1"}}"#,
        #"{"event":"error","payload":{"code":100002,"title":"unknown_error","detail":"what"}}"#,
        #"{"event":"tomorrow","media":7}"#,
        #"{"event":"stop","stop":{"call_control_id":"v3:a"}}"#,
      ]) == [
        "started v3:a PCMA aLaw", "audio [255, 255, 0] 2", "audio [1] -", "digit A", "mark 0.1", "stopped",
        "fault 100002, unknown_error, what",
      ])
    #expect(events([#"{"event":"dtmf","dtmf":{"digit":"1"}}"#], takesKey: false).isEmpty)
  }

  /// What is heard is what `start` says, and nothing else can be.
  @Test(arguments: [
    (#"{"encoding":"PCMU","sample_rate":8000,"channels":1}"#, true),
    (#"{"encoding":"pcmu","sample_rate":"8000"}"#, true),
    (#"{"encoding":"G722","sample_rate":8000,"channels":1}"#, false),
    (#"{"encoding":"L16","sample_rate":16000,"channels":1}"#, false),
    (#"{"encoding":"PCMU","sample_rate":16000,"channels":1}"#, false),
    (#"{"encoding":"PCMU","sample_rate":8000,"channels":2}"#, false), ("{}", false), ("null", false),
  ])
  func theCodecIsTheStreamsOwn(_ format: String, _ isUsable: Bool) {
    let seen = events([Self.start(format)])
    if isUsable {
      #expect(seen == ["started v3:a PCMU muLaw"])
    } else {
      #expect(seen.count == 2 && seen[0] == "malformed" && seen[1].hasPrefix("unusable the stream comes as"))
    }
  }

  @Test(arguments: [
    "", "{", "[]", "null", "{}", #"{"event":"media"}"#, #"{"event":"media","media":{"payload":"%%%"}}"#,
    #"{"event":"media","media":{"payload":""}}"#, #"{"event":"media","media":[]}"#, #"{"event":"start"}"#,
    #"{"event":"dtmf","dtmf":{"digit":"55"}}"#, #"{"event":"dtmf"}"#, #"{"event":"mark","mark":{}}"#,
  ])
  func whatIsBrokenIsCounted(_ text: String) { #expect(events([text]) == ["malformed"]) }

  @Test func binaryIsBroken() {
    var codec = TelnyxMediaCodec(notice: { _ in })
    var count = 0
    codec.read(.binary([1])) { if case .malformed = $0 { count += 1 } }
    #expect(count == 1)
  }

  @Test func errorsAreToldAFewTimes() {
    let error = #"{"event":"error","payload":{"code":1,"title":"t","detail":"d"}}"#
    #expect(events(Array(repeating: error, count: 100)).count == 5)
  }

  /// Any bytes are safe to read.
  @Test func mutatedMessagesAreSafe() {
    let seeds = [
      Self.start(#"{"encoding":"PCMU","sample_rate":8000}"#),
      #"{"event":"media","media":{"track":"inbound","chunk":"1","payload":"//79/Pv6"}}"#,
    ].map { Array($0.utf8) }
    var codec = TelnyxMediaCodec(notice: { _ in })
    for _ in 0..<10_000 {
      guard var bytes = seeds.randomElement() else { return }
      for _ in 0..<Int.random(in: 1...5) { bytes[Int.random(in: bytes.indices)] = .random(in: .min ... .max) }
      codec.read(.text(Array(bytes.prefix(.random(in: 0...bytes.count))))) { _ in }
    }
  }

  @Test func whatWeSay() {
    var codec = TelnyxMediaCodec(notice: { _ in })
    let frame: [UInt8] = [1, 2, 3]
    #expect(
      frame.withUnsafeBytes { codec.audio($0) } == .text(#"{"event":"media","media":{"payload":"AQID"}}"#))
    #expect(codec.clear() == .text(#"{"event":"clear"}"#))
    #expect(codec.mark("1.2") == .text(#"{"event":"mark","mark":{"name":"1.2"}}"#))
  }

  /// Keys come by two ways, the webhooks' late: each press counts once, whichever way is ahead.
  @Test func keysCountOnce() throws {
    let control = TelnyxCallControl(
      try TelnyxSignatureTests.account(), call: "v3:a", TelnyxStage.rest { _ in HTTPResponse(status: 200) })
    let ways = [true, true, true, false, false, true, false, false, false, false, true, true]
    let counted = [true, true, true, false, false, true, false, false, true, true, false, false]
    #expect(ways.map { control.takesKey(ofSocket: $0) } == counted)
  }
}
