/// Makes one press of what several methods report: the same key by RTP event, tone and SIP INFO counts once.
///
/// One value for each leg; feed it every digit, however it came, with the time of a monotonic clock.
public struct DigitFilter: Sendable {
  /// How a key arrived.
  public enum Method: Sendable, Hashable { case event, tone, info }

  /// The same key by another method within this time is the same press.
  public static let window: Duration = .milliseconds(100)

  private var last: (digit: Character, method: Method, at: ContinuousClock.Instant)?

  public init() {}

  /// Whether this digit is a press of its own.
  public mutating func accepts(_ digit: Character, by method: Method, at now: ContinuousClock.Instant) -> Bool
  {
    if let last, last.digit == digit, last.method != method, now - last.at < DigitFilter.window {
      return false
    }
    last = (digit, method, now)
    return true
  }
}
