/// Who may have a call now. Every slot is taken at once or not at all, and given back by whoever took it.
final class Admission: Sendable {
  private struct State {
    var total = 0
    var slots: [String: Int] = [:]
    var isDraining = false
  }

  private let state = Lock(State())
  private let settings: EngineSettings

  init(_ settings: EngineSettings) { self.settings = settings }

  /// A call's place in the engine and on its trunk.
  struct Place: Sendable {
    fileprivate var trunk: String?
    fileprivate var limits: [CallLimit] = []
  }

  var isDraining: Bool { state.withLock { $0.isDraining } }

  /// No more calls from now on.
  func drain() { state.withLock { $0.isDraining = true } }

  /// Lets a call in, or says how to refuse it.
  func enter(_ trunk: Trunk?) -> Result<Place, Refusal> {
    state.withLock { state in
      if state.isDraining {
        return .failure(
          Refusal(
            CallEnd(.draining, text: "routerd takes no new calls", retryAfter: settings.retryAfter)))
      }
      if state.total >= settings.maximumCalls {
        // Q.850 cause 42, congestion: the whole engine is full, so others should be tried for a while.
        return .failure(
          Refusal(
            CallEnd(
              .limitReached, text: "all \(settings.maximumCalls) calls are taken (maximumCalls)",
              sipStatus: 503, q850: 42, retryAfter: settings.retryAfter)))
      }
      var place = Place()
      if let trunk, let maximum = trunk.maximumCalls {
        let key = "trunk \(trunk.name)"
        if state.slots[key] ?? 0 >= maximum {
          // Q.850 cause 34, no circuit. Without Retry-After a proxy tries another way for this call and goes on
          // sending others (RFC 3261 section 21.5.4).
          return .failure(
            Refusal(
              CallEnd(
                .limitReached, text: "all \(maximum) calls of trunk \(trunk.name) are taken", sipStatus: 503,
                q850: 34)))
        }
        state.slots[key, default: 0] += 1
        place.trunk = key
      }
      state.total += 1
      return .success(place)
    }
  }

  /// Takes a slot of each limit, all or none.
  /// - Returns: The first limit that is full.
  func take(_ limits: [CallLimit], for place: inout Place?) -> CallLimit? {
    if limits.isEmpty { return nil }
    let full = state.withLock { state -> CallLimit? in
      if let full = limits.first(where: { state.slots[$0.key] ?? 0 >= $0.maximum }) { return full }
      for limit in limits { state.slots[limit.key, default: 0] += 1 }
      return nil
    }
    if full == nil { place?.limits += limits }
    return full
  }

  /// Gives everything back.
  func leave(_ place: Place) {
    state.withLock { state in
      state.total -= 1
      for key in place.limits.map(\.key) + [place.trunk].compactMap(\.self) {
        let left = (state.slots[key] ?? 0) - 1
        state.slots[key] = left > 0 ? left : nil
      }
    }
  }

  /// How many calls are taken under a key, e.g. `trunk carrier`.
  func taken(_ key: String) -> Int { state.withLock { $0.slots[key] ?? 0 } }
}

/// A call is not let in.
struct Refusal: Error {
  let end: CallEnd
  init(_ end: CallEnd) { self.end = end }
}
