/// Parameters of a field or a URI, `;name=value;flag`, in order. Names compare without case (RFC 3261 section 7.3.1).
public struct SIPParameters: Hashable, Sendable, CustomStringConvertible {
  /// One parameter; a flag has no value. A value is without its quotes.
  public struct Parameter: Hashable, Sendable {
    public var name: String
    public var value: String?
    public init(_ name: String, _ value: String? = nil) {
      self.name = name
      self.value = value
    }
  }

  public var all: [Parameter]

  public init(_ all: [Parameter] = []) { self.all = all }

  /// Reads `a=b;c;d="e;f"`. What is left of an element that is no parameter is skipped; quotes are taken off.
  public init(parsing text: some StringProtocol) {
    self = text.withRawUTF8 { SIPParameters(bytes: $0) }
  }

  /// The same from bytes.
  init(bytes: UnsafeRawBufferPointer) {
    all = []
    guard !bytes.isEmpty else { return }
    var start = 0
    var scanner = SIPQuoteScanner()
    for index in 0...bytes.count {
      if index < bytes.count {
        guard scanner.isOpen(bytes[index]), bytes[index] == SIPByte.semicolon else { continue }
      }
      let element = UnsafeRawBufferPointer(rebasing: bytes[start..<index]).trimmed()
      if let parameter = Parameter(element) { all.append(parameter) }
      start = index + 1
    }
  }

  public var isEmpty: Bool { all.isEmpty }

  /// The value of a parameter: `nil` when it is missing, empty for a flag.
  public subscript(_ name: String) -> String? {
    get {
      for parameter in all where parameter.name.equalsFolded(name) { return parameter.value ?? "" }
      return nil
    }
    set {
      if let index = all.firstIndex(where: { $0.name.equalsFolded(name) }) {
        if let newValue { all[index].value = newValue } else { all.remove(at: index) }
      } else if let newValue {
        all.append(Parameter(name, newValue))
      }
    }
  }

  /// Whether the parameter is there, with or without a value.
  public func contains(_ name: String) -> Bool { self[name] != nil }

  /// As it is written, with a leading semicolon for each. Values that need quotes get them.
  public var description: String {
    var text = ""
    for parameter in all {
      text += ";" + parameter.name
      if let value = parameter.value { text += "=" + SIPParameters.quotedIfNeeded(value) }
    }
    return text
  }

  private static func quotedIfNeeded(_ value: String) -> String {
    // `gen-value` is a token, a host or a quoted string; brackets, slashes and colons occur in hosts and URIs.
    let isPlain = value.utf8.allSatisfy {
      SIPByte.isToken($0) || "[]:/&?@$()".utf8.contains($0)
    }
    return isPlain && !value.isEmpty ? value : SIPAddress.quoted(value)
  }
}

extension SIPParameters.Parameter {
  fileprivate init?(_ element: UnsafeRawBufferPointer) {
    guard !element.isEmpty else { return nil }
    guard let equals = element.position(of: SIPByte.equals) else {
      self.init(element.text)
      return
    }
    let name = UnsafeRawBufferPointer(rebasing: element[..<equals]).trimmed()
    guard !name.isEmpty else { return nil }
    let value = UnsafeRawBufferPointer(rebasing: element[(equals + 1)...]).trimmed()
    self.init(name.text, SIPAddress.unquoted(value))
  }
}
