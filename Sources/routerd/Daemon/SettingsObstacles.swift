internal import RouterCore

extension Settings {
  /// What keeps them from being used here and now: certificates, tokens, folders. `check` tells of it, and `run` asks before it
  /// starts. Only what the file says is looked at: a default has no place in it, and whoever checks a file need not be who runs it.
  ///
  /// Nothing is made or changed.
  /// - Parameter socket: The control socket, when it is another than the settings'.
  func obstacles(socket: String? = nil) -> DiagnosticList {
    var found: [Diagnostic] = []
    func add(_ obstacles: [SettingObstacle], _ section: String) {
      guard let node = root?[section] else { return }
      found += obstacles.compactMap { $0.diagnostic(in: node) }
    }
    if let certificate = web.certificate, web.listen.contains(where: \.isSecure) {
      add(certificate.obstacles(), "web")
    }
    if let file = web.secretFile, !web.listen.isEmpty, let words = VoIPSecret.obstacle(file) {
      add([SettingObstacle("secretFile", words)], "web")
    }
    do throws(ControlFailure) { _ = try admin.readToken() } catch {
      add([SettingObstacle("token", error.message)], "admin")
    }
    if socket == nil, let path = control.socket, let words = ControlServer.obstacle(to: path) {
      add([SettingObstacle("socket", words)], "control")
    }
    for plugin in plugins {
      if let node = plugin.section.flatMap({ root?[$0] }) { found += plugin.obstacles(node) }
    }
    return DiagnosticList(found).sorted
  }
}

extension SettingObstacle {
  /// With its place in a section; `nil` where the key is not written.
  func diagnostic(in section: YAMLNode) -> Diagnostic? {
    section[key]?.diagnostic(.error, message, hint: hint)
  }
}
