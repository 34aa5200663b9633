/// Session timers (RFC 4028): what two sides agree to, as pure functions.
struct SIPSessionTimer: Hashable, Sendable {
  /// Seconds that the session lasts without a refresh.
  var interval: Int
  /// Whether the refreshing is ours.
  var isOurs: Bool

  /// When to refresh, if that is ours (section 10: half of the interval).
  var refresh: Duration? { isOurs ? .milliseconds(interval * 500) : nil }

  /// When to give the session up. Who waits for the other gives up a little earlier, so that its BYE comes in time
  /// (section 10).
  var expiry: Duration { .seconds(isOurs ? interval : interval - min(32, interval / 3)) }

  /// What becomes of a request that starts or refreshes a session.
  enum ServerOutcome: Hashable, Sendable {
    /// 422 with this `Min-SE` (section 9).
    case tooSmall(minimum: Int)
    /// No timer.
    case none
    /// This goes into the 2xx; with `requires`, `Require: timer` too.
    case agreed(SIPSessionTimer, field: SIPSessionExpires, requires: Bool)
  }

  /// Our answer as the server of a request (section 9).
  static func serve(
    _ headers: SIPHeaders, _ settings: SIPSessionTimerSettings
  ) -> ServerOutcome {
    let isSupported = headers.lists("timer", in: .supported) || headers.lists("timer", in: .require)
    let asked = headers.first(.sessionExpires).flatMap { SIPSessionExpires($0) }
    let floor = max(headers.first(.minSE).flatMap { SIPNumber.seconds($0) } ?? 0, settings.minimum)
    guard let asked else {
      guard isSupported, let interval = settings.interval else { return .none }
      return agree(max(interval, floor), isSupported: true, refresher: nil)
    }
    // A caller that does not know timers would not understand 422: a proxy on the way has asked.
    if asked.interval < settings.minimum, isSupported { return .tooSmall(minimum: settings.minimum) }
    // We may shorten what was asked for, down to what anybody on the way can bear, never lengthen it.
    let interval = min(asked.interval, max(settings.interval ?? asked.interval, floor))
    return agree(interval, isSupported: isSupported, refresher: asked.refresher)
  }

  private static func agree(
    _ interval: Int, isSupported: Bool, refresher: SIPSessionExpires.Refresher?
  ) -> ServerOutcome {
    // A caller without timers cannot refresh; one with them does unless it wants us to (table 2 of section 9).
    let refresher = isSupported ? refresher ?? .uac : .uas
    return .agreed(
      SIPSessionTimer(interval: interval, isOurs: refresher == .uas),
      field: SIPSessionExpires(interval, refresher: refresher), requires: refresher == .uac)
  }

  /// What a 2xx to our request says (section 7.2). A 2xx without `Session-Expires` ends any timer.
  static func accepted(_ headers: SIPHeaders) -> SIPSessionTimer? {
    guard let field = headers.first(.sessionExpires).flatMap({ SIPSessionExpires($0) }), field.interval > 0
    else { return nil }
    // A server that forgets to say who refreshes leaves it to us: two that refresh do less harm than none.
    return SIPSessionTimer(interval: field.interval, isOurs: field.refresher != .uas)
  }

  /// `Session-Expires` of a request of ours in a session: the roles stay as they are, named from our side.
  var field: SIPSessionExpires { SIPSessionExpires(interval, refresher: isOurs ? .uac : .uas) }
}
