internal import CLibre
internal import CLibreShim

/// Certificates that we make ourselves.
public enum TLSCertificate {
  /// A new EC P-256 key and a certificate for `name` (a host name or a numeric address) signed by it, both in PEM, good
  /// for ten years. `nil` when the name cannot stand in a certificate.
  public static func selfSigned(for name: String) -> String? {
    guard let pem = shim_self_signed(name) else { return nil }
    defer { mem_deref(pem) }
    return String(cString: pem)
  }
}
