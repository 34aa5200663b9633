/// How much later than the fastest of its stream packets arrive: what a jitter buffer has to cover.
///
/// Transit is arrival minus RTP timestamp, so it has an unknown constant in it; only differences count. The fastest
/// packet of the last seconds is the base, which lets it follow a drift between the two clocks. All times in µs.
struct DelayEstimate {
  /// The base is the minimum over one to two of these.
  static let window = 3_000_000
  /// The share of packets that the spread covers; the rest may come too late.
  static let quantile: Float = 0.98
  static let binWidth = 5_000
  static let binCount = 40
  /// Each packet counts this much more than the one before: the last three hundred or so decide.
  private static let growth: Float = 1.004

  private var current = Int.max
  private var previous = Int.max
  private var windowEnd = 0
  private var bins: [Float] = []
  private var weight: Float = 1
  private var total: Float = 0
  private var untilUpdate = 0
  private var slowest = Int.min
  /// The spread before much is known.
  private static let firstGuess = 20_000
  /// What most packets need above the base; what all of the first few needed before enough were seen, so that a burst
  /// or a slow packet at the start of a call costs no audio.
  private(set) var spread = DelayEstimate.firstGuess

  /// The smallest transit of late; `Int.max` before any packet.
  var base: Int { min(current, previous) }

  mutating func add(transit: Int, at arrival: Int) {
    if current == .max { windowEnd = arrival + DelayEstimate.window }
    if arrival >= windowEnd {
      previous = current
      current = transit
      windowEnd = arrival + DelayEstimate.window
    }
    current = min(current, transit)
    slowest = max(slowest, transit)
    if bins.isEmpty { bins = Array(repeating: 0, count: DelayEstimate.binCount) }
    bins[min((transit - base) / DelayEstimate.binWidth, DelayEstimate.binCount - 1)] += weight
    total += weight
    weight *= DelayEstimate.growth
    if weight > 1e6 { normalise() }
    untilUpdate -= 1
    if untilUpdate <= 0 { update() }
  }

  private mutating func normalise() {
    for index in bins.indices { bins[index] /= weight }
    total /= weight
    weight = 1
  }

  private mutating func update() {
    // Few packets say little about how often, but something about how much.
    guard total > 25 else {
      spread = max(DelayEstimate.firstGuess, slowest - base)
      return
    }
    untilUpdate = 10
    var sum: Float = 0
    let wanted = total * DelayEstimate.quantile
    for (index, bin) in bins.enumerated() {
      sum += bin
      if sum >= wanted {
        spread = (index + 1) * DelayEstimate.binWidth
        return
      }
    }
  }
}
