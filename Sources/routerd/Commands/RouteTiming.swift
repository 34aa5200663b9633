internal import FoundationEssentials
internal import Glibc
internal import RouterCore

/// How long a table takes to load and to ask, for `routerd check --timing`.
struct RouteTiming: Encodable {
  /// Seconds from the files to a table in use, its tests among them.
  var loadSeconds: Double
  /// What the process has more than before.
  var residentBytes: Int
  var bytesPerRoute: Int
  /// Nanoseconds of one look-up, for numbers of all kinds that the table has, in random order.
  var lookupMedian: Int
  var lookupP99: Int
  /// What the clock itself takes of each.
  var clock: Int

  /// Calls that are asked about.
  private static let calls = 50_000

  /// Loads a table and measures it.
  static func measure(
    _ source: () throws(DiagnosticList) -> RouteSource
  ) throws(DiagnosticList) -> (RouteSnapshot, RouteTiming) {
    let before = ProcessFacts.residentBytes
    let start = ContinuousClock.now
    let snapshot = try RouteTableLoader.load(try source()).get()
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let bytes = max(0, ProcessFacts.residentBytes - before)
    let calls = sample(snapshot)
    var times: [Int] = []
    for call in calls {
      let start = now()
      withExtendedLifetime(snapshot.lookup(call)) {}
      times.append(now() - start)
    }
    times.sort()
    var clocks = (0..<1000).map { _ in
      let start = now()
      return now() - start
    }
    clocks.sort()
    if times.isEmpty { times = [0] }
    return (
      snapshot,
      RouteTiming(
        loadSeconds: seconds, residentBytes: bytes, bytesPerRoute: bytes / max(1, snapshot.routeCount),
        lookupMedian: times[times.count / 2], lookupP99: times[times.count * 99 / 100],
        clock: clocks[clocks.count / 2])
    )
  }

  /// Calls to numbers of routes that are spread over the table.
  private static func sample(_ snapshot: RouteSnapshot) -> [InboundCall] {
    let count = snapshot.routeCount
    guard count > 0 else { return [] }
    return (0..<calls).map { _ in
      let route = Int.random(in: 0..<count)
      let to = snapshot.routes(in: route..<route + 1).first?.to.first ?? "0"
      return InboundCall(
        channel: .sip, from: Party(user: "+15550100"), to: Party(user: number(takenBy: to)),
        receivedAt: Date())
    }
  }

  /// A number that a pattern takes; of a regular expression, its own text.
  private static func number(takenBy pattern: String) -> String {
    var number = ""
    for character in pattern {
      switch character {
      case "?": number.append(String(Int.random(in: 0...9)))
      case "*": while number.count < 12 { number.append(String(Int.random(in: 0...9))) }
      default: number.append(character)
      }
    }
    return number
  }

  private static func now() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }

  /// For a person.
  var line: String {
    let load = loadSeconds.rounded(toPlaces: 3)
    return
      "loaded in \(load) s, \(bytesPerRoute) bytes a route; a look-up takes \(lookupMedian) ns at the median, "
      + "\(lookupP99) at p99 (\(clock) of it to read the clock)"
  }
}
