/// Follows one hand-over by REFER to its end (RFC 3515): what the request's answer, the reports and the clock mean.
///
/// Pure: it takes an event and returns one action. Reports may come before the request's own answer, never, or
/// without a result in them; whatever comes after the end falls to nothing.
public struct TransferMachine: Sendable, Hashable {
  /// What happened.
  public enum Event: Sendable, Hashable {
    /// The final answer to the request itself; 408 stands for none.
    case answered(status: Int, reason: String)
    /// A report (NOTIFY of the `refer` event) arrived.
    case reported(Report)
    /// The time for the whole transfer is over.
    case deadline
    /// The caller is gone.
    case callerHungUp
  }

  /// One NOTIFY with a message fragment.
  public struct Report: Sendable, Hashable {
    /// The status that the fragment carries; `nil` for a report without a readable one.
    public var status: Int?
    /// The words behind the status.
    public var reason: String
    /// Whether no more reports follow (`Subscription-State: terminated`).
    public var isLast: Bool

    public init(status: Int?, reason: String = "", isLast: Bool = false) {
      self.status = status
      self.reason = reason
      self.isLast = isLast
    }
  }

  /// What to do now.
  public enum Action: Sendable, Hashable {
    /// Nothing; more is to come.
    case wait
    /// It is over. After ``TransferOutcome/completed`` the leg hangs up at once: networks keep both parties waiting
    /// in silence until then.
    case finish(TransferOutcome)
  }

  private enum State: Hashable {
    case open(lastStatus: Int?)
    case finished
  }

  private var state = State.open(lastStatus: nil)

  /// A transfer of which nothing was heard yet.
  public init() {}

  /// Whether the outcome is known.
  public var isFinished: Bool { state == .finished }

  /// Takes an event, returns what to do. ``Action/finish(_:)`` is returned once.
  public mutating func handle(_ event: Event) -> Action {
    guard case .open(let lastStatus) = state else { return .wait }
    switch event {
    case .answered(let status, let reason):
      // 202 is not success: only a report or the peer's silence tells what became of it (RFC 3515 section 2.4.2).
      if status < 300 { return .wait }
      return finish(.refused(status: status, reason: reason))
    case .reported(let report):
      return handle(report, lastStatus)
    case .deadline:
      return finish(.timedOut)
    case .callerHungUp:
      return finish(.callerHungUp)
    }
  }

  private mutating func handle(_ report: Report, _ lastStatus: Int?) -> Action {
    switch report.status {
    case .some(200..<300):
      return finish(.completed)
    case .some(300...):
      return finish(.failed(status: report.status ?? 0, reason: report.reason))
    default:
      let status = report.status ?? lastStatus
      state = .open(lastStatus: status)
      guard report.isLast else { return .wait }
      return finish(.failed(status: status ?? 0, reason: "the reports ended without a result"))
    }
  }

  private mutating func finish(_ outcome: TransferOutcome) -> Action {
    state = .finished
    return .finish(outcome)
  }
}
