/// One event of a `text/event-stream`.
public struct ServerSentEvent: Sendable, Hashable {
  /// `message` unless the stream names another.
  public var event: String
  /// The lines of `data:`, joined by LF.
  public var data: String
  /// The last `id:` of the stream so far.
  public var id: String

  /// An event.
  public init(event: String = "message", data: String, id: String = "") {
    self.event = event
    self.data = data
    self.id = id
  }
}

/// Reads a `text/event-stream` (HTML standard, section 9.2.6) as its bytes arrive. Pure.
///
/// Unlike the standard it gives out an event at the end of the stream whose blank line is missing: many servers forget it.
public struct ServerSentEventReader: Sendable {
  /// The stream is of no use.
  public struct TooLong: Error, Hashable, Sendable {}

  private var lines: LineSplitter
  private let maximum: Int
  private var isFirstLine = true
  private var event = ""
  private var data: [UInt8] = []
  private var hasData = false
  private var id = ""

  /// - Parameter maximumEventBytes: For one line, and for the data of one event.
  public init(maximumEventBytes: Int = 1 << 20) {
    maximum = maximumEventBytes
    lines = LineSplitter(.any, maximumLineBytes: maximumEventBytes)
  }

  /// Takes bytes; returns the events that they completed.
  public mutating func add(_ bytes: [UInt8]) throws(TooLong) -> [ServerSentEvent] {
    var events: [ServerSentEvent] = []
    let complete: [[UInt8]]
    do { complete = try lines.add(bytes) } catch { throw TooLong() }
    for line in complete {
      if let event = try take(line) { events.append(event) }
    }
    return events
  }

  /// The stream is over: an event that was not ended properly.
  public mutating func rest() throws(TooLong) -> ServerSentEvent? {
    if let line = lines.rest(), let event = try take(line) { return event }
    return dispatch()
  }

  private mutating func take(_ line: [UInt8]) throws(TooLong) -> ServerSentEvent? {
    var line = line[...]
    if isFirstLine {
      isFirstLine = false
      if line.starts(with: [0xEF, 0xBB, 0xBF]) { line = line.dropFirst(3) }
    }
    if line.isEmpty { return dispatch() }
    let name = line.prefix { $0 != UInt8(ascii: ":") }
    var value = line.dropFirst(name.count + 1)
    if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
    switch String(decoding: name, as: UTF8.self) {
    case "data":
      guard data.count + value.count < maximum else { throw TooLong() }
      if hasData { data.append(UInt8(ascii: "\n")) }
      data.append(contentsOf: value)
      hasData = true
    case "event": event = String(decoding: value, as: UTF8.self)
    case "id" where !value.contains(0): id = String(decoding: value, as: UTF8.self)
    default: break  // a comment (an empty name), `retry`, or what nobody knows
    }
    return nil
  }

  private mutating func dispatch() -> ServerSentEvent? {
    defer {
      event = ""
      data.removeAll(keepingCapacity: true)
      hasData = false
    }
    guard hasData else { return nil }
    return ServerSentEvent(
      event: event.isEmpty ? "message" : event, data: String(decoding: data, as: UTF8.self), id: id)
  }
}
