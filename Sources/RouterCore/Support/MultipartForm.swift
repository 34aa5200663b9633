/// A `multipart/form-data` body (RFC 7578).
public struct MultipartForm: Sendable {
  private let boundary: String
  private var bytes: [UInt8] = []

  /// - Parameter boundary: Must not occur in the parts; a random one does not.
  public init(boundary: String? = nil) {
    self.boundary =
      boundary ?? "routerd-\(UInt64.random(in: .min ... .max))-\(UInt64.random(in: .min ... .max))"
  }

  /// For the request's `Content-Type`.
  public var contentType: String { "multipart/form-data; boundary=\(boundary)" }

  /// The body.
  public var body: [UInt8] { bytes + Array("--\(boundary)--\r\n".utf8) }

  /// Adds a field.
  public mutating func add(_ name: String, _ value: String) { add(name, Array(value.utf8), attributes: "") }

  /// Adds a file. Servers go by the ending of its name.
  public mutating func add(_ name: String, file: String, type: String, _ content: [UInt8]) {
    add(
      name, content,
      attributes:
        "; filename=\"\(MultipartForm.escape(file))\"\r\nContent-Type: \(MultipartForm.escape(type))")
  }

  private mutating func add(_ name: String, _ content: [UInt8], attributes: String) {
    let head = "Content-Disposition: form-data; name=\"\(MultipartForm.escape(name))\"\(attributes)"
    bytes += Array("--\(boundary)\r\n\(head)\r\n\r\n".utf8)
    bytes += content
    bytes += Array("\r\n".utf8)
  }

  /// As browsers do it (HTML standard, section 4.10.21.8): what would end the value or the line.
  private static func escape(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": escaped += "%22"
      case "\r": escaped += "%0D"
      case "\n": escaped += "%0A"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
