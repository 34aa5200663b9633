import Foundation
import Testing

@testable import routerd

@Suite struct ServiceNotifierTests {
  /// Receives as systemd does.
  private final class Receiver {
    let descriptor: Int32
    private let path: String
    init(_ path: String) throws {
      self.path = path
      let address = try #require(UnixAddress(path))
      descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
      try #require(address.withPointer { bind(descriptor, $0, $1) } == 0)
    }
    deinit {
      close(descriptor)
      if !path.hasPrefix("@") { unlink(path) }
    }
    func next() -> String {
      var bytes = [UInt8](repeating: 0, count: 1000)
      let count = recv(descriptor, &bytes, bytes.count, 0)
      return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
    }
  }

  @Test(arguments: [
    "@routerd-test-\(UUID().uuidString)", NSTemporaryDirectory() + "n-\(UUID().uuidString.prefix(8))",
  ])
  func systemdHears(_ path: String) throws {
    let receiver = try Receiver(path)
    let notifier = ServiceNotifier({ $0 == "NOTIFY_SOCKET" ? path : nil })
    notifier.ready("two\nlines")
    #expect(receiver.next() == "READY=1\nSTATUS=two lines")
    notifier.stopping("draining")
    #expect(receiver.next() == "STOPPING=1\nSTATUS=draining")
    notifier.keepAlive()
    #expect(receiver.next() == "WATCHDOG=1")
    notifier.reloading()
    #expect(receiver.next().hasPrefix("RELOADING=1\nMONOTONIC_USEC="))
  }

  @Test func withoutSystemdNothingHappens() {
    let notifier = ServiceNotifier({ _ in nil })
    notifier.ready("fine")
    #expect(notifier.watchdogInterval == nil)
  }

  @Test func theWatchdogIsAskedForByProcess() {
    let values = ["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"]
    #expect(ServiceNotifier({ values[$0] }, processID: 7).watchdogInterval == 15)
    #expect(ServiceNotifier({ values[$0] }, processID: 8).watchdogInterval == nil)
  }

  @Test func longPathsAreRefused() {
    #expect(UnixAddress(String(repeating: "a", count: 107)) != nil)
    #expect(UnixAddress(String(repeating: "a", count: 108)) == nil)
    #expect(UnixAddress("") == nil)
  }
}
