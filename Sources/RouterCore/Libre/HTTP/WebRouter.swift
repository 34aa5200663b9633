/// Which mounted route a request belongs to, and what is wrong with it when there is none. Pure.
struct WebRouter {
  private struct Mounted {
    var segments: [Substring]
    var route: WebRoute
  }

  /// What a request is answered with.
  enum Decision {
    case serve(WebRoute, [String: String])
    case refuse(HTTPResponse)
  }

  /// Paths are split into no more segments.
  private static let maximumSegments = 32

  /// The more literal pattern comes first, so `/voip/webhook/{token}` does not hide `/voip/{type}`.
  private var mounted: [Mounted] = []

  mutating func mount(_ route: WebRoute) {
    let segments = WebRouter.segments(route.pattern[...])
    mounted.removeAll { $0.route.pattern == route.pattern }
    let index = mounted.firstIndex { WebRouter.isBefore(segments, $0.segments) } ?? mounted.count
    mounted.insert(Mounted(segments: segments, route: route), at: index)
  }

  /// Literal segments before captures, captures before a rest; else in order of mounting.
  private static func isBefore(_ a: [Substring], _ b: [Substring]) -> Bool {
    func rank(_ segment: Substring) -> Int { segment.hasPrefix("{") ? segment.hasSuffix("...}") ? 2 : 1 : 0 }
    for (x, y) in zip(a, b) where rank(x) != rank(y) { return rank(x) < rank(y) }
    return false
  }

  private static func segments(_ path: Substring) -> [Substring] {
    path.split(separator: "/", maxSplits: maximumSegments, omittingEmptySubsequences: false).dropFirst().map {
      $0
    }
  }

  func decide(_ request: HTTPServerRequest) -> Decision {
    let path = WebRouter.segments(request.path)
    var allowed: Set<String> = []
    for mount in mounted {
      guard let parameters = WebRouter.match(mount.segments, path) else { continue }
      let route = mount.route
      let isHead = request.method == "HEAD" && route.methods.contains("GET")
      guard isHead || route.methods.contains(request.method) else {
        allowed.formUnion(route.methods)
        continue
      }
      if request.body.count > route.maximumBodyBytes {
        return .refuse(.text(413, "the body is longer than \(route.maximumBodyBytes) bytes\n"))
      }
      guard WebRouter.takes(route, request) else {
        return .refuse(
          .text(415, "send \(route.accepts.sorted().joined(separator: " or "))\n"))
      }
      return .serve(route, parameters)
    }
    if allowed.isEmpty { return .refuse(.text(404, "nothing here\n")) }
    var refusal = HTTPResponse.text(405, "not that way\n")
    // RFC 9110 section 15.5.6
    refusal.headers.append(Header("Allow", allowed.sorted().joined(separator: ", ")))
    return .refuse(refusal)
  }

  private static func takes(_ route: WebRoute, _ request: HTTPServerRequest) -> Bool {
    guard !route.accepts.isEmpty, !request.body.isEmpty else { return true }
    let type = request.header("Content-Type")?.prefix { $0 != ";" && $0 != " " }.lowercased() ?? ""
    return route.accepts.contains(type)
  }

  private static func match(_ pattern: [Substring], _ path: [Substring]) -> [String: String]? {
    var parameters: [String: String] = [:]
    for (index, segment) in pattern.enumerated() {
      if segment.hasPrefix("{"), segment.hasSuffix("...}") {
        guard index < path.count else { return nil }
        parameters[String(segment.dropFirst().dropLast(4))] = path[index...].joined(separator: "/")
        return parameters
      }
      guard index < path.count else { return nil }
      if segment.hasPrefix("{") {
        guard !path[index].isEmpty else { return nil }
        parameters[String(segment.dropFirst().dropLast())] = FormFields.decoded(path[index], isForm: false)
      } else if segment != path[index] {
        return nil
      }
    }
    return path.count == pattern.count ? parameters : nil
  }
}

extension HTTPResponse {
  /// A short answer in plain text.
  static func text(_ status: Int, _ text: String) -> HTTPResponse {
    HTTPResponse(
      status: status, headers: [Header("Content-Type", "text/plain; charset=utf-8")], body: Array(text.utf8))
  }
}
