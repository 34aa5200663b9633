internal import CLibre

/// One question to DNS.
final class SIPNameQuery {
  enum Kind {
    /// SRV.
    case services
    /// NAPTR.
    case pointers
  }

  enum Record {
    case service(SIPLookup.Service)
    case pointer(SIPLookup.Pointer)
  }

  /// A message of 64 KiB holds no more that are worth trying.
  static let maximumRecords = 64

  private let kind: Kind
  /// libre keeps this place and empties it when the query is over.
  private let query: UnsafeMutablePointer<OpaquePointer?>
  private var done: (([Record]) -> Void)?

  init(_ kind: Kind, _ done: @escaping ([Record]) -> Void) {
    self.kind = kind
    self.done = done
    query = .allocate(capacity: 1)
    query.initialize(to: nil)
  }

  deinit {
    cancel()
    query.deallocate()
  }

  /// Asks; false when that is not possible, and then nothing follows.
  func start(_ client: OpaquePointer, _ name: String) -> Bool {
    let handler:
      @convention(c) (
        Int32, UnsafePointer<dnshdr>?, UnsafeMutablePointer<list>?, UnsafeMutablePointer<list>?,
        UnsafeMutablePointer<list>?, UnsafeMutableRawPointer?
      ) -> Void = { _, _, answers, _, _, argument in
        guard let argument else { return }
        let query = Unmanaged<SIPNameQuery>.fromOpaque(argument).takeUnretainedValue()
        query.finish(SIPNameQuery.records(answers))
      }
    let type = kind == .services ? DNS_TYPE_SRV : DNS_TYPE_NAPTR
    return dnsc_query(
      query, client, name, UInt16(type), UInt16(DNS_CLASS_IN), true, handler,
      Unmanaged.passUnretained(self).toOpaque()) == 0
  }

  func cancel() {
    done = nil
    mem_deref(UnsafeMutableRawPointer(query.pointee))
    query.pointee = nil
  }

  private func finish(_ records: [Record]) {
    let done = self.done
    self.done = nil
    done?(records)
  }

  private static func records(_ answers: UnsafeMutablePointer<list>?) -> [Record] {
    var records: [Record] = []
    var element = answers?.pointee.head
    while let node = element, records.count < maximumRecords {
      let record = node.pointee.data.assumingMemoryBound(to: dnsrr.self).pointee
      if record.type == UInt16(DNS_TYPE_SRV), let target = record.rdata.srv.target {
        records.append(
          .service(
            SIPLookup.Service(
              priority: record.rdata.srv.pri, weight: record.rdata.srv.weight, port: record.rdata.srv.port,
              host: String(cString: target))))
      } else if record.type == UInt16(DNS_TYPE_NAPTR), let flags = record.rdata.naptr.flags,
        let services = record.rdata.naptr.services, let name = record.rdata.naptr.replace
      {
        records.append(
          .pointer(
            SIPLookup.Pointer(
              order: record.rdata.naptr.order, preference: record.rdata.naptr.pref,
              flags: String(cString: flags), services: String(cString: services), name: String(cString: name)
            )))
      }
      element = node.pointee.next
    }
    return records
  }
}
