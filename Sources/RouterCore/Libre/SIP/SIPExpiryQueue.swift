/// Things that all live equally long, in the order in which they were added: one timer for all of them, and no work for
/// those that are gone before.
final class SIPExpiryQueue<Element> {
  private let lifetime: Duration
  private let expire: (Element) -> Void
  private let timer = LoopTimer()
  private var entries: [(deadline: ContinuousClock.Instant, element: Element)] = []
  private var head = 0

  /// - Parameter expire: Called for each element when its time is over. Must not hold the queue's owner strongly.
  init(after lifetime: Duration, expire: @escaping (Element) -> Void) {
    self.lifetime = lifetime
    self.expire = expire
  }

  func add(_ element: Element) {
    entries.append((.now + lifetime, element))
    if !timer.isRunning { arm() }
  }

  func removeAll() {
    timer.cancel()
    entries = []
    head = 0
  }

  private func arm() {
    guard head < entries.count else { return }
    timer.start(after: entries[head].deadline - .now) { [unowned self] in serve() }
  }

  private func serve() {
    let now = ContinuousClock.now
    while head < entries.count, entries[head].deadline <= now {
      let element = entries[head].element
      head += 1
      expire(element)
    }
    if head == entries.count {
      entries.removeAll(keepingCapacity: entries.capacity < 1024)
      head = 0
    } else if head > 1024, head > entries.count / 2 {
      entries.removeFirst(head)
      head = 0
    }
    arm()
  }
}
