internal import RouterCore

/// Follows one call in the routerd that answers it, over the control socket: its decision, and the words that were
/// understood and said.
///
/// The phone knows its call by the SIP Call-ID, and only once the other side has answered something; what comes
/// before that is kept.
final class TranscriptFollower: Sendable {
  /// Events that are kept while the Call-ID is unknown.
  private static let maximumKept = 500

  private struct State {
    var foreignID: String?
    var callID: String?
    /// routerd's name for each SIP Call-ID that came in.
    var calls: [String: String] = [:]
    var kept: [JSONValue] = []
  }

  private let state = Lock(State())
  private let printer: PhonePrinter
  private let isOver = OneShot<Bool>()

  init(_ printer: PhonePrinter) { self.printer = printer }

  /// Starts to follow; returns when routerd is listened to. Throws ``ControlFailure`` when there is none.
  func start(at path: String) async throws(ControlFailure) {
    let begun = OneShot<ControlFailure?>()
    Task {
      do throws(ControlFailure) {
        _ = try await ControlClient.ask("follow", at: path, isOpenEnded: true) { event in
          begun.resolve(nil)
          self.take(event)
          return true
        }
      } catch {
        begun.resolve(error)
      }
      isOver.resolve(false)
    }
    if let failure = await begun.value(cancelled: nil) { throw failure }
  }

  /// The call's name on the wire is known now.
  func identify(_ foreignID: String) {
    let events = state.withLock { state -> [JSONValue] in
      guard state.foreignID == nil else { return [] }
      state.foreignID = foreignID
      state.callID = state.calls[foreignID]
      defer { state.kept.removeAll() }
      return state.kept.filter { $0["call"]?.string == state.callID }
    }
    for event in events { show(event) }
  }

  /// Waits a moment for the last words.
  func finish() async {
    let deadline = Task {
      // Cancelled when the end came in time.
      try? await Task.sleep(for: .seconds(2))
      isOver.resolve(false)
    }
    _ = await isOver.value(cancelled: false)
    deadline.cancel()
  }

  private func take(_ event: JSONValue) {
    let isOurs = state.withLock { state -> Bool in
      let call = event["call"]?.string
      if event["type"]?.string == "received", let foreignID = event["foreignID"]?.string, let call {
        if state.calls.count < TranscriptFollower.maximumKept { state.calls[foreignID] = call }
        if foreignID == state.foreignID { state.callID = call }
      }
      if let callID = state.callID { return call == callID }
      if state.kept.count < TranscriptFollower.maximumKept { state.kept.append(event) }
      return false
    }
    if isOurs { show(event) }
  }

  private func show(_ event: JSONValue) {
    switch event["type"]?.string {
    case "decided":
      let summary = event["summary"]?.string ?? ""
      printer.event("decision", summary, ["summary": .string(summary)])
    case "transcript":
      let entry = event["entry"] ?? .null
      let name = entry["speaker"]?.string == "caller" ? "heard" : "said"
      printer.event(name, at: entry["at"]?.integer, EventText.transcript(entry), ["entry": entry])
    case "timing":
      guard let timing = EventText.timing(event) else { return }
      printer.event(
        "answered", at: timing.firstPacket, CallSteps.line(timing), ["timing": event["timing"] ?? .null])
    case "ended": isOver.resolve(true)
    default: break
    }
  }
}
