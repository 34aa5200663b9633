internal import CWslay
internal import Glibc

/// RFC 6455 frames to messages and back, by wslay: bytes in, bytes out, no I/O of its own.
///
/// wslay checks masks, reserved bits, fragments, lengths and UTF-8, answers pings and closes.
final class WebSocketFraming {
  /// Which side we are: a client masks what it sends (section 5.3).
  enum Role { case client, server }

  private var context: wslay_event_context_ptr?
  private let role: Role
  private var masks = MaskKeys()
  private var input: UnsafeRawBufferPointer = .init(start: nil, count: 0)
  /// Bytes that wait to be written to the connection.
  var output: ArraySlice<UInt8> { written[taken...] }
  private var written: [UInt8] = []
  /// How much of it the connection took.
  private var taken = 0
  private var messages: [WebSocketMessage] = []
  /// Bytes of the longest message that was written.
  private(set) var longestMessage = 0
  /// Why nothing more comes from the other side: its close frame, or its breach of the rules.
  private(set) var end: WebSocketClose?
  /// Whether a ping was answered since somebody last asked.
  private var hasPong = false

  init(_ role: Role, maximumMessageBytes: Int) {
    self.role = role
    var callbacks = wslay_event_callbacks()
    callbacks.recv_callback = { context, buffer, count, _, me in
      guard let buffer, let me else { return -1 }
      let framing = Unmanaged<WebSocketFraming>.fromOpaque(me).takeUnretainedValue()
      let taken = framing.take(buffer, count)
      if taken == 0 {
        wslay_event_set_error(context, Int32(WSLAY_ERR_WOULDBLOCK.rawValue))
        return -1
      }
      return taken
    }
    callbacks.send_callback = { _, bytes, count, _, me in
      guard let bytes, let me else { return -1 }
      let framing = Unmanaged<WebSocketFraming>.fromOpaque(me).takeUnretainedValue()
      framing.written.append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
      return count
    }
    callbacks.genmask_callback = { _, buffer, count, _ in
      // Unpredictable to whoever wrote the payload (section 10.3): the system's generator.
      for index in 0..<count { buffer?[index] = .random(in: .min ... .max) }
      return 0
    }
    callbacks.on_msg_recv_callback = { _, message, me in
      guard let message, let me else { return }
      Unmanaged<WebSocketFraming>.fromOpaque(me).takeUnretainedValue().receive(message.pointee)
    }
    let me = Unmanaged.passUnretained(self).toOpaque()
    let status =
      role == .client
      ? wslay_event_context_client_init(&context, &callbacks, me)
      : wslay_event_context_server_init(&context, &callbacks, me)
    precondition(status == 0, "no memory for a WebSocket")
    wslay_event_config_set_max_recv_msg_length(context, UInt64(maximumMessageBytes))
  }

  deinit {
    wslay_event_context_free(context)
  }

