import Foundation
import RouterCore
import Testing

@testable import routerd

/// What keeps settings from being used that are well written: told all at once, with its place, and nothing is made.
@Suite final class SettingsObstacleTests {
  private let folder = FileManager.default.temporaryDirectory.path + "/routerd-obstacle-\(UUID().uuidString)"

  init() throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for name in ["one", "two"] {
      let pem = try #require(TLSCertificate.selfSigned(for: "localhost"))
      let parts = pem.split(separator: "-----BEGIN", omittingEmptySubsequences: true).map {
        "-----BEGIN\($0)"
      }
      try write(pem, "\(name).pem")
      try write(try #require(parts.first { $0.contains("BEGIN CERTIFICATE") }), "\(name).crt")
      try write(try #require(parts.first { $0.contains("PRIVATE KEY") }), "\(name).key")
    }
    try write("hello\n", "text")
    try write("short\n", "short")
    try write(String(repeating: "s", count: 40), "long")
    try write("", "empty.sqlite")
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }  // nothing to do about it

  private func write(_ text: String, _ name: String) throws {
    try text.write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
  }

  private func obstacles(_ text: String) throws -> [Diagnostic] {
    let bytes = Array(text.replacingOccurrences(of: "DIR", with: folder).utf8)
    return try Settings.parse(bytes, file: "routerd.yaml", plugins: plugins).obstacles().all
  }

  private static let tls = "sip: {listen: [tls:127.0.0.1:0], "
  private static let web = "web: {listen: [https:127.0.0.1:0], "

  @Test(arguments: [
    (
      tls + "certificate: DIR/gone, privateKey: DIR/one.key}", "certificate",
      "DIR/gone cannot be read: No such file"
    ),
    (
      tls + "certificate: DIR/one.crt, privateKey: DIR/gone}", "privateKey",
      "DIR/gone cannot be read: No such file"
    ),
    (tls + "certificate: DIR/one.crt, privateKey: DIR/two.key}", "privateKey", "they do not belong together"),
    (
      tls + "certificate: DIR/text, privateKey: DIR/two.key}", "certificate",
      "holds no certificate in PEM form"
    ),
    (tls + "certificate: DIR, privateKey: DIR/two.key}", "certificate", "DIR is a folder, not a file"),
    (web + "certificate: DIR/one.crt}", "certificate", "DIR/one.crt holds no private key in PEM form"),
    (
      web + "certificate: DIR/one.crt, privateKey: DIR/text}", "privateKey",
      "holds no private key in PEM form"
    ),
    ("web: {listen: [http:127.0.0.1:0], secretFile: DIR/short}", "secretFile", "fewer than 32 characters"),
    ("web: {listen: [http:127.0.0.1:0], secretFile: DIR/text/x}", "secretFile", "DIR/text is no folder"),
    ("admin: {token: \"${env:NO_SUCH_TOKEN}\"}", "token", "NO_SUCH_TOKEN is not set"),
    ("admin: {token: \"${file:DIR/gone}\"}", "token", "DIR/gone cannot be read: no such file"),
    ("admin: {token: \"${file:DIR/short}\"}", "token", "has fewer than 16 characters"),
    ("control: {socket: DIR/text}", "socket", "would take the place of a file"),
    ("control: {socket: DIR/text/routerd.sock}", "socket", "DIR/text is no folder"),
    ("sqlite: {path: DIR/gone/calls.sqlite}", "path", "the folder DIR/gone is not there"),
    ("sqlite: {path: DIR/text/calls.sqlite}", "path", "DIR/text is no folder"),
    ("sqlite: {path: DIR/text}", "path", "DIR/text is no SQLite file"),
    ("sqlite: {path: DIR}", "path", "DIR is a folder, not a file"),
    ("offlineSpeech: {modelDirectory: DIR/gone}", "modelDirectory", "no acoustic model in DIR/gone"),
  ])
  func isToldWithItsPlace(text: String, key: String, words: String) throws {
    let found = try obstacles(text)
    let first = try #require(found.first, "nothing is said of \(text)")
    #expect(found.count == 1)
    #expect(first.severity == .error)
    #expect(first.message.contains(words.replacingOccurrences(of: "DIR", with: folder)), "\(first.message)")
    let whole = text.replacingOccurrences(of: "DIR", with: folder)
    let value = try #require(whole.range(of: "\(key): "))
    #expect(first.location?.line == 1)
    #expect(first.location?.column == whole.distance(from: whole.startIndex, to: value.upperBound) + 1)
  }

  @Test func whatCanBeUsedIsNotDoubtedAndNothingIsMade() throws {
    let before = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    for text in [
      "", Self.tls + "certificate: DIR/one.crt, privateKey: DIR/one.key}",
      Self.web + "certificate: DIR/one.pem}",
      "sip: {listen: [udp:127.0.0.1:0], certificate: DIR/gone}", "web: {certificate: DIR/gone}",
      "web: {listen: [http:127.0.0.1:0], secretFile: DIR/new/folder/voip.key}",
      "web: {listen: [http:127.0.0.1:0], secretFile: DIR/long}", "admin: {token: \"${file:DIR/long}\"}",
      "control: {socket: DIR/new/routerd.sock}", "control: {socket: \"@abstract\"}",
      "sqlite: {path: DIR/new.sqlite}", "sqlite: {path: DIR/empty.sqlite}", "sqlite: {maximumWaiting: 5}",
      "offlineSpeech: {voice: rms}",
    ] {
      let found = try obstacles(text)
      #expect(found.isEmpty, "\(text): \(found.map(\.message))")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == before)
  }

  @Test func allOfThemAtOnceInTheOrderOfTheFile() throws {
    let found = try obstacles(
      """
      offlineSpeech: {modelDirectory: DIR/gone}
      sqlite: {path: DIR/gone/x}
      admin: {token: "${env:NO_SUCH_TOKEN}"}
      sip: {listen: [tls:127.0.0.1:0], certificate: DIR/gone, privateKey: DIR/gone}
      control: {socket: DIR/text}
      """)
    #expect(found.map { $0.location?.line } == [1, 2, 3, 4, 4, 5])
  }

  /// A file of a routerd that is to come.
  @Test func aNewerSchemaIsToldWithoutOpeningIt() throws {
    let path = folder + "/newer.sqlite"
    let database = try SQLiteDatabase(path: path, lockSeconds: 1)
    try database.execute("CREATE TABLE t (x); PRAGMA user_version = 4000")
    let found = try obstacles("sqlite: {path: DIR/newer.sqlite}")
    #expect(found.first?.message.contains("has schema 4000") == true)
  }
}
