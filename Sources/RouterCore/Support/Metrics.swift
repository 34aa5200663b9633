/// Counters and gauges by name and labels, for `routerd status` and scraping.
///
/// Names follow the Prometheus conventions: `routerd_calls_total`, `routerd_calls_rejected_total{reason="noRoute"}`.
public final class Metrics: Sendable {
  /// A series: a name with its labels.
  public struct Series: Hashable, Sendable, Comparable {
    public var name: String
    public var labels: [String: String]
    /// The name tells nearly all of them apart; to hash a dictionary of labels costs more than to compare a few.
    public func hash(into hasher: inout Hasher) {
      var name = name
      name.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
      if labels.count == 1, var value = labels.first?.value {
        value.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
      }
    }
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

  /// Upper bounds of a histogram's buckets, in seconds; one more has no bound.
  public static let buckets = [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10]
  /// Histograms beyond this many are not made.
  public static let maximumHistograms = 256

  private struct Histogram {
    var counts = [Int](repeating: 0, count: Metrics.buckets.count + 1)
    var sum = 0.0
  }

  private let counters = Lock<[Series: Counter]>([:])
  private let histograms = Lock<[Series: Histogram]>([:])

  public init() {}

  /// One series, found once by those who count often.
  public final class Counter: Sendable {
    private let state = Lock(0.0)

    /// The value now.
    public var value: Double { state.withLock { $0 } }
    /// Adds to it.
    public func add(_ amount: Double = 1) { state.withLock { $0 += amount } }
    /// Sets it to a value.
    public func set(_ value: Double) { state.withLock { $0 = value } }
  }

  /// A series; it begins at 0. One above ``maximumSeries`` counts for its owner alone.
  public func counter(_ name: String, _ labels: [String: String] = [:]) -> Counter {
    let series = Series(name: name, labels: labels)
    return counters.withLock { counters in
      if let known = counters[series] { return known }
      let counter = Counter()
      if counters.count < Metrics.maximumSeries { counters[series] = counter }
      return counter
    }
  }

  /// Adds to a series.
  public func add(_ name: String, _ amount: Double = 1, _ labels: [String: String] = [:]) {
    counter(name, labels).add(amount)
  }

  /// Sets a series to a value.
  public func set(_ name: String, _ value: Double, _ labels: [String: String] = [:]) {
    counter(name, labels).set(value)
  }

  /// Counts a duration in a histogram, which Prometheus sees as `_bucket`, `_sum` and `_count`.
  public func observe(_ name: String, _ seconds: Double, _ labels: [String: String] = [:]) {
    guard seconds.isFinite else { return }
    let series = Series(name: name, labels: labels)
    let bucket = Metrics.buckets.firstIndex { seconds <= $0 } ?? Metrics.buckets.count
    histograms.withLock { histograms in
      guard histograms[series] != nil || histograms.count < Metrics.maximumHistograms else { return }
      histograms[series, default: Histogram()].counts[bucket] += 1
      histograms[series, default: Histogram()].sum += seconds
    }
  }

  private var histogramSeries: [(Series, Double)] {
    histograms.withLock { $0 }.flatMap { series, histogram -> [(Series, Double)] in
      func labelled(_ suffix: String, _ more: [String: String] = [:]) -> Series {
        Series(name: series.name + suffix, labels: series.labels.merging(more) { $1 })
      }
      var total = 0
      var all: [(Series, Double)] = []
      for (index, count) in histogram.counts.enumerated() {
        total += count
        let bound = index < Metrics.buckets.count ? "\(Metrics.buckets[index])" : "+Inf"
        all.append((labelled("_bucket", ["le": bound]), Double(total)))
      }
      return all + [(labelled("_sum"), histogram.sum), (labelled("_count"), Double(total))]
    }
  }

  /// The value of a series, 0 if there is none.
  public func value(_ name: String, _ labels: [String: String] = [:]) -> Double {
    counters.withLock { $0[Series(name: name, labels: labels)] }?.value ?? 0
  }

  /// All series with their values, sorted.
  public func all() -> [(Series, Double)] {
    (counters.withLock { counters in counters.map { ($0.key, $0.value.value) } } + histogramSeries)
      .sorted { $0.0 < $1.0 }
  }
}
