/// Who may import what. Every rule is a function over text, so that the tests can show each one failing.
enum ImportRules {
  /// C modules besides libre's.
  static let wrapped: Set<String> = {
    // Without the folder the rules below have nothing to say, and `thereIsSomethingToTest` fails.
    let all = (try? Repository.folders("Sources/CLibraries")) ?? []
    return Set(all).subtracting(libre)
  }()
  static let libre: Set<String> = ["CLibre", "CLibreShim"]
  /// What any source file may import.
  static let system: Set<String> = ["Dispatch", "FoundationEssentials", "Glibc", "Synchronization"]

  /// libre's pointers are seen in one folder only.
  static func libreStaysInItsFolder(_ files: [SourceFile]) -> [Violation] {
    files.filter { !$0.path.hasPrefix("Sources/RouterCore/Libre/") }.flatMap { file in
      file.imports.filter { libre.contains($0.module) }.map {
        Violation(
          path: file.path, line: $0.line,
          message: "only Sources/RouterCore/Libre imports \($0.module); ask for what is needed there")
      }
    }
  }

  /// Each other C library has one file that knows it, or is known in libre's folder alone (libcurl in its loop).
  static func oneFileForEachLibrary(_ files: [SourceFile]) -> [Violation] {
    wrapped.sorted().flatMap { module -> [Violation] in
      let users = files.filter { file in file.imports.contains { $0.module == module } }
      if users.allSatisfy({ $0.path.hasPrefix("Sources/RouterCore/Libre/") }) { return [] }
      return users.dropFirst().map {
        Violation(path: $0.path, line: nil, message: "\(module) is already imported by \(users[0].path)")
      }
    }
  }

  /// Foundation is 44 MB of ICU that nothing here needs.
  static func noFoundation(_ files: [SourceFile]) -> [Violation] {
    files.flatMap { file in
      file.imports.filter { $0.module == "Foundation" }.map {
        Violation(path: file.path, line: $0.line, message: "import FoundationEssentials, not Foundation")
      }
    }
  }

  /// A plugin sees RouterCore, the system and its own C libraries; never another plugin.
  static func pluginsStandAlone(_ files: [SourceFile], plugins: [String: [String]]) -> [Violation] {
    files.flatMap { file -> [Violation] in
      let parts = file.path.split(separator: "/")
      guard parts.count > 3, parts[0] == "Sources", parts[1] == "Plugins" else { return [] }
      let allowed = system.union(["RouterCore"]).union(plugins[String(parts[2])] ?? [])
      return file.imports.filter { !allowed.contains($0.module) }.map {
        Violation(
          path: file.path, line: $0.line,
          message: "a plugin may import \(allowed.sorted().joined(separator: ", ")), not \($0.module)")
      }
    }
  }

  /// RouterCore knows neither plugins nor the program.
  static func coreKnowsNoPlugin(_ files: [SourceFile]) -> [Violation] {
    let allowed = system.union(wrapped).union(libre)
    return files.filter { $0.path.hasPrefix("Sources/RouterCore/") }.flatMap { file in
      file.imports.filter { !allowed.contains($0.module) }.map {
        Violation(path: file.path, line: $0.line, message: "RouterCore may not import \($0.module)")
      }
    }
  }

  /// Vendors live in plugins; the core would not change if one of them closed tomorrow.
  static let vendors = [
    "twilio", "telnyx", "vonage", "nexmo", "openai", "deepgram", "elevenlabs", "anthropic", "napster",
    "omniagent", "agentphone", "plivo", "bandwidth.com",
  ]

  static func noVendorInCore(_ files: [SourceFile]) -> [Violation] {
    files.filter { $0.path.hasPrefix("Sources/RouterCore/") }.flatMap { file in
      file.lines.enumerated().compactMap { index, line in
        let line = line.lowercased()
        guard let vendor = vendors.first(where: line.contains) else { return nil }
        return Violation(
          path: file.path, line: index + 1, message: "a vendor's name in RouterCore: \(vendor)")
      }
    }
  }
}
