/// Text in XML documents that are written by hand.
public enum XMLText {
  /// Text for an element or an attribute. Characters that XML cannot hold are left out.
  public static func escape(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&apos;"
      case _ where scalar.value < 0x20 && !["\t", "\n", "\r"].contains(scalar): break
      case "\u{FFFE}", "\u{FFFF}": break
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
