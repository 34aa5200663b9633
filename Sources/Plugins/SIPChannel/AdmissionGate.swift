/// Keeps one source of INVITEs from using up what the others need: a token bucket for each address.
///
/// The table is bounded: it has two generations, and when the young one is full it becomes the old one, whose addresses
/// were quiet for longest and are forgotten. Being forgotten only fills a bucket.
struct AdmissionGate {
  private struct Bucket {
    var tokens: Double
    var at: ContinuousClock.Instant
  }

  /// Tokens that come back each second; a bucket holds two seconds' worth, for bursts.
  let perSecond: Double
  private let generation: Int
  private var young: [String: Bucket] = [:]
  private var old: [String: Bucket] = [:]

  init(perSecond: Int, maximumAddresses: Int = 10_000) {
    self.perSecond = Double(perSecond)
    generation = max(1, maximumAddresses / 2)
  }

  /// Takes a token for one INVITE from an address; `false` when it has none.
  mutating func admits(_ address: String, at now: ContinuousClock.Instant) -> Bool {
    let full = perSecond * 2
    var bucket = young[address] ?? old[address] ?? Bucket(tokens: full, at: now)
    bucket.tokens = min(full, bucket.tokens + perSecond * ((now - bucket.at) / .seconds(1)))
    bucket.at = now
    let isAdmitted = bucket.tokens >= 1
    if isAdmitted { bucket.tokens -= 1 }
    if young.count >= generation, young[address] == nil {
      old = young
      young = [:]
    }
    young[address] = bucket
    return isAdmitted
  }

  /// How many addresses are known.
  var count: Int { young.count + old.count }
}
