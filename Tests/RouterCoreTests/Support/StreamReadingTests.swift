import RouterCore
import Testing

/// Line splitters, server-sent events and forms, fed whole, byte by byte, and cut everywhere.
@Suite struct StreamReadingTests {
  private static let endings: [(String, LineSplitter.Ending, [String], String?)] = [
    ("a\nb\n", .lineFeed, ["a", "b"], nil),
    ("a\r\nb\r\n", .lineFeed, ["a", "b"], nil),
    ("a\n\n\r\nb", .lineFeed, ["a", "", ""], "b"),
    ("a\rb\n", .lineFeed, ["a\rb"], nil),
    ("a\r", .lineFeed, [], "a"),
    ("a\rb\r\nc\nd", .any, ["a", "b", "c"], "d"),
    ("a\r\n\r\nb", .any, ["a", ""], "b"),
    ("a\n\r\n", .any, ["a", ""], nil),
    ("\r\r", .any, ["", ""], nil),
    ("", .any, [], nil),
    ("Grüße 😀\n", .lineFeed, ["Grüße 😀"], nil),
  ]

  @Test(arguments: endings)
  func lines(_ text: String, _ ending: LineSplitter.Ending, _ lines: [String], _ rest: String?) throws {
    for size in [1, 2, 3, 1000] {
      var splitter = LineSplitter(ending)
      var found: [String] = []
      for piece in pieces(text, size) {
        found += try splitter.add(piece).map { String(decoding: $0, as: UTF8.self) }
      }
      #expect(found == lines, "in pieces of \(size)")
      #expect(splitter.rest().map { String(decoding: $0, as: UTF8.self) } == rest)
      #expect(splitter.rest() == nil)
    }
  }

  @Test func longLinesAreRefused() throws {
    var splitter = LineSplitter(maximumLineBytes: 5)
    #expect(try splitter.add(Array("12345\n12345\n".utf8)).count == 2)
    #expect(throws: LineSplitter.LineTooLong.self) { try splitter.add(Array("123456".utf8)) }
  }

  private static let streams: [(String, [ServerSentEvent])] = [
    ("data: one\n\ndata: two\n\n", [.init(data: "one"), .init(data: "two")]),
    ("data:one\r\n\r\ndata:  two\r\r", [.init(data: "one"), .init(data: " two")]),
    (": keep-alive\n\n:\n\ndata: x\n\n", [.init(data: "x")]),
    ("data: a\ndata: b\ndata\ndata:\n\n", [.init(data: "a\nb\n\n")]),
    (
      "event: done\nid: 7\ndata: a\n\ndata: b\n\n",
      [
        .init(event: "done", data: "a", id: "7"), .init(data: "b", id: "7"),
      ]
    ),
    ("event: nothing\n\ndata: a\n\n", [.init(data: "a")]),
    ("\u{FEFF}data: a\n\n", [.init(data: "a")]),
    ("data: last", [.init(data: "last")]),
    ("data: last\n", [.init(data: "last")]),
    ("retry: 10\nwhat: is this\nnonsense\ndata: ü😀\n\n", [.init(data: "ü😀")]),
    ("data: {\"a\": \"b: c\"}\n\n", [.init(data: "{\"a\": \"b: c\"}")]),
    ("<html>\n<body>502</body>\n\n", []),
    ("\n\n\n", []), ("", []),
  ]

  @Test(arguments: streams)
  func events(_ text: String, _ expected: [ServerSentEvent]) throws {
    for size in [1, 2, 7, 1000] {
      var reader = ServerSentEventReader()
      var found: [ServerSentEvent] = []
      for piece in pieces(text, size) { found += try reader.add(piece) }
      if let rest = try reader.rest() { found.append(rest) }
      #expect(found == expected, "in pieces of \(size)")
    }
  }

  @Test func longEventsAreRefused() throws {
    var reader = ServerSentEventReader(maximumEventBytes: 100)
    #expect(throws: ServerSentEventReader.TooLong.self) {
      try reader.add(Array(repeating: UInt8(ascii: "x"), count: 101))
    }
    var many = ServerSentEventReader(maximumEventBytes: 100)
    #expect(throws: ServerSentEventReader.TooLong.self) {
      for _ in 0..<30 { _ = try many.add(Array("data: 1234\n".utf8)) }
    }
  }

  @Test func forms() {
    var form = MultipartForm(boundary: "B")
    form.add("model", "whisper")
    form.add("file", file: "a\"\r\n.wav", type: "audio/wav", [0, 255])
    #expect(form.contentType == "multipart/form-data; boundary=B")
    var expected = Array("--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper\r\n".utf8)
    expected += Array(
      "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a%22%0D%0A.wav\"\r\n".utf8)
    expected += Array("Content-Type: audio/wav\r\n\r\n".utf8) + [0, 255] + Array("\r\n--B--\r\n".utf8)
    #expect(form.body == expected)
  }

  private func pieces(_ text: String, _ size: Int) -> [[UInt8]] {
    let bytes = Array(text.utf8)
    return stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) }
  }
}
