public import RouterCore

extension CallIntake {
  /// An intake that keeps each call until `done` is opened, and hangs up then; and the calls that came.
  public static func keeping() -> (
    intake: CallIntake, calls: Journal<(InboundCall, any CallLeg)>, done: Latch
  ) {
    let calls = Journal<(InboundCall, any CallLeg)>()
    let done = Latch()
    let intake = CallIntake { call, leg in
      calls.note((call, leg))
      await done.waitStubbornly()
      await leg.hangUp(CallEnd(.agentHungUp))
    }
    return (intake, calls, done)
  }
}
