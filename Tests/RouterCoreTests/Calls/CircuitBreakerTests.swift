import Testing

@testable import RouterCore

/// When a backend is left alone, and when it is tried again.
@Suite struct CircuitBreakerTests {
  enum Step: Sendable {
    case fails(Double)
    case works
    case asks(Double, Bool)
  }

  static func times(_ count: Int, _ step: Step) -> [Step] { Array(repeating: step, count: count) }

  static let stories: [(String, [Step])] = [
    ("a backend that works is used", [.asks(0, true), .works, .asks(1, true)]),
    ("four failures are not enough", times(4, .fails(1)) + [.asks(1, true)]),
    ("five are", times(5, .fails(1)) + [.asks(1, false), .asks(15.9, false)]),
    (
      "a success between them counts", times(4, .fails(1)) + [.works] + times(4, .fails(2)) + [.asks(2, true)]
    ),
    ("old failures do not count", times(4, .fails(1)) + [.fails(62), .asks(62, true)]),
    ("then one call tries it, and others wait", times(5, .fails(1)) + [.asks(16, true), .asks(16, false)]),
    ("a trial that works closes it", times(5, .fails(1)) + [.asks(16, true), .works, .asks(16, true)]),
    (
      "a trial that fails opens it for twice as long",
      times(5, .fails(1)) + [
        .asks(16, true), .fails(17), .asks(46, false), .asks(47, true), .asks(47, false),
      ]
    ),
    (
      "a trial that is never heard of is forgotten",
      times(5, .fails(1)) + [.asks(16, true), .asks(45, false), .asks(46, true)]
    ),
    (
      "failures of calls from before change nothing",
      times(5, .fails(1)) + [.fails(10), .fails(15)] + [.asks(16, true)]
    ),
  ]

  @Test(arguments: stories) func story(name: String, steps: [Step]) {
    var breaker = CircuitBreaker()
    for step in steps {
      switch step {
      case .fails(let time): breaker.failed(at: .milliseconds(Int(time * 1000)))
      case .works: breaker.succeeded()
      case .asks(let time, let expected):
        let isAdmitted = breaker.admits(at: .milliseconds(Int(time * 1000)))
        #expect(isAdmitted == expected, "\(name), at \(time)")
      }
    }
  }

  @Test func theWaitIsBounded() {
    var breaker = CircuitBreaker()
    var now = Duration.zero
    for _ in 0..<5 { breaker.failed(at: now) }
    for _ in 0..<20 {
      now += .seconds(240)
      let isAdmitted = breaker.admits(at: now)
      #expect(isAdmitted)
      breaker.failed(at: now)
    }
  }

  @Test func nobodyIsTriedForACallThatCannotBe() {
    let now = Lock(Duration.zero)
    let breakers = Breakers(CircuitBreaker.Limits(), metrics: Metrics()) { now.withLock { $0 } }
    for _ in 0..<5 { breakers.failed("one", "closed") }
    now.withLock { $0 = .seconds(10) }
    for _ in 0..<5 { breakers.failed("two", "closed") }
    now.withLock { $0 = .seconds(16) }  // one may be tried, two not yet
    #expect(breakers.leftAlone(of: ["one", "two"]) == "two")
    #expect(breakers.leftAlone(of: ["one"]) == nil, "its trial was not spent")
    #expect(breakers.leftAlone(of: ["one"]) == "one", "it is now")
  }

  @Test func eachProviderHasItsOwn() {
    let metrics = Metrics()
    let breakers = Breakers(CircuitBreaker.Limits(), metrics: metrics) { .seconds(7) }
    for _ in 0..<5 { breakers.failed("one", "closed") }
    breakers.failed("two", "timedOut")
    #expect(breakers.leftAlone(of: ["two", "one", "three"]) == "one")
    #expect(breakers.leftAlone(of: ["two", "three"]) == nil)
    #expect(
      breakers.troubled == [
        BackendState(provider: "one", state: "open", failures: 5, seconds: 15),
        BackendState(provider: "two", state: "closed", failures: 1, seconds: 0),
      ])
    #expect(metrics.value("routerd_breaker_open", ["provider": "one"]) == 1)
    #expect(metrics.value("routerd_backend_skipped_total", ["provider": "one"]) == 1)
    #expect(
      metrics.value("routerd_backend_failures_total", ["provider": "one", "reason": "closed"]) == 5)
    breakers.succeeded("one")
    #expect(breakers.leftAlone(of: ["one"]) == nil && breakers.troubled.count == 1)
    #expect(metrics.value("routerd_breaker_open", ["provider": "one"]) == 0)
  }
}
