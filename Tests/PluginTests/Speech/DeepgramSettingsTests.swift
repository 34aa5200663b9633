import Foundation
import RouterCore
import Testing

@testable import DeepgramSpeech

@Suite struct DeepgramSettingsTests {
  @Test func keyTermsAreBoundedTogether() throws {
    let phrases = (0..<100).map { "wo sind Sie, bitte schön, Nummer \($0)?" }
    let settings = try DeepgramSettings(RecognitionRequest(phrases: phrases, log: .silent))
    let terms = settings.listenURL.components(separatedBy: "keyterm=").dropFirst()
    #expect((35...45).contains(terms.count), "1500 bytes of some 37 each")
    let short = try DeepgramSettings(
      RecognitionRequest(phrases: ["one", "12", String(repeating: "x", count: 61), "two"], log: .silent))
    #expect(short.listenURL.contains("keyterm=one&keyterm=two"))
  }
}
