/// How often each address may ask for a new call: a bucket of tokens for each, filled with time.
struct SIPRateLimiter {
  enum Verdict: Hashable { case serve, refuse, ignore }

  private struct Bucket {
    /// Negative while refusals are counted.
    var tokens: Double
    var filled: ContinuousClock.Instant
  }

  private let rate: Double
  private let capacity: Int
  private var buckets: [String: Bucket] = [:]

  /// - Parameters:
  ///   - rate: A second, and at once.
  ///   - addresses: Remembered at most; when there are more, all begin anew with full buckets.
  init(rate: Int, addresses: Int) {
    self.rate = Double(max(1, rate))
    capacity = max(1, addresses)
  }

  /// Serves what is within the rate, refuses as much again in words, and is silent beyond.
  mutating func ask(_ address: String, now: ContinuousClock.Instant) -> Verdict {
    var bucket = buckets[address] ?? Bucket(tokens: rate, filled: now)
    let (seconds, attoseconds) = (now - bucket.filled).components
    let elapsed = Double(seconds) + Double(attoseconds) / 1e18
    bucket.tokens = min(rate, bucket.tokens + elapsed * rate)
    bucket.filled = now
    defer {
      if buckets.count >= capacity, buckets[address] == nil { forget(now) }
      buckets[address] = bucket
    }
    guard bucket.tokens > -rate else { return .ignore }
    bucket.tokens -= 1
    return bucket.tokens >= 0 ? .serve : .refuse
  }

  /// Forgets addresses whose buckets are full again, and all when that does not help.
  private mutating func forget(_ now: ContinuousClock.Instant) {
    buckets = buckets.filter { now - $0.value.filled < .seconds(2) }
    if buckets.count >= capacity { buckets = [:] }
  }
}
