import Glibc
import Testing

@testable import routerd

@Suite struct DetachedThreadTests {
  /// Linux keeps a niceness for each thread.
  private static func niceness() -> Int32 { getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) }

  /// Who is patient stands back; who waits for him, and wakes others up then, does not.
  @Test func onlyThePatientStandBack() async {
    let (own, patient, after) = await onThread {
      (Self.niceness(), patiently { Self.niceness() }, Self.niceness())
    }
    #expect(own < 19)
    #expect(patient == 19)
    #expect(after == own)
    #expect(await onThread(isPatient: true) { Self.niceness() } == 19)
  }
}
