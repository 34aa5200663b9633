/// All routes, packed: a million of them take less than a hundred bytes each, index and names with them. What many
/// routes have in common (conditions, actions, overrides) is kept once.
struct RouteTable: Sendable {
  struct Route: Sendable {
    var name: TextPool.Piece
    /// The `to` in canonical form, for traces and lists; one in a line.
    var to: TextPool.Piece
    var line: UInt32
    var priority: Int32
    var conditions: UInt32
    var action: UInt32
    var file: UInt16
  }

  let routes: [Route]
  let files: [String]
  let texts: TextPool
  /// Shared by all routes of the same `match`; keys in the order of the file.
  let conditions: [[Condition]]
  let actions: [RouteAction]
  let overrides: [Sourced]
  let index: RouteIndex
  /// Headers that conditions look at, in small letters.
  let headerNames: Set<String>
  /// One bit for each route: whether it has conditions. Most have none, and this is small enough to be at hand.
  private let conditional: [UInt64]

  init(
    routes: [Route], files: [String], texts: TextPool, conditions: [[Condition]], actions: [RouteAction],
    overrides: [Sourced], index: RouteIndex
  ) {
    self.routes = routes
    self.files = files
    self.texts = texts
    self.conditions = conditions
    self.actions = actions
    self.overrides = overrides
    self.index = index
    headerNames = Set(conditions.joined().flatMap(\.headerNames))
    var bits = [UInt64](repeating: 0, count: (routes.count + 63) / 64)
    for (number, route) in routes.enumerated() where route.conditions != 0 {
      bits[number >> 6] |= 1 << UInt64(number & 63)
    }
    conditional = bits
  }

  /// Whether a route asks for more than the number.
  func isConditional(_ route: Int) -> Bool { conditional[route >> 6] & (1 << UInt64(route & 63)) != 0 }

  /// The name of a route; one that has none is called by its place.
  func name(of route: Int) -> String {
    let name = texts[routes[route].name]
    return name.isEmpty ? location(of: route) : name
  }

  /// `routes/main.yaml:14`.
  func location(of route: Int) -> String { "\(files[Int(routes[route].file)]):\(routes[route].line)" }

  /// What a route takes, in canonical form; empty when it takes every number.
  func to(of route: Int) -> [String] {
    texts[routes[route].to].split(separator: "\n").map(String.init)
  }

  /// The same for people, in one line.
  func toText(of route: Int) -> String {
    let text = texts[routes[route].to]
    return text.utf8.contains(UInt8(ascii: "\n")) ? to(of: route).joined(separator: ", ") : text
  }

  /// The overrides at a position, with their places in a route's file.
  func overrides(_ position: Int, of route: Int) -> Sourced {
    let entry = routes[route]
    return overrides[position].replacingOrigins { origin in
      guard case .below(let lines) = origin else { return origin }
      return .line(file: files[Int(entry.file)], Int(entry.line) + lines)
    }
  }
}

/// Texts, one behind the other.
struct TextPool: Sendable {
  struct Piece: Hashable, Sendable {
    var offset: UInt32
    var length: UInt16
    static let empty = Piece(offset: 0, length: 0)
  }

  private var bytes: [UInt8] = []

  /// Keeps a text; longer ones than 65535 bytes are cut.
  mutating func add(_ text: some Sequence<UInt8>) -> Piece {
    let offset = bytes.count
    bytes.append(contentsOf: text)
    if bytes.count - offset > Int(UInt16.max) { bytes.removeLast(bytes.count - offset - Int(UInt16.max)) }
    return Piece(offset: UInt32(offset), length: UInt16(bytes.count - offset))
  }

  subscript(piece: Piece) -> String {
    String(decoding: bytes[Int(piece.offset)..<Int(piece.offset) + Int(piece.length)], as: UTF8.self)
  }
}
