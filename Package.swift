// swift-tools-version: 6.2
import PackageDescription

/// Every plugin: a folder below Sources/Plugins with its code and its README.
/// `c` names the C libraries (below) that only this plugin uses.
let plugins: [(name: String, c: [Target.Dependency])] = [
  ("ClientTool", []),
  ("DeepgramSpeech", []),
  ("EchoModel", []),
  ("HTTPTool", []),
  ("KnowledgeTool", []),
  ("MCPTool", []),
  ("OfflineModel", []),
  ("OfflineSpeech", ["CFlite", "CPocketSphinx"]),
  ("OpenAIChatModel", []),
  ("OpenAIRealtimeModel", []),
  ("OpenAISpeech", []),
  ("SIPChannel", []),
  ("SQLiteStore", []),
  ("TelnyxChannel", []),
  ("TwilioChannel", []),
  ("VonageChannel", []),
  ("WebhookModel", []),
  ("WebSearchTool", []),
  ("WebSocketTool", []),
]

/// Swift 6 mode comes with the tools version; these make it stricter still.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error),
  // Debug builds and tests look for overlapping accesses while they run; a sixth of what a frame of audio costs.
  .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

/// C libraries of the distribution. A module map and a header each, nothing else.
func library(_ name: String, pkgConfig: String? = nil) -> Target {
  .systemLibrary(name: name, path: "Sources/CLibraries/\(name)", pkgConfig: pkgConfig)
}

let pluginTargets: [Target] = plugins.map { plugin in
  .target(
    name: plugin.name, dependencies: ["RouterCore"] + plugin.c,
    path: "Sources/Plugins/\(plugin.name)", exclude: ["README.md"],
    packageAccess: false, swiftSettings: strict)
}
let pluginNames: [Target.Dependency] = plugins.map { .byName(name: $0.name) }

let package = Package(
  name: "routerd",
  products: [.executable(name: "routerd", targets: ["routerd"])],
  targets: [
    library("CCurl", pkgConfig: "libcurl"),
    library("CLibre", pkgConfig: "libre"),
    library("CMicroHTTPD", pkgConfig: "libmicrohttpd"),
    library("COpus", pkgConfig: "opus"),
    library("CPocketSphinx", pkgConfig: "pocketsphinx"),
    library("CSQLite", pkgConfig: "sqlite3"),
    library("CSpanDSP", pkgConfig: "spandsp"),
    library("CSpeexDSP", pkgConfig: "speexdsp"),
    library("CWslay"),
    library("CYAML", pkgConfig: "yaml-0.1"),
    .target(name: "CFlite", path: "Sources/CLibraries/CFlite"),
    .target(
      name: "CLibreShim", dependencies: ["CLibre"], path: "Sources/CLibraries/CLibreShim",
      cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
    .target(
      name: "RouterCore",
      dependencies: [
        "CCurl", "CLibre", "CLibreShim", "CMicroHTTPD", "COpus", "CSQLite", "CSpanDSP", "CSpeexDSP", "CWslay",
        "CYAML",
      ],
      exclude: ["Adapters/README.md"], swiftSettings: strict),
    .target(name: "Emulators", dependencies: ["RouterCore"], exclude: ["README.md"], swiftSettings: strict),
    .executableTarget(
      name: "routerd", dependencies: ["RouterCore", "Emulators"] + pluginNames, swiftSettings: strict),
    .target(
      name: "RouterTesting", dependencies: ["RouterCore", "Emulators"], path: "Tests/RouterTesting",
      swiftSettings: strict),
    .testTarget(
      name: "RouterCoreTests", dependencies: ["RouterCore", "RouterTesting", "CLibreShim"],
      exclude: [
        "Libre/https_server.py", "Libre/proxy.py", "Libre/websocket_server.py", "Routing/Cases",
      ], swiftSettings: strict),
    .testTarget(
      name: "PluginTests", dependencies: ["RouterTesting", "Emulators"] + pluginNames,
      exclude: [
        "MCPTool/mcp_server.py",
        "OpenAIChatModel/official_client.py",
        "OpenAIRealtimeModel/validate_events.py",
        "TelnyxChannel/telnyx_sdk.py",
        "TelnyxChannel/ours.txt", "TelnyxChannel/ours-texml.txt",
        "TelnyxChannel/wire.jsonl",
        "TwilioChannel/twilio_signer.py",
        "TwilioChannel/twilio_twiml.py",
        "TwilioChannel/ours.txt",
        "TwilioChannel/wire.jsonl",
        "VonageChannel/vonage_sdk.py",
        "VonageChannel/ours.txt",
        "VonageChannel/wire.jsonl",
      ], swiftSettings: strict),
    .testTarget(
      name: "RouterdTests", dependencies: ["routerd", "RouterTesting", "Emulators"], swiftSettings: strict),
    .testTarget(
      name: "EndToEndTests", dependencies: ["RouterTesting", "Emulators", "SIPChannel", "routerd"],
      exclude: ["Scenarios"], swiftSettings: strict),
    .testTarget(name: "TidyTests", dependencies: [], swiftSettings: strict),
  ] + pluginTargets
)
