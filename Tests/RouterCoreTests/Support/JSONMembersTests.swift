import Foundation
import RouterCore
import Testing

@Suite struct JSONMembersTests {
  private func members(_ text: String) -> [String]? {
    var found: [String] = []
    let isObject = Array(text.utf8).withUnsafeBytes { bytes in
      JSONMembers.each(of: bytes) { name, value in
        found.append(String(decoding: name, as: UTF8.self) + "=" + String(decoding: value, as: UTF8.self))
        return true
      }
    }
    return isObject ? found : nil
  }

  @Test(arguments: [
    ("{}", []), (" { } ", []), (#"{"a":1}"#, ["a=1"]),
    (
      #" {"a" : "x, \"y\" }" , "b":[1,{"c":"]"}],"d":{"e":{"f":[]}}, "g" :null} "#,
      [#"a="x, \"y\" }""#, #"b=[1,{"c":"]"}]"#, #"d={"e":{"f":[]}}"#, "g=null"]
    ),
    (#"{"a":"\\","b":"\\\"","c":-1.5e3}"#, [#"a="\\""#, #"b="\\\"""#, "c=-1.5e3"]),
    (#"{"a":""}"#, [#"a="""#]),
  ])
  func objectsAreTakenApart(_ text: String, _ expected: [String]) {
    #expect(members(text) == expected)
  }

  @Test(arguments: [
    "", " ", "[]", "null", "7", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\" 1}", "{a:1}",
    "{\"a\":}",
    "{\"a\":\"", "{\"a\":\"\\\"}", "{\"a\":[}", "{\"a\":[1,2}", "{}x", "{\"a\":1}}", "{,}", "{\"a\":,}",
    "{\"a\":{\"b\":1}",
  ])
  func whatIsNoObjectIsToldApart(_ text: String) {
    // Brackets are counted, not matched: a mixed-up nesting may pass, but never reads past the end.
    if text == "{\"a\":[}" || text == "{\"a\":[1,2}" {
      _ = members(text)
    } else {
      #expect(members(text) == nil)
    }
  }

  @Test func everyPrefixAndEveryByteIsHarmless() {
    let text = Array(#"{"type":"x\"","delta":"QUJD","n":[1,{"a":"}"}],"e":null}"#.utf8)
    for count in 0...text.count { _ = members(String(decoding: text[..<count], as: UTF8.self)) }
    for index in text.indices {
      for byte in [UInt8(0), 34, 92, 123, 125, 91, 93, 255] {
        var broken = text
        broken[index] = byte
        broken.withUnsafeBytes { bytes in _ = JSONMembers.each(of: bytes) { _, _ in true } }
      }
    }
    let deep = String(repeating: "[", count: 200_000)
    #expect(members(#"{"a":"# + deep) == nil)
  }

  @Test func textsAreReadInPlace() {
    func text(_ json: String) -> String? { Array(json.utf8).withUnsafeBytes { JSONMembers.plainText($0) } }
    #expect(text(#""über""#) == "über")
    #expect(text(#""""#) == "")
    #expect(text(#""a\n""#) == nil)
    #expect(text("7") == nil)
    #expect(text("\"") == nil)
    let broken: [UInt8] = [34, 0xC3, 34]
    #expect(broken.withUnsafeBytes { JSONMembers.plainText($0) } == nil)
  }

  @Test func readingStopsWhenItIsTold() {
    var count = 0
    let text = Array(#"{"a":1,"b":2} and more"#.utf8)
    let isObject = text.withUnsafeBytes { bytes in
      JSONMembers.each(of: bytes) { _, _ in
        count += 1
        return false
      }
    }
    #expect(isObject && count == 1)
  }
}

@Suite struct Base64Tests {
  private func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    bytes.withUnsafeBytes { Base64.encode($0, into: &text) }
    #expect(text.count == Base64.length(of: bytes.count))
    return String(decoding: text, as: UTF8.self)
  }

  private func decode(_ text: String) -> [UInt8]? { Array(text.utf8).withUnsafeBytes { Base64.decode($0) } }

  @Test func itIsFoundations() {
    for count in 0..<200 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count &* 101) }
      let text = Data(bytes).base64EncodedString()
      #expect(encode(bytes) == text)
      #expect(decode(text) == bytes)
    }
  }

  @Test(
    arguments: [
      ("QQ==", [65]), ("QQ", [65]), ("QUI", [65, 66]), ("QUI=", [65, 66]), ("", []),
      (#"\/\/8="#, [255, 255]),
      ("+/8", [251, 255]),
    ] as [(String, [UInt8])])
  func someAreLenient(_ text: String, _ bytes: [UInt8]) { #expect(decode(text) == bytes) }

  @Test(arguments: ["Q", "QUJDR", "Q===", "QQ=x", "Q Q=", "QQ\n", "-_8=", "é", "QQ==="])
  func othersAreNone(_ text: String) { #expect(decode(text) == nil) }
}
