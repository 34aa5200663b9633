internal import CLibre

/// The transactions of an endpoint, by what messages say about them.
final class SIPTransactions {
  let settings: SIPSettings
  let transports: SIPTransports
  private var servers: [SIPTransactionKey: SIPServerTransaction] = [:]
  private var merged: [SIPMergeKey: SIPTransactionKey] = [:]
  private var clients: [UInt64: SIPClientTransaction] = [:]
  private var cancels: [UInt64: SIPClientTransaction] = [:]
  private var nextNumber: UInt64 = 1
  private var random = RandomBytes()
  private lazy var forgetServers = SIPExpiryQueue<SIPServerTransaction>(after: settings.timers.timeout) {
    [unowned self] transaction in remove(transaction)
  }
  private lazy var forgetClients = SIPExpiryQueue<SIPClientTransaction>(after: settings.timers.timeout) {
    [unowned self] transaction in remove(transaction)
  }

  init(settings: SIPSettings, transports: SIPTransports) {
    self.settings = settings
    self.transports = transports
  }

  /// How many requests of others are remembered.
  var serverCount: Int { servers.count }

  func close() {
    forgetServers.removeAll()
    forgetClients.removeAll()
    for transaction in servers.values { transaction.finish() }
    for transaction in Array(clients.values) + Array(cancels.values) { transaction.abandon() }
    servers = [:]
    merged = [:]
  }

  // MARK: Requests of others

  func server(_ key: SIPTransactionKey) -> SIPServerTransaction? { servers[key] }

  /// Whether a request came before by another way (section 8.2.2.2).
  func isMerged(_ key: SIPMergeKey) -> Bool { merged[key] != nil }

  func open(
    _ key: SIPTransactionKey, merge: SIPMergeKey?, _ envelope: SIPEnvelope, _ flow: SIPFlow,
    _ arrival: SIPArrival, toTag: String?
  ) -> SIPServerTransaction {
    let transaction = SIPServerTransaction(
      number: SIPTransactionNumber(value: nextNumber), key: key, mergeKey: merge, envelope: envelope,
      flow: responseFlow(envelope, flow), arrival: arrival, toTag: toTag, layer: self)
    nextNumber += 1
    servers[key] = transaction
    if let merge { merged[merge] = key }
    return transaction
  }

  /// A final answer was given.
  func finished(_ transaction: SIPServerTransaction) {
    // On a reliable transport nothing comes twice, except that INVITE waits for its ACK (timers H and J).
    if transaction.flow.transport.isReliable, !transaction.isInvite {
      remove(transaction)
    } else {
      forgetServers.add(transaction)
    }
  }

  private func remove(_ transaction: SIPServerTransaction) {
    transaction.finish()
    drop(transaction)
  }

  func drop(_ transaction: SIPServerTransaction) {
    guard servers[transaction.key] === transaction else { return }
    servers[transaction.key] = nil
    if let merge = transaction.mergeKey { merged[merge] = nil }
  }

  /// Where answers go (section 18.2.2, RFC 3581 section 4): back on the connection, or to the source address, and there
  /// to the source port if `rport` asks for it, else to the port of `Via`.
  func responseFlow(_ envelope: SIPEnvelope, _ flow: SIPFlow) -> SIPFlow {
    guard flow.transport == .udp, envelope.via.bareRport == nil else { return flow }
    var flow = flow
    flow.remote.port = envelope.via.port ?? SIPTransport.udp.defaultPort
    return flow
  }

  func sendResponse(_ bytes: [UInt8], _ transaction: SIPServerTransaction) {
    if transports.send(bytes, on: transaction.flow) == 0 || !transaction.flow.transport.isReliable { return }
    // The connection is gone: one to the port of `Via` may be opened (section 18.2.2).
    guard let envelope = transaction.envelope else { return }
    let address = SocketAddress(
      ip: transaction.arrival.source.ip, port: envelope.via.port ?? transaction.flow.transport.defaultPort)
    let destination = SIPDestination(
      address: address, transport: transaction.flow.transport, name: address.ip)
    do throws(SIPFailure) {
      _ = transports.send(bytes, on: try transports.flow(to: destination))
    } catch {
      return  // Nobody to tell: the peer's own timers end the transaction.
    }
  }

  // MARK: Requests of ours

  func newBranch() -> UInt64 { random.next() }

  static func branch(_ number: UInt64) -> String { "z9hG4bK" + SIPTag.text(number) }

  func open(_ number: UInt64, _ method: SIPMethod, _ flow: SIPFlow, _ bytes: [UInt8]) -> SIPClientTransaction
  {
    let transaction = SIPClientTransaction(
      number: number, method: method, flow: flow, bytes: bytes, layer: self)
    if method == .cancel { cancels[number] = transaction } else { clients[number] = transaction }
    return transaction
  }

  /// The transaction of ours that a response belongs to (section 17.1.3).
  func client(_ envelope: SIPEnvelope) -> SIPClientTransaction? {
    guard let branch = envelope.via.branch,
      let number = envelope.headers.withBytes(
        branch,
        { bytes -> UInt64? in
          guard bytes.count == 23, bytes.starts(with: "z9hG4bK".utf8) else { return nil }
          return SIPTag.number(UnsafeRawBufferPointer(rebasing: bytes[7...]))
        })
    else { return nil }
    let transaction = envelope.cseq.method == .cancel ? cancels[number] : clients[number]
    return transaction?.method == envelope.cseq.method ? transaction : nil
  }

  func remove(_ transaction: SIPClientTransaction) {
    if transaction.method == .cancel {
      cancels[transaction.number] = nil
    } else {
      clients[transaction.number] = nil
    }
  }

  /// Keeps a transaction to answer copies of a final answer (timer D).
  func absorb(_ transaction: SIPClientTransaction) { forgetClients.add(transaction) }

  func lost(_ path: SIPFlow.Path) {
    for transaction in Array(clients.values) + Array(cancels.values) where transaction.flow.path == path {
      transaction.lostConnection()
    }
  }
}

/// Tags and branches of ours: 64 random bits as sixteen hexadecimal digits, so that the number finds its owner without
/// comparing text.
enum SIPTag {
  private static let digits = Array("0123456789abcdef".utf8)

  static func text(_ number: UInt64) -> String {
    String(unsafeUninitializedCapacity: 16) { buffer in
      for index in 0..<16 { buffer[index] = digits[Int((number >> UInt64(60 - 4 * index)) & 15)] }
      return 16
    }
  }

  static func number(_ bytes: UnsafeRawBufferPointer) -> UInt64? {
    guard bytes.count == 16 else { return nil }
    var number: UInt64 = 0
    for byte in bytes {
      // Upper case would be another tag.
      guard let digit = SIPByte.hex(byte), !(UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte) else {
        return nil
      }
      number = number << 4 | UInt64(digit)
    }
    return number
  }
}
