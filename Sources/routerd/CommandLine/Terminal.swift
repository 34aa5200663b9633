internal import Glibc

/// Standard output and error, whoever reads them.
enum Terminal {
  /// Whether colours make sense there (https://no-color.org).
  static func isColoured(_ descriptor: Int32) -> Bool {
    isatty(descriptor) == 1 && getenv("NO_COLOR") == nil
  }

  /// Writes all of `text`. A reader that went away is no reason to fail.
  static func write(_ text: String, to descriptor: Int32) {
    var text = text
    text.withUTF8 { write(UnsafeRawBufferPointer($0), to: descriptor) }
  }

  /// Writes all of `bytes`.
  static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) {
    var done = 0
    while done < bytes.count {
      let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { return }
      done += count
    }
  }

  /// Prints a line for the user.
  static func print(_ text: String) { write(text + "\n", to: 1) }

  /// Prints a line about what went wrong.
  static func complain(_ text: String) { write(text + "\n", to: 2) }
}

/// Words in colour, when the reader is a terminal.
struct Paint: Sendable {
  let isOn: Bool
  init(_ descriptor: Int32 = 1) { isOn = Terminal.isColoured(descriptor) }

  private func paint(_ text: String, _ code: Int) -> String {
    isOn ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
  }
  func bold(_ text: String) -> String { paint(text, 1) }
  func dim(_ text: String) -> String { paint(text, 2) }
  func red(_ text: String) -> String { paint(text, 31) }
  func green(_ text: String) -> String { paint(text, 32) }
  func yellow(_ text: String) -> String { paint(text, 33) }
  func cyan(_ text: String) -> String { paint(text, 36) }
}
