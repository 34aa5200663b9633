/// Makes one press of what several methods report: the same key by RTP event, tone and SIP INFO counts once.
///
/// A peer that sent one press twice does so with all of them, so the weaker of its two methods counts for nothing from
/// then on; two quick presses of one key could not be told apart otherwise. Twice by one method is two presses: each
/// method has removed its own repetitions already. One value for each leg; feed it every digit, however it came, with
/// the time of a monotonic clock.
public struct DigitFilter: Sendable {
  /// How a key arrived; the better way first.
  public enum Method: Int, Sendable, Hashable { case event, tone, info }

  /// The same key by another method within this time is the same press. INFO often comes when the key is let go, an
  /// RTP event when it is pressed.
  public static let window: Duration = .milliseconds(300)

  private var last: (digit: Character, method: Method, at: ContinuousClock.Instant)?
  /// What only repeats another method.
  private var echoes: Set<Method> = []

  public init() {}

  /// Whether this digit is a press of its own.
  public mutating func accepts(_ digit: Character, by method: Method, at now: ContinuousClock.Instant) -> Bool
  {
    if echoes.contains(method) { return false }
    if let last, last.digit == digit, last.method != method, now - last.at < DigitFilter.window {
      echoes.insert(last.method.rawValue > method.rawValue ? last.method : method)
      return false
    }
    last = (digit, method, now)
    return true
  }
}
