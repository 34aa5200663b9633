internal import RouterCore

/// Puts results together to utterances. Pure. The caller's turns are found by us: each ends with a `Finalize`, and its words
/// are all that was final until the result that confirms it.
struct DeepgramTranscript {
  /// What to do about an event.
  enum Action: Hashable {
    case report(RecognitionEvent)
    /// Send `{"type":"Finalize"}`.
    case finalize
  }

  /// Longer words of one utterance are cut.
  private static let maximumText = 20_000

  /// Utterances in a row of which the service gave nothing at all, not even empty results, after which it counts as gone.
  private static let patience = 2

  /// Whether there was a result since the utterance before ended, and how often there was none.
  private var hasResults = false
  private var deaf = 0
  /// Ends that have no result yet: whether anything was heard before each.
  private var ends: [Bool] = []
  private var finals: [String] = []
  private var confidences: [Double] = []
  private var interim = ""
  /// Seconds of sound that were sent, in all and for the utterance that goes on.
  private var sent = 0.0
  private var sentSinceEnd = 0.0

  /// Whether a result is being waited for.
  var isWaiting: Bool { !ends.isEmpty }

  mutating func sent(seconds: Double) {
    sent += seconds
    sentSinceEnd += seconds
  }

  /// The caller's turn is over.
  mutating func end() -> [Action] {
    let heardSomething = sentSinceEnd > 0
    sentSinceEnd = 0
    ends.append(heardSomething)
    return (heardSomething ? [.finalize] : []) + settle()
  }

  /// No confirmation came in time: what there is has to do, the unconfirmed words too.
  mutating func timedOut() -> [Action] {
    guard isWaiting else { return [] }
    deaf = hasResults ? 0 : deaf + 1
    guard deaf < DeepgramTranscript.patience else {
      return [.report(.failed(VoiceFailure(.timedOut, "no results for \(deaf) utterances in a row")))]
    }
    if !interim.isEmpty { finals.append(interim) }
    return give()
  }

  mutating func take(_ message: JSONValue) -> [Action] {
    switch message["type"]?.string {
    case "Results": return takeResults(message)
    // The word gap is as good an end as a confirmation, if all of the turn had been sent before.
    case "UtteranceEnd" where isWaiting && !finals.isEmpty && sentSinceEnd == 0 && interim.isEmpty:
      return give()
    case "Error":
      let words = message["description"]?.string ?? message["message"]?.string ?? "an error"
      return [.report(.failed(VoiceFailure(.protocolError, words)))]
    default: return []  // SpeechStarted, which has no partner; Metadata; what is new
    }
  }

  private mutating func takeResults(_ message: JSONValue) -> [Action] {
    if let channel = message["channel_index"]?.array?.first?.integer, channel != 0 { return [] }
    hasResults = true
    deaf = 0
    let best = message["channel"]?["alternatives"]?.array?.first
    let text = best?["transcript"]?.string ?? ""
    let isFinal = message["is_final"]?.bool == true || message["speech_final"]?.bool == true
    var actions: [Action] = []
    if isFinal {
      interim = ""
      if !text.isEmpty, finals.reduce(0, { $0 + $1.count }) < DeepgramTranscript.maximumText {
        finals.append(text)
        if let confidence = best?["confidence"]?.number, (0...1).contains(confidence) {
          confidences.append(confidence)
        }
      }
    } else {
      interim = text
    }
    if !text.isEmpty { actions.append(.report(.partial(words))) }
    guard isWaiting else { return actions }
    let isConfirmed = message["from_finalize"]?.bool == true
    // A server that confirms nothing: its own end, once it has heard all that was sent.
    let heard = (message["start"]?.number ?? 0) + (message["duration"]?.number ?? 0)
    let isOver =
      message["speech_final"]?.bool == true && sentSinceEnd == 0 && heard >= sent - 0.05 && sent > 0
    return isConfirmed || isOver ? actions + give() : actions
  }

  private var words: String { (finals + (interim.isEmpty ? [] : [interim])).joined(separator: " ") }

  /// The first of the ends has its result; those behind it before which nothing was heard have theirs.
  private mutating func give() -> [Action] {
    let text = finals.joined(separator: " ")
    let confidence = confidences.isEmpty ? nil : confidences.reduce(0, +) / Double(confidences.count)
    (finals, confidences, interim, hasResults) = ([], [], "", false)
    ends.removeFirst()
    return [.report(.final(text, confidence: text.isEmpty ? nil : confidence))] + settle()
  }

  private mutating func settle() -> [Action] {
    var actions: [Action] = []
    while ends.first == false {
      ends.removeFirst()
      actions.append(.report(.final("", confidence: nil)))
    }
    return actions
  }
}
