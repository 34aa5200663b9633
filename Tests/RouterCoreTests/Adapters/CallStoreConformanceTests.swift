import RouterCore
import RouterTesting
import Testing

/// The suite for stores passes a good one and finds what is wrong with broken ones.
@Suite struct CallStoreConformanceTests {
  /// A good store with one fault.
  struct Broken: CallStore {
    enum Fault: CaseIterable {
      case forgetsWords, oldestFirst, ignoresFilters, ignoresTheLimit, forgetsAll, saysTwice, fails
    }
    let fault: Fault
    let store = FakeStore()

    func save(_ record: CallRecord) async throws {
      var record = record
      if fault == .forgetsWords { record.transcript = [] }
      if fault == .fails { throw FakeStore.Broken() }
      try await store.save(record)
    }

    func eraseCaller(_ person: String) async throws -> Int { try await store.eraseCaller(person) }
    func record(_ id: CallID) async throws -> CallRecord? {
      fault == .forgetsAll ? nil : try await store.record(id)
    }

    func records(_ query: CallQuery) async throws -> [CallRecord] {
      var query = query
      if fault == .ignoresFilters { query.agent = nil }
      if fault == .ignoresTheLimit { query.limit = 1000 }
      let records = try await store.records(query)
      switch fault {
      case .oldestFirst: return records.reversed()
      case .saysTwice: return records + records
      default: return records
      }
    }
  }

  @Test func aGoodStorePasses() async {
    let store = FakeStore()
    #expect(await CallStoreConformance.violations { store } == [])
  }

  @Test(arguments: Broken.Fault.allCases) func aBrokenStoreIsFound(_ fault: Broken.Fault) async {
    let store = Broken(fault: fault)
    #expect(await CallStoreConformance.violations { store } != [])
  }

  @Test func aStoreThatForgetsWhenItIsClosedIsFound() async {
    #expect(
      await CallStoreConformance.violations { FakeStore() }.map(\.rule) == ["records outlive the store"])
  }
}
