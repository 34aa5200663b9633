import Testing

@testable import RouterCore

/// Silence that an agent owes: when the caller hears a word, and when the agent has failed.
@Suite struct DeadAirTests {
  static let limits = DeadAir.Limits(
    word: .seconds(3), firstAudio: .seconds(10), silentTurn: .seconds(8), longestTurn: .seconds(600))

  enum Step: Sendable {
    case expects(DeadAir.Owed, Double)
    case released
    case restarted(Double)
    /// A turn begins; `nil` ends it.
    case turn(Double?)
    /// Sound of the turn, in milliseconds, that is audible until then.
    case sounds(Int, until: Double)
    /// The same, and all of it is digital silence.
    case isSilent(Int)
    case ended
    case look(Double, DeadAir.Verdict)
  }

  static func until(_ seconds: Double) -> DeadAir.Verdict {
    .wait(until: .milliseconds(Int(seconds * 1000)))
  }
  static func failed(_ text: String, drop: Bool = false) -> DeadAir.Verdict { .failed(text, drop: drop) }

  static let stories: [(String, [Step])] = [
    ("nothing is owed before anything", [.look(5, .nothing)]),
    (
      "no sound after the answer",
      [
        .expects(.beginning, 0), .look(0, until(3)), .look(3, .word), .look(3, until(10)),
        .look(10, failed("no sound for 10 s after the answer")),
      ]
    ),
    (
      "no sound after the caller's turn",
      [
        .expects(.caller, 5), .turn(5.5), .look(8, .word),
        .look(15, failed("no sound for 10 s after the caller's turn")),
      ]
    ),
    (
      "a tool's result may be nothing to speak of",
      [.expects(.tool, 5), .turn(5), .turn(nil), .ended, .look(20, .nothing)]
    ),
    (
      "but what the caller said wants an answer",
      [.expects(.caller, 5), .turn(5), .turn(nil), .ended, .look(8, .word)]
    ),
    ("the caller speaks on", [.expects(.caller, 5), .released, .look(20, .nothing)]),
    (
      "sound settles it, until it was played",
      [.expects(.caller, 5), .turn(5), .sounds(1000, until: 7), .look(6, until(8)), .look(9.9, until(10))]
    ),
    (
      "a turn that ended owes nothing",
      [.turn(1), .sounds(1000, until: 2), .turn(nil), .look(30, .nothing)]
    ),
    (
      "a turn that stops in its middle",
      [
        .turn(1), .sounds(1000, until: 2), .look(1, until(3)), .look(3, until(5)), .look(5, .word),
        .look(10, failed("turn 1 gave no sound for 8 s")),
      ]
    ),
    (
      "sound that is digital silence is none",
      [
        .expects(.caller, 1), .turn(2), .isSilent(5000), .look(4, .word), .turn(nil),
        .look(11, failed("no sound for 10 s after the caller's turn")),
      ]
    ),
    (
      "a word is said once in one silence",
      [
        .turn(0), .look(3, .word), .look(4, until(6)), .sounds(20, until: 5), .look(5, until(7)),
        .look(7, until(8)),
        .look(8, .word),
      ]
    ),
    (
      "what was before does not count after a hold",
      [.turn(1), .restarted(100), .look(100, until(102)), .look(108, failed("turn 1 gave no sound for 8 s"))]
    ),
    (
      "a turn that never ends",
      [
        .turn(0), .sounds(599_000, until: 700), .look(599, until(601)),
        .look(600, failed("turn 1 has not ended after 600 s", drop: true)),
      ]
    ),
    (
      "a flood of sound",
      [
        .turn(0), .sounds(302_000, until: 302),
        .look(1, failed("turn 1 gave 301 s more sound than was played", drop: true)),
      ]
    ),
    (
      "many looks at a long turn",
      [.turn(0), .sounds(200_000, until: 200), .look(1, until(3)), .look(3, until(5))]
    ),
  ]

  @Test(arguments: stories) func story(name: String, steps: [Step]) {
    func time(_ seconds: Double) -> Duration { .milliseconds(Int(seconds * 1000)) }
    var watch = DeadAir()
    var sound = SoundSoFar()
    var turn: (id: TurnID, since: Duration)?
    for (index, step) in steps.enumerated() {
      switch step {
      case .expects(let what, let at): watch.expect(what, at: time(at), sound)
      case .released: watch.release()
      case .ended: watch.turnEnded()
      case .restarted(let at): watch.restart(at: time(at))
      case .turn(let at): turn = at.map { (TurnID(1), time($0)) }
      case .sounds(let milliseconds, let until):
        sound.sent[TurnID(1), default: 0] += milliseconds
        sound.audible += milliseconds
        sound.audibleUntil = time(until)
      case .isSilent(let milliseconds): sound.sent[TurnID(1), default: 0] += milliseconds
      case .look(let at, let expected):
        let verdict = watch.look(at: time(at), sound, turn: turn, DeadAirTests.limits)
        #expect(verdict == expected, "\(name), step \(index)")
      }
    }
  }

  @Test func limitsCanBeSwitchedOff() {
    var watch = DeadAir()
    watch.expect(.caller, at: .zero, SoundSoFar())
    let never = DeadAir.Limits(word: nil, firstAudio: nil, silentTurn: nil, longestTurn: .seconds(600))
    let verdict = watch.look(at: .seconds(100), SoundSoFar(), turn: nil, never)
    #expect(verdict == .nothing)
  }

  @Test(arguments: [
    (AudioFrame(.muLaw, bytes: [0xFF, 0x7F]), true), (AudioFrame(.muLaw, bytes: [0xFF, 0x80]), false),
    (AudioFrame(.aLaw, bytes: [0xD5, 0x55]), true), (AudioFrame(.aLaw, bytes: [0xD5, 0x00]), false),
    (AudioFrame(samples: [0, 1, -1], sampleRate: 24000), true),
    (AudioFrame(samples: [0, 0, 2], sampleRate: 24000), false), (AudioFrame(.muLaw, bytes: []), true),
    (AudioFrame(.linear16(8000), bytes: [0]), false),
  ]) func digitalSilence(frame: AudioFrame, isSilent: Bool) {
    #expect(frame.isDigitalSilence == isSilent)
  }
}
