internal import Glibc
internal import RouterCore

/// What `routerd.yaml` says: routerd's own sections, and one section for each plugin under the plugin's name.
/// Everything has a default, so the file may be missing.
struct Settings: Sendable {
  /// The `log:` section.
  struct Logging: Decodable, Sendable {
    var level = LogLevel.info
    /// `text` for people, `json` for programs.
    var format = LogForm.text
    /// Lines of one kind in ten seconds; what is above is counted, not written.
    var linesOfOneKind = 1000

    private enum CodingKeys: String, CodingKey { case level, format, linesOfOneKind }
    init() {}
    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      level = try values.decodeIfPresent(LevelName.self, forKey: .level)?.level ?? level
      format = try values.decodeIfPresent(LogForm.self, forKey: .format) ?? format
      linesOfOneKind = try values.decodeIfPresent(Int.self, forKey: .linesOfOneKind) ?? linesOfOneKind
      if linesOfOneKind < 1 {
        throw DecodingError.dataCorruptedError(
          forKey: .linesOfOneKind, in: values, debugDescription: "at least 1 line must be allowed")
      }
    }

    /// A level as it is written.
    private enum LevelName: String, Decodable, CaseIterable {
      case debug, info, notice, warning, error
      var level: LogLevel { LogLine.level(named: rawValue) ?? .info }
    }
  }

  /// The `control:` section.
  struct Control: Decodable, Sendable {
    /// Where the command line finds routerd: a Unix socket that only its owner may open.
    var socket: String?
  }

  /// The `routes:` section.
  struct Routes: Decodable, Sendable {
    /// Where the route files are.
    var directory: String?
    /// Whether a change of them on disk is a reload.
    var watch = true
    /// Where the last versions are kept for rollbacks. By default `route-versions` in the folder that systemd gives
    /// (`StateDirectory=`), else in the working directory.
    var versions: String?
    /// Megabytes that they may take together, up to 20 of them; 0 keeps none.
    var versionMegabytes = 2048

    private enum CodingKeys: String, CodingKey { case directory, watch, versions, versionMegabytes }
    init() {}
    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      directory = try values.decodeIfPresent(String.self, forKey: .directory)
      watch = try values.decodeIfPresent(Bool.self, forKey: .watch) ?? watch
      versions = try values.decodeIfPresent(String.self, forKey: .versions)
      versionMegabytes = try values.decodeIfPresent(Int.self, forKey: .versionMegabytes) ?? versionMegabytes
      if !(0...1_048_576).contains(versionMegabytes) {
        throw DecodingError.dataCorruptedError(
          forKey: .versionMegabytes, in: values, debugDescription: "0 to 1048576 megabytes")
      }
    }

    /// Where versions are kept; `nil` when none are.
    func kept(for directory: String?) -> RouteVersions? {
      guard versionMegabytes > 0, let directory = RoutesInForce.place(directory ?? self.directory) else {
        return nil
      }
      let given = getenv("STATE_DIRECTORY").map { String(cString: $0) + "/" } ?? ""
      return RouteVersions(
        folder: versions ?? given + "route-versions", directory: directory,
        maximumBytes: versionMegabytes << 20)
    }
  }

  var engine = EngineSettings()
  var log = Logging()
  var control = Control()
  var routes = Routes()
  var web = WebSettings()
  var admin = AdminSettings()
  /// What makes each plugin, in the order of ``plugins``.
  var makers: [PluginEntry.Maker] = []
  /// The file, and who reads what of it.
  private(set) var root: YAMLNode?
  private(set) var plugins: [PluginEntry] = []
  /// Opens the call records for reading, where the store can.
  var openRecords: (@Sendable () throws -> any CallRecords)?

  static let usualFile = "routerd.yaml"

  /// Reads the settings.
  ///
  /// - Parameter file: `nil` is ``usualFile``, or the defaults when it is not there.
  /// - Throws: everything that is wrong in it.
  static func load(_ file: String?, plugins: [PluginEntry]) throws(DiagnosticList) -> Settings {
    let path = file ?? usualFile
    guard file != nil || Files.exists(path) else { return try parse([], file: path, plugins: plugins) }
    let bytes: [UInt8]
    do {
      bytes = try Files.read(path)
    } catch {
      throw DiagnosticList([Diagnostic(.error, "cannot read the settings: \(error.message)")])
    }
    return try parse(bytes, file: path, plugins: plugins)
  }

  /// Reads settings from their text.
  static func parse(_ bytes: [UInt8], file: String, plugins: [PluginEntry]) throws(DiagnosticList) -> Settings
  {
    var limits = YAML.Limits()
    limits.size = 1 << 20
    let root = try YAML.parse(bytes, file: file, limits: limits)
    var reader = SectionReader(root)
    var settings = Settings()
    (settings.root, settings.plugins) = (root, plugins)
    settings.engine = reader.read("engine", EngineSettings.self) ?? settings.engine
    settings.log = reader.read("log", Logging.self) ?? settings.log
    settings.control = reader.read("control", Control.self) ?? settings.control
    settings.routes = reader.read("routes", Routes.self) ?? settings.routes
    settings.admin = reader.read("admin", AdminSettings.self) ?? settings.admin
    settings.web = reader.read("web", WebSettings.self) ?? settings.web
    for plugin in plugins {
      if let maker = reader.make(plugin) { settings.makers.append(maker) }
      if let open = plugin.reader {
        settings.openRecords = { [node = plugin.section.flatMap { root?[$0] }] in try open(node) }
      }
    }
    reader.finish()
    if reader.faults.isEmpty { return settings }
    throw reader.faults.sorted
  }
}

/// Reads a file's sections one by one and gathers what is wrong in all of them.
private struct SectionReader {
  private(set) var faults = DiagnosticList()
  private let root: YAMLNode?
  private var known: [String] = []

  init(_ root: YAMLNode?) {
    self.root = root
    if let root, root.kind != .mapping {
      faults.append(
        root.diagnostic(.error, "sections are wanted here", hint: "write e.g. log: {level: debug}"))
    }
  }

  /// A section; `nil` when it is missing or wrong.
  mutating func read<Section: Decodable>(_ name: String, _ type: Section.Type) -> Section? {
    known.append(name)
    guard let node = root?[name] else { return nil }
    do throws(DiagnosticList) {
      return try YAMLDecoder.decode(type, from: node)
    } catch {
      faults.append(contentsOf: error)
      return nil
    }
  }

  mutating func make(_ plugin: PluginEntry) -> PluginEntry.Maker? {
    if let name = plugin.section { known.append(name) }
    do throws(DiagnosticList) {
      return try plugin.read(plugin.section.flatMap { root?[$0] })
    } catch {
      faults.append(contentsOf: error)
      return nil
    }
  }

  /// Complains about sections that nobody read.
  mutating func finish() {
    for (key, _) in root?.pairs ?? [] {
      guard let name = key.text, !known.contains(name) else { continue }
      let nearest = Suggestion.nearest(to: name, in: known)
      let hint =
        nearest.map { "did you mean '\($0)'?" }
        ?? "there are: \(Set(known).sorted().joined(separator: ", "))"
      faults.append(key.diagnostic(.error, "unknown section '\(name)'", hint: hint))
    }
  }
}
