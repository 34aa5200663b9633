import RouterTesting

/// A certificate for one test, made by openssl.
struct Certificate: Sendable {
  private let folder: Workplace
  var file: String { folder.path("cert.pem") }
  var keyFile: String { folder.path("key.pem") }

  static func selfSigned() async throws -> Certificate {
    let certificate = Certificate(folder: try Workplace())
    let program = try RunningProgram(
      "/usr/bin/openssl",
      [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout",
        certificate.keyFile, "-out", certificate.file,
      ], in: certificate.folder.folder)
    guard await program.exitCode(within: .seconds(20)) == 0 else { throw Failed(output: program.errors) }
    return certificate
  }

  struct Failed: Error { var output: String }
}
