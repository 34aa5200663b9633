/// The key that an INFO request carries, for the two body types in use, or `nil`.
///
/// `application/dtmf-relay` says `Signal=5` and `Duration=160` in lines, `application/dtmf` is the key alone.
/// Equipment writes blanks around `=`, bare line feeds, lower case, and `10`, `11`, `16` for `*`, `#` and flash.
func infoDigit(contentType: String, body: String) -> Character? {
  let type = (contentType.split(separator: ";").first ?? "")[...].trimmed.lowercased()
  switch type {
  case "application/dtmf":
    return digit(body[...].trimmed)
  case "application/dtmf-relay":
    for line in body.split(whereSeparator: \.isNewline).prefix(8) {
      guard let equals = line.first("=") else { continue }
      if line[..<equals].trimmed.lowercased() == "signal" {
        return digit(line[line.utf8.index(after: equals)...].trimmed)
      }
    }
    return nil
  default:
    return nil
  }
}

private func digit(_ text: Substring) -> Character? {
  switch text.uppercased() {
  case "10": return "*"
  case "11": return "#"
  case "12": return "A"
  case "13": return "B"
  case "14": return "C"
  case "15": return "D"
  case let word where word.utf8.count == 1:
    return word.first.flatMap { "0123456789*#ABCD".contains($0) ? $0 : nil }
  default: return nil
  }
}

/// Lets each key press through once, though some peers send it by INFO and in the RTP stream as well.
///
/// The same key by the other way within the window is the same press. A peer that did so once does it always, so from
/// then on its INFO requests count for nothing: two quick presses could not be told apart otherwise.
struct DigitFilter {
  enum Way: Hashable { case info, media }

  /// How far apart the two reports of one press may be: INFO often comes when the key is let go.
  static let window: Duration = .milliseconds(300)

  private var last: (digit: Character, way: Way, at: ContinuousClock.Instant)?
  private var comesTwice = false

  /// Whether a press is new.
  mutating func admits(_ digit: Character, by way: Way, at now: ContinuousClock.Instant) -> Bool {
    if comesTwice { return way == .media }
    if let last, last.digit == digit, last.way != way, now - last.at <= DigitFilter.window {
      comesTwice = true
      return false
    }
    last = (digit, way, now)
    return true
  }
}
