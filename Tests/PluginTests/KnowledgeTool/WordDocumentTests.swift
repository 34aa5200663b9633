import Foundation
import Testing

@testable import KnowledgeTool

/// Word documents as knowledge.
@Suite struct WordDocumentTests {
  /// A Word document, made by Python's zipfile.
  static func make(_ xml: String, times: Int = 1, at path: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    let script =
      "import sys, zipfile; zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED)"
      + ".writestr('word/document.xml', sys.argv[2] * int(sys.argv[3]))"
    process.arguments = ["-c", script, path, xml, "\(times)"]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }

  @Test func itsWordsAreRead() async throws {
    let xml = #"""
      <?xml version="1.0"?><w:document xmlns:w="x"><w:body><w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr>
      <w:r><w:t>Saddles</w:t></w:r></w:p><w:p><w:r><w:t xml:space="preserve">Grease &amp; </w:t></w:r>
      <w:r><w:t>wax.</w:t></w:r><w:del><w:delText>No.</w:delText></w:del></w:p></w:body></w:document>
      """#
    try await KnowledgeToolTests.withFolder { folder in
      // A name that a pattern would not find.
      let path = "\(folder)/-o [care] *.docx"
      try WordDocumentTests.make(xml, at: path)
      let passages = try Documents.passages(of: path)
      #expect(passages.map(\.title) == ["Saddles"] && passages.map(\.text) == ["Grease & wax."])
      try Data("PK garbage".utf8).write(to: URL(fileURLWithPath: "\(folder)/broken.docx"))
      for name in ["broken.docx", "missing.docx"] {
        #expect(throws: Documents.Failure.self) { try Documents.passages(of: "\(folder)/\(name)") }
      }
    }
  }

  @Test func whatIsLargerThanItLooksIsGivenUp() async throws {
    try await KnowledgeToolTests.withFolder { folder in
      // 200 MB of nothing in 200 KB.
      try WordDocumentTests.make(
        String(repeating: " ", count: 1000), times: 200_000, at: "\(folder)/bomb.docx")
      #expect(throws: Documents.Failure.self) { try Documents.passages(of: "\(folder)/bomb.docx") }
    }
  }

  static let words: [(xml: String, text: String)] = [
    ("<w:p><w:r><w:t>a</w:t></w:r></w:p><w:p><w:t>b</w:t></w:p>", "a\n\nb"),
    ("<p><t>a</t><tab/><t>b</t><br/><t>c</t></p>", "a\tb\nc"), ("<p>loose<t/>text</p>", ""),
    (#"<w:p><w:pStyle w:val="Heading9"/><w:t>a</w:t></w:p>"#, "a"),
    (#"<w:p><w:pStyle w:val="Title"/><w:t>a</w:t></w:p>"#, "# a"),
    ("<w:tr><w:tc><w:p><w:t>a</w:t></w:p></w:tc></w:tr>", "a"), ("", ""), ("<", ""), ("<w:t", ""),
    ("a < b", ""),
    ("<!DOCTYPE x [<!ENTITY a \"b\">]><w:p><w:t>&a;</w:t></w:p>", "&a;"),
  ]

  @Test(arguments: words) func itsXMLAsText(_ word: (xml: String, text: String)) {
    #expect(PlainWord.text(word.xml).trimmingCharacters(in: .newlines) == word.text)
  }
}
