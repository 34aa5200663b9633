internal import RouterCore

/// Says what happens in a test call, as it happens: lines for people, or one JSON object each.
struct PhonePrinter: Sendable {
  let isJSON: Bool
  private let paint = Paint(1)

  /// Prints an event.
  ///
  /// - Parameters:
  ///   - name: For programs: `answered`.
  ///   - at: Milliseconds since the answer; `nil` before it.
  ///   - words: For people.
  ///   - fields: For programs.
  func event(_ name: String, at: Int? = nil, _ words: String, _ fields: JSONValue = [:]) {
    if isJSON {
      var object = fields.object ?? [:]
      object["event"] = .string(name)
      object["words"] = object["words"] ?? .string(words)
      if let at { object["at"] = .integer(at) }
      do { Terminal.print(try JSON.encode(JSONValue.object(object))) } catch {
        Terminal.complain("routerd: \(error)")
      }
    } else {
      let time = at.map { paint.dim(PhonePrinter.time($0)) + "  " } ?? ""
      Terminal.print(time + highlight(name, words))
    }
  }

  private func highlight(_ name: String, _ words: String) -> String {
    let words = LogLine.escaped(words)  // what the other side sent must not steer the terminal
    return switch name {
    case "answered", "decision": paint.green(words)
    case "ended": paint.bold(words)
    case "warning": paint.yellow(words)
    case "heard", "said": paint.cyan(words)
    default: words
    }
  }

  /// `00:07.2`.
  static func time(_ milliseconds: Int) -> String {
    let tenths = milliseconds / 100
    let seconds = tenths / 10 % 60
    let minutes = tenths / 600
    return "\(minutes < 10 ? "0" : "")\(minutes):\(seconds < 10 ? "0" : "")\(seconds).\(tenths % 10)"
  }

  /// `2.7 s`.
  static func seconds(_ milliseconds: Int) -> String {
    "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s"
  }
}
