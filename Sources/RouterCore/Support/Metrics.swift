/// Counters and gauges by name and labels, for `routerd status` and scraping.
///
/// Names follow the Prometheus conventions: `routerd_calls_total`, `routerd_calls_rejected_total{reason="noRoute"}`.
public final class Metrics: Sendable {
  /// A series: a name with its labels.
  public struct Series: Hashable, Sendable, Comparable {
    public var name: String
    public var labels: [String: String]
    /// As Prometheus writes it.
    public var text: String {
      if labels.isEmpty { return name }
      let inner = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\($0.value)\"" }
      return "\(name){\(inner.joined(separator: ","))}"
    }
    public static func < (a: Series, b: Series) -> Bool { a.text < b.text }
  }

  /// Series beyond this many are not made: labels with foreign values must not eat the memory.
  public static let maximumSeries = 4096

  private let values = Lock<[Series: Double]>([:])

  public init() {}

  /// Adds to a series; it begins at 0.
  public func add(_ name: String, _ amount: Double = 1, _ labels: [String: String] = [:]) {
    change(name, labels) { $0 + amount }
  }

  /// Sets a series to a value.
  public func set(_ name: String, _ value: Double, _ labels: [String: String] = [:]) {
    change(name, labels) { _ in value }
  }

  private func change(_ name: String, _ labels: [String: String], _ body: (Double) -> Double) {
    let series = Series(name: name, labels: labels)
    values.withLock { values in
      if let old = values[series] {
        values[series] = body(old)
      } else if values.count < Metrics.maximumSeries {
        values[series] = body(0)
      }
    }
  }

  /// The value of a series, 0 if there is none.
  public func value(_ name: String, _ labels: [String: String] = [:]) -> Double {
    values.withLock { $0[Series(name: name, labels: labels)] ?? 0 }
  }

  /// All series with their values, sorted.
  public func all() -> [(Series, Double)] {
    values.withLock { values in values.map { ($0.key, $0.value) } }.sorted { $0.0 < $1.0 }
  }
}
