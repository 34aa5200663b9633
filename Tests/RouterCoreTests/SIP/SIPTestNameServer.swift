import Glibc
import Testing

@testable import RouterCore

/// A DNS server that knows what a test gives it; about all else it says that there is nothing.
final class SIPTestNameServer: Sendable {
  enum Record: Sendable {
    case service(priority: UInt16, weight: UInt16, port: UInt16, host: String)
    case pointer(order: UInt16, preference: UInt16, services: String, name: String)

    var type: UInt16 {
      switch self {
      case .service: 33
      case .pointer: 35
      }
    }

    var data: [UInt8] {
      switch self {
      case .service(let priority, let weight, let port, let host):
        return bytes(priority) + bytes(weight) + bytes(port) + labels(host)
      case .pointer(let order, let preference, let services, let name):
        return bytes(order) + bytes(preference) + string("s") + string(services) + string("") + labels(name)
      }
    }

    private func bytes(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }
    private func string(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + text.utf8 }
    private func labels(_ name: String) -> [UInt8] {
      name.split(separator: ".").flatMap { string(String($0)) } + [0]
    }
  }

  /// The names that were asked for, in order.
  var asked: [String] { questions.withLock { $0 } }
  /// As settings want it.
  let address: String

  private let socket: SIPTestSocket
  private let questions = Lock<[String]>([])
  private let isOver = Lock(false)

  init(_ records: [String: [Record]]) throws {
    let socket = try SIPTestSocket()
    self.socket = socket
    address = "127.0.0.1:\(socket.port)"
    let (questions, isOver) = (questions, isOver)
    let isStarted = DetachedThread.start {
      while !isOver.withLock({ $0 }) {
        guard let (query, peer) = socket.datagram() else { continue }
        guard let (name, type, end) = Self.question(query) else { continue }
        questions.withLock { $0.append(name) }
        let found = (records[name] ?? []).filter { $0.type == type }
        socket.send(Self.answer(Array(query[..<end]), found), to: peer)
      }
    }
    try #require(isStarted)
  }

  func close() { isOver.withLock { $0 = true } }

  private static func question(_ query: [UInt8]) -> (name: String, type: UInt16, end: Int)? {
    var labels: [String] = []
    var index = 12
    while index < query.count, query[index] > 0 {
      let next = index + 1 + Int(query[index])
      guard next < query.count else { return nil }
      labels.append(String(decoding: query[(index + 1)..<next], as: UTF8.self))
      index = next
    }
    guard index + 5 <= query.count else { return nil }
    return (
      labels.joined(separator: ".").lowercased(), UInt16(query[index + 1]) << 8 | UInt16(query[index + 2]),
      index + 5
    )
  }

  private static func answer(_ question: [UInt8], _ records: [Record]) -> [UInt8] {
    var answer = question
    answer[2] = 0x81
    answer[3] = records.isEmpty ? 0x83 : 0x80
    (answer[6], answer[7]) = (0, UInt8(records.count))
    for index in 8..<12 { answer[index] = 0 }
    for record in records {
      let data = record.data
      // The name of the question, type, IN, a lifetime.
      answer += [0xc0, 12, UInt8(record.type >> 8), UInt8(record.type & 0xff), 0, 1, 0, 0, 0, 60]
      answer += [UInt8(data.count >> 8), UInt8(data.count & 0xff)] + data
    }
    return answer
  }
}

extension SIPTestSocket {
  /// The next datagram as it came, and from whom; `nil` when none came in a moment.
  func datagram() -> (bytes: [UInt8], peer: SocketAddress)? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    var peer = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let count = withUnsafeMutablePointer(to: &peer) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        recvfrom(descriptor, &buffer, buffer.count, 0, $0, &length)
      }
    }
    guard count > 0 else { return nil }
    return (
      Array(buffer[..<count]), SocketAddress(ip: "127.0.0.1", port: UInt16(bigEndian: peer.sin_port))
    )
  }
}
