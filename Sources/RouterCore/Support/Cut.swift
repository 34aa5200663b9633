extension String {
  /// The text itself, or as much of its beginning as fits into so many bytes of UTF-8 with an ellipsis behind it; no
  /// character is torn apart.
  public func cut(to bytes: Int) -> String {
    guard utf8.count > bytes else { return self }
    let mark = "…"
    var end = utf8.index(startIndex, offsetBy: max(0, bytes - mark.utf8.count))
    // Down to the beginning of a character, as Unicode's scalars have it.
    while end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
    return self[..<end] + mark
  }
}
