/// Reads YAML 1.1 as libyaml does, with everything refused that would surprise: duplicate keys, tags, merge keys,
/// several documents in one file, alias bombs.
public enum YAML {
  /// What a file may not exceed.
  public struct Limits: Sendable {
    /// Bytes of a file.
    public var size = 256 << 20
    /// How deep containers may stand in each other, aliases followed.
    public var depth = 64
    /// How many nodes aliases may unfold to: this many, and ten times the nodes that are written.
    public var expansion = 100_000
    public init() {}
  }

  /// Reads a file.
  /// - Parameter file: The name for messages.
  /// - Returns: The root; `nil` for a file with nothing in it.
  public static func parse(
    _ source: [UInt8], file: String, limits: Limits = .init()
  ) throws(DiagnosticList) -> YAMLNode? {
    var faults = DiagnosticList()
    let root = try parse(source, file: file, limits: limits, faults: &faults)
    if faults.isEmpty { return root }
    throw faults
  }

  /// Reads a file that is to be checked further even where it is wrong.
  /// - Parameter faults: Takes what is wrong without anything being lost, such as a key that is there twice.
  /// - Throws: What is wrong when nobody knows what the file would say.
  static func parse(
    _ source: [UInt8], file: String, limits: Limits = .init(), faults: inout DiagnosticList
  ) throws(DiagnosticList) -> YAMLNode? {
    guard source.count <= limits.size else {
      throw DiagnosticList([
        Diagnostic(
          .error, "the file has \(source.count) bytes, more than \(limits.size)",
          hint: "split it into several files", at: SourceLocation(file: file, line: 1, column: 1))
      ])
    }
    if limits.depth >= Limits().depth, let entries = YAMLQuickScan.entries(of: source) {
      return YAMLNode(
        document: YAMLDocument(file: file, source: source, entries: entries, text: source), index: 0)
    }
    var composer = YAMLComposer(file: file, source: source, limits: limits)
    return try composer.compose(&faults)
  }

  /// Reads text.
  public static func parse(
    _ source: String, file: String, limits: Limits = .init()
  ) throws(DiagnosticList) -> YAMLNode? {
    try parse(Array(source.utf8), file: file, limits: limits)
  }
}