  private func take(_ buffer: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int {
    let taken = min(count, input.count)
    guard taken > 0 else { return 0 }
    UnsafeMutableRawPointer(buffer).copyMemory(from: input.baseAddress!, byteCount: taken)
    input = UnsafeRawBufferPointer(rebasing: input[taken...])
    return taken
  }

  private func receive(_ message: wslay_event_on_msg_recv_arg) {
    let bytes = Array(UnsafeBufferPointer(start: message.msg, count: message.msg_length))
    switch UInt32(message.opcode) {
    case UInt32(WSLAY_TEXT_FRAME.rawValue): messages.append(.text(bytes))
    case UInt32(WSLAY_BINARY_FRAME.rawValue): messages.append(.binary(bytes))
    case UInt32(WSLAY_CONNECTION_CLOSE.rawValue):
      let code = message.status_code == 0 ? 1005 : Int(message.status_code)
      // The payload of a close frame begins with the code itself (section 5.5.1).
      end = end ?? WebSocketClose(code: code, reason: String(decoding: bytes.dropFirst(2), as: UTF8.self))
    case UInt32(WSLAY_PONG.rawValue): hasPong = true
    default: break  // pings are answered by wslay
    }
  }

  /// Whether a ping was answered since the last time that this was asked.
  func takePong() -> Bool {
    defer { hasPong = false }
    return hasPong
  }

  /// Reads bytes of the connection; returns the messages that they completed. Answers go to ``output``.
  func read(_ bytes: UnsafeRawBufferPointer) -> [WebSocketMessage] {
    input = bytes
    wslay_event_recv(context)
    input = .init(start: nil, count: 0)
    wslay_event_send(context)
    if end == nil, wslay_event_get_read_enabled(context) == 0 {
      // wslay has sent a close frame, for a malformed frame one without a code: that is 1002.
      let sent = Int(wslay_event_get_status_code_sent(context))
      let why = sent == 1009 ? "a message is too long" : "the peer broke the rules"
      end = .givenUp(why, code: sent == 1005 ? 1002 : sent)
    }
    defer { messages = [] }
    return messages
  }

  /// Queues a message; false after a close. wslay has nothing of its own to send at this time (what it had is in
  /// ``output``), so a whole frame may follow: written here, sound is copied once.
  func write(_ message: WebSocketMessage) -> Bool {
    guard wslay_event_get_close_sent(context) == 0, wslay_event_get_write_enabled(context) != 0 else {
      return false
    }
    switch message {
    case .text(let bytes): append(UInt8(WSLAY_TEXT_FRAME.rawValue), bytes)
    case .binary(let bytes): append(UInt8(WSLAY_BINARY_FRAME.rawValue), bytes)
    }
    return true
  }

  /// One unfragmented frame (RFC 6455 section 5.2).
  private func append(_ opcode: UInt8, _ bytes: [UInt8]) {
    let mask: UInt8 = role == .client ? 0x80 : 0
    longestMessage = max(longestMessage, bytes.count)
    written.append(0x80 | opcode)
    switch bytes.count {
    case ..<126: written.append(mask | UInt8(bytes.count))
    case ..<65536:
      written.append(mask | 126)
      withUnsafeBytes(of: UInt16(bytes.count).bigEndian) { written.append(contentsOf: $0) }
    default:
      written.append(mask | 127)
      withUnsafeBytes(of: UInt64(bytes.count).bigEndian) { written.append(contentsOf: $0) }
    }
    guard role == .client else { return written.append(contentsOf: bytes) }
    let key = masks.next()
    withUnsafeBytes(of: key) { written.append(contentsOf: $0) }
    let start = written.count
    written.append(contentsOf: bytes)
    written.withUnsafeMutableBytes {
      MaskKeys.apply(key, to: UnsafeMutableRawBufferPointer(rebasing: $0[start...]))
    }
  }

  /// Queues a ping.
  func ping() { _ = write(UInt8(WSLAY_PING.rawValue), []) }

  private func write(_ opcode: UInt8, _ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBufferPointer { bytes in
      var message = wslay_event_msg(opcode: opcode, msg: bytes.baseAddress, msg_length: bytes.count)
      guard wslay_event_queue_msg(context, &message) == 0 else { return false }
      return wslay_event_send(context) == 0
    }
  }

  /// Queues our close frame.
  func close(_ close: WebSocketClose) {
    let reason = Array(close.reason.utf8.prefix(123))  // a control frame holds 125 bytes (section 5.5)
    _ = wslay_event_queue_close(context, UInt16(clamping: close.code), reason, reason.count)
    wslay_event_send(context)
  }

  /// The connection took this many bytes of ``output``.
  func wrote(_ count: Int) {
    taken += count
    // A long message leaves in many pieces: what is left of it is not moved for each of them.
    guard taken == written.count || taken > max(written.count / 2, 64 << 10) else { return }
    written.removeFirst(taken)
    taken = 0
  }
}

/// Keys that a client's frames are masked with (RFC 6455 section 5.3): unpredictable to whoever wrote the payload
/// (section 10.3), so of the system's generator, which is asked for many at once.
struct MaskKeys {
  private static let count = 64
  private var keys: [UInt32] = []

  mutating func next() -> UInt32 {
    if keys.isEmpty {
      keys = [UInt32](unsafeUninitializedCapacity: MaskKeys.count) { buffer, count in
        // At most 256 bytes at once; the system has them or there is no system.
        guard let start = buffer.baseAddress else { return }
        count = getentropy(start, MaskKeys.count * MemoryLayout<UInt32>.size) == 0 ? MaskKeys.count : 0
      }
    }
    return keys.popLast() ?? .random(in: .min ... .max)
  }

  /// Masks bytes, or takes the mask off.
  static func apply(_ key: UInt32, to bytes: UnsafeMutableRawBufferPointer) {
    let wide = UInt64(key) << 32 | UInt64(key)
    var index = 0
    while index + 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) ^ wide
      bytes.storeBytes(of: word, toByteOffset: index, as: UInt64.self)
      index += 8
    }
    withUnsafeBytes(of: key) { key in
      while index < bytes.count {
        bytes[index] ^= key[index & 3]
        index += 1
      }
    }
  }
}
