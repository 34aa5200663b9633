import Foundation

/// Rules about single files: their size and what stands in them.
enum TextRules {
  static let maximumFileLines = 300
  static let maximumFunctionLines = 70

  /// Files that are longer for a reason; each says which.
  static let longFiles: [String: String] = [:]
  /// Functions that are longer for a reason, as `path#name`; each says which.
  static let longFunctions: [String: String] = [:]

  static func fileSize(_ file: SourceFile) -> [Violation] {
    let count = file.text.hasSuffix("\n") ? file.lines.count - 1 : file.lines.count
    guard count > maximumFileLines, longFiles[file.path] == nil else { return [] }
    return [
      Violation(path: file.path, line: nil, message: "\(count) lines; at most \(maximumFileLines): split it")
    ]
  }

  static func functionSize(_ file: SourceFile) -> [Violation] {
    functions(file).compactMap { function in
      guard function.length > maximumFunctionLines, longFunctions["\(file.path)#\(function.name)"] == nil
      else { return nil }
      return Violation(
        path: file.path, line: function.line,
        message: "\(function.name) has \(function.length) lines; at most \(maximumFunctionLines)")
    }
  }

  struct Function: Equatable {
    var name: String
    var line: Int
    var length: Int
  }

  /// Every function and initialiser with its length, from the line of its name to its closing brace.
  static func functions(_ file: SourceFile) -> [Function] {
    let code = file.code
    var found: [Function] = []
    for (index, line) in code.enumerated() {
      guard let name = functionName(line) else { continue }
      var depth = 0
      var opened = false
      scan: for end in index..<code.count {
        // A declaration without a body ends where the next one begins.
        if !opened, end > index, functionName(code[end]) != nil { break }
        for character in code[end] {
          if character == "{" {
            depth += 1
            opened = true
          }
          if character == "}" { depth -= 1 }
          if depth < 0 { break scan }
          if opened, depth == 0 {
            found.append(Function(name: name, line: index + 1, length: end - index + 1))
            break scan
          }
        }
      }
    }
    return found
  }

  private static func functionName(_ line: String) -> String? {
    let words = line.split(whereSeparator: { $0 == " " || $0 == "(" || $0 == "<" || $0 == "{" })
    for (index, word) in words.enumerated() {
      if word == "func", index + 1 < words.count { return String(words[index + 1]) }
      if word == "deinit" || word == "subscript" { return String(word) }
      if word == "init" || word == "init?" { return line.contains(".init") ? nil : "init" }
      guard word.hasPrefix("@") || modifiers.contains(word) else { return nil }
    }
    return nil
  }

  private static let modifiers: Set<Substring> = [
    "public", "internal", "package", "private", "fileprivate", "static", "class", "final", "override",
    "mutating", "nonmutating", "nonisolated", "isolated", "convenience", "required", "consuming", "borrowing",
  ]

  /// What is unfinished belongs into an issue.
  static func noUnfinishedWork(_ file: SourceFile) -> [Violation] {
    let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
    return file.lines.enumerated().compactMap { index, line in
      guard let word = words.first(where: { containsWord($0, in: line) }) else { return nil }
      return Violation(path: file.path, line: index + 1, message: "\(word): finish it or open an issue")
    }
  }

  /// A swallowed error says why that is right, on its line or the one above; a chain of `else if` says it once.
  static func swallowedErrorsAreExplained(_ file: SourceFile) -> [Violation] {
    let lines = file.lines
    var explained: Set<Int> = []
    return file.code.enumerated().compactMap { index, line in
      let words = line.split { !$0.isLetter && $0 != "?" }  // whole words: an optional Entry is none
      guard words.contains("try?") else { return nil }
      let isChained = line.contains("} else if") && explained.contains(index - 2)
      if isChained || lines[index].contains("//") || (index > 0 && lines[index - 1].contains("//")) {
        explained.insert(index)
        return nil
      }
      return Violation(path: file.path, line: index + 1, message: "try? without a comment that says why")
    }
  }

  /// `!` can crash: it is allowed where C pointers are turned into values, and nowhere else.
  static func noForcedUnwrap(_ file: SourceFile) -> [Violation] {
    let isBoundary =
      file.path.hasPrefix("Sources/RouterCore/Libre/")
      || file.imports.contains { ImportRules.wrapped.contains($0.module) }
    guard !isBoundary else { return [] }
    return file.code.enumerated().compactMap { index, line in
      guard containsForcedUnwrap(Array(line)) else { return nil }
      return Violation(path: file.path, line: index + 1, message: "a forced unwrap, try! or as!")
    }
  }

  private static func containsForcedUnwrap(_ line: [Character]) -> Bool {
    for index in line.indices.dropFirst() where line[index] == "!" {
      let before = line[index - 1]
      let after = index + 1 < line.count ? line[index + 1] : " "
      let followsValue = before.isLetter || before.isNumber || ")]_>".contains(before)
      if followsValue, after != "=" { return true }
    }
    return false
  }

  private static func containsWord(_ word: String, in line: String) -> Bool {
    line.split(whereSeparator: { !$0.isLetter && !$0.isNumber && $0 != "_" }).contains { $0 == word }
  }

  /// Machine paths of whoever wrote it mean nothing to others.
  static func noMachinePaths(_ file: SourceFile) -> [Violation] {
    let paths = ["/wo" + "rk/", "/ho" + "me/", "../sha" + "red"]
    return file.lines.enumerated().compactMap { index, line in
      guard let path = paths.first(where: line.contains) else { return nil }
      return Violation(path: file.path, line: index + 1, message: "a path of one machine: \(path)")
    }
  }
}
