extension String {
  /// Whether a line end or another control character (C0 or DEL) is in it. In a header, a document or a line of a log it would
  /// begin something that nobody wrote.
  var holdsControlCharacters: Bool { utf8.contains { $0 < 0x20 || $0 == 0x7F } }
}
