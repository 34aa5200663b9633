internal import FoundationEssentials
internal import RouterCore

/// Files as text.
enum Documents {
  /// Bytes of a file, and of the text that a PDF comes to.
  static let maximumBytes = 50 << 20
  static let maximumTextBytes = 16 << 20
  /// A Word document's XML is some ten times as long as its words.
  static let maximumXMLBytes = 64 << 20
  /// How long a program that reads a document may take, and how much memory.
  static let seconds = 30
  static let maximumMemory = 1 << 30

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// The passages of a file. Blocks.
  static func passages(of path: String) throws -> [Passage] {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let title = name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
    let text: String
    switch name.lowercased().split(separator: ".").last {
    case "pdf": text = try pdf(path)
    case "docx": text = PlainWord.text(try word(path))
    case "html", "htm": text = PlainHTML.text(try plain(path))
    default: text = try plain(path)
    }
    return Passages.of(text, name: String(title.map { $0 == "-" || $0 == "_" ? " " : $0 }))
  }

  private static func plain(_ path: String) throws -> String {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Failure(description: "it cannot be read")
    }
    guard data.count <= maximumBytes else {
      throw Failure(description: "it has more than \(maximumBytes) bytes")
    }
    let text = String(decoding: data, as: UTF8.self)
    return text.hasPrefix("\u{FEFF}") ? String(text.dropFirst()) : text
  }

  /// By pdftotext of poppler, as a process of its own: a document that breaks it breaks nothing else.
  private static func pdf(_ path: String) throws -> String {
    let full = path.hasPrefix("/") ? path : "./\(path)"  // never an option
    return try output(
      of: ["pdftotext", "-q", "-enc", "UTF-8", "-nopgbrk", full, "-"], maximumTextBytes,
      package: "poppler-utils")
  }

  /// The words of a Word document (ECMA-376 part 1, section 11.3.10) are in one file of an archive, which `unzip` takes
  /// out of it, within the same limits.
  private static func word(_ path: String) throws -> String {
    // By a name of ours: `unzip` takes brackets and stars for patterns.
    let link = FileManager.default.temporaryDirectory.path + "/routerd-\(UUID().uuidString).docx"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: absolute(path))
    // It is only a name, in a folder that is emptied.
    defer { try? FileManager.default.removeItem(atPath: link) }
    return try output(of: ["unzip", "-p", link, "word/document.xml"], maximumXMLBytes, package: "unzip")
  }

  private static func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
  }

  private static func output(of words: [String], _ maximumBytes: Int, package: String) throws -> String {
    let limited = ["prlimit", "--as=\(maximumMemory)", "--cpu=\(seconds)", "--"] + words
    do throws(ChildProcess.Failure) {
      let bytes = try ChildProcess.output(of: limited, seconds: seconds, maximumBytes: maximumBytes)
      return String(decoding: bytes, as: UTF8.self)
    } catch {
      throw Failure(description: "\(words[0]) (package \(package)): \(error)")
    }
  }
}
