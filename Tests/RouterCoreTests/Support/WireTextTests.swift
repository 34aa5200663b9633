import Foundation
import Testing

@testable import RouterCore

/// Base 64, JSON in place, and forms.
@Suite struct WireTextTests {
  @Test func base64IsFoundations() {
    for count in 0..<200 {
      let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max) }
      let text = Data(bytes).base64EncodedString()
      #expect(Base64.encode(bytes) == text)
      #expect(Base64.decode(text) == bytes)
      #expect(Base64.decode(text.replacingOccurrences(of: "/", with: "\\/")) == bytes)
      #expect(Base64.decode(text.filter { $0 != "=" }) == bytes)
    }
  }

  @Test(arguments: ["a", "abcde", "ab=c", "ab c", "äöü", "%", "ab==cd"]) func whatIsNoBase64(text: String) {
    #expect(Base64.decode(text) == nil)
    var bytes: [UInt8] = [1, 2]
    #expect(!Array(text.utf8).withUnsafeBytes { Base64.decode($0, into: &bytes) })
    #expect(bytes == [1, 2], "nothing is appended")
  }

  private func members(_ text: String) -> [String: String]? {
    var all: [String: String] = [:]
    let isObject = Array(text.utf8).withUnsafeBytes { bytes in
      JSONScanner.members(of: bytes) { name, value in
        all[name.string ?? "?"] = value.string ?? "\(value.strings)\(value.integer.map(String.init) ?? "")"
      }
    }
    return isObject ? all : nil
  }

  @Test func objectsAreReadInPlace() {
    let text =
      #" { "a":"b\/c\n\u00e4\ud83d\ude00", "n" : 12, "s":"34","o":{"x":{"y":[1,"}"]},"z":"\""}, "e":{} } "#
    let found = members(text)
    #expect(found?["a"] == "b/c\nä😀")
    #expect(found?["n"] == "[:]12" && found?["s"] == "34" && found?["e"] == "[:]")
    var nested: [String: String]?
    let isObject = Array(text.utf8).withUnsafeBytes { bytes in
      JSONScanner.members(of: bytes) { name, value in
        if name.equals("o") { nested = value.strings }
      }
    }
    #expect(isObject && nested == ["x": #"{"y":[1,"}"]}"#, "z": "\""])
    #expect(members("{}") == [:])
  }

  @Test(arguments: [
    "", "[]", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}", "{a:1}", "{\"a\":\"b}", "{\"a\":{}", "nul",
    "{} x", "{\"a\" 1}", "{\"a\":\"\\",
  ]) func whatIsNoObject(text: String) { #expect(members(text) == nil) }

  /// Any bytes are safe to read, and what Foundation takes for an object is one.
  @Test func mutatedTextsAreSafe() {
    let seed = Array(
      #"{"event":"media","media":{"payload":"AAEC\/w==","n":[1,2,{"k":null}]},"x":"\u12ab\\"}"#.utf8)
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      var bytes = seed
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(
          in: .min ... .max, using: &generator)
      }
      bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &generator)))
      let isObject = bytes.withUnsafeBytes { text in
        JSONScanner.members(of: text) { name, value in
          _ = name.string
          _ = value.strings
          _ = value.integer
        }
      }
      // Foundation lets pass what JSON does not have (RFC 8259 sections 5 and 7): control characters, and a comma before
      // the end.
      let brackets = zip(bytes, bytes.dropFirst()).contains {
        $0 == UInt8(ascii: ",") && "]}".utf8.contains($1)
      }
      guard bytes.allSatisfy({ $0 >= 0x20 }), !brackets else { continue }
      if (try? JSONSerialization.jsonObject(with: Data(bytes))) is [String: Any] {
        #expect(isObject, "\(String(decoding: bytes, as: UTF8.self))")
      }
    }
  }

  @Test func formsKeepEverything() {
    let form = FormFields(parsing: "To=%2B1555&FromCity=&a=1&a=1&b+c=d+e%26&=x&flag&bad=%zz%4")
    #expect(
      form.all == [
        .init("To", "+1555"), .init("FromCity", ""), .init("a", "1"), .init("a", "1"), .init("b c", "d e&"),
        .init("", "x"), .init("flag", ""), .init("bad", "%zz%4"),
      ])
    #expect(form["a"] == "1" && form["none"] == nil)
    #expect(FormFields(parsing: FormFields([.init("ä b", "+&=%")]).encoded).all == [.init("ä b", "+&=%")])
  }
}
