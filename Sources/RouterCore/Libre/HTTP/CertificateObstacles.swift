internal import FoundationEssentials

extension CertificateFiles {
  /// What keeps the files from being used, under the keys `certificate` and `privateKey`. They are tried as a listener tries them.
  public func obstacles() -> [SettingObstacle] {
    let files = [("certificate", certificate), ("privateKey", key)].compactMap { name, path in
      path.map { (name: name, path: $0) }
    }
    let unreadable = files.compactMap { SettingObstacle.reading($0.path, key: $0.name) }
    guard unreadable.isEmpty else { return unreadable }
    do throws(HTTPError) {
      _ = try TLSServerContext(self)
      return []
    } catch {
      return [blame(error)]
    }
  }

  /// Which of the two it is.
  private func blame(_ error: HTTPError) -> SettingObstacle {
    func holds(_ words: String, _ path: String) -> Bool {
      let text = String(decoding: FileManager.default.contents(atPath: path) ?? .init(), as: UTF8.self)
      return text.contains(words)
    }
    if !holds("-----BEGIN CERTIFICATE-----", certificate) {
      return SettingObstacle(
        "certificate", "\(certificate) holds no certificate in PEM form",
        hint: "it begins with -----BEGIN CERTIFICATE-----")
    }
    if !holds("PRIVATE KEY-----", key ?? certificate) {
      return SettingObstacle(
        key == nil ? "certificate" : "privateKey",
        "\(key ?? certificate) holds no private key in PEM form",
        hint: key == nil
          ? "name the file that does: privateKey: …" : "it begins with -----BEGIN PRIVATE KEY-----")
    }
    if key == nil { return SettingObstacle("certificate", error.message) }
    return SettingObstacle(
      "privateKey", "\(error.message): they do not belong together, or one of them is damaged",
      hint: "name the key that the certificate was made with")
  }
}
