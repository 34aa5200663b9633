internal import FoundationEssentials
internal import RouterCore

/// Files as text.
enum Documents {
  /// Bytes of a file, and of the text that a PDF comes to.
  static let maximumBytes = 50 << 20
  static let maximumTextBytes = 16 << 20
  /// How long a PDF may take, and how much memory.
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
    let words = ["pdftotext", "-q", "-enc", "UTF-8", "-nopgbrk", full, "-"]
    let limited = ["prlimit", "--as=\(maximumMemory)", "--cpu=\(seconds)", "--"] + words
    let bytes: [UInt8]
    do throws(ChildProcess.Failure) {
      bytes = try ChildProcess.output(of: limited, seconds: seconds, maximumBytes: maximumTextBytes)
    } catch {
      throw Failure(description: "pdftotext (package poppler-utils): \(error)")
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
