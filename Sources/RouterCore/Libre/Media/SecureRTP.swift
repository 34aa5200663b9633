internal import CLibre

/// SRTP and SRTCP with one key, in one direction (RFC 3711), by libre. Lives on one loop.
final class SecureRTP {
  /// How much a packet grows at most: the tag and, for RTCP, the index.
  static let overhead = 24

  let key: SRTPKey
  private var context: OpaquePointer
  /// For RTCP, whose tag has 80 bits also in the suites that shorten RTP's (RFC 4568 section 6.2.2, RFC 6188 section
  /// 3): libre would shorten both. `nil` when one context serves both.
  private let control: OpaquePointer?
  /// The last authentic packet, to keep nonsense from libre.
  private var highest: (ssrc: UInt32, sequence: UInt16)?
  private var hasRolledOver = false

  /// `nil` when libre refuses the suite.
  init?(_ key: SRTPKey) {
    guard let context = SecureRTP.open(key) else { return nil }
    self.key = key
    self.context = context
    control =
      switch key.suite {
      case .aes128sha32: SecureRTP.open(key, as: .aes128sha80)
      case .aes256sha32: SecureRTP.open(key, as: .aes256sha80)
      default: nil
      }
  }

  deinit {
    mem_deref(UnsafeMutableRawPointer(context))
    mem_deref(UnsafeMutableRawPointer(control))
  }

  private static func open(_ key: SRTPKey, as suite: SRTPSuite? = nil) -> OpaquePointer? {
    let suite =
      switch suite ?? key.suite {
      case .aes128sha80: SRTP_AES_CM_128_HMAC_SHA1_80
      case .aes128sha32: SRTP_AES_CM_128_HMAC_SHA1_32
      case .aes256sha80: SRTP_AES_256_CM_HMAC_SHA1_80
      case .aes256sha32: SRTP_AES_256_CM_HMAC_SHA1_32
      case .gcm128: SRTP_AES_128_GCM
      case .gcm256: SRTP_AES_256_GCM
      }
    var context: OpaquePointer?
    guard srtp_alloc(&context, suite, key.bytes, key.bytes.count, 0) == 0 else { return nil }
    return context
  }

  /// Encrypts an RTP packet in place. `buffer` has room for ``overhead`` bytes more. Returns the new length.
  func protect(_ buffer: UnsafeMutableRawBufferPointer, length: Int) -> Int? {
    apply(buffer, length) { srtp_encrypt(context, $0) }
  }

  /// Encrypts an RTCP packet in place.
  func protectControl(_ buffer: UnsafeMutableRawBufferPointer, length: Int) -> Int? {
    apply(buffer, length) { srtcp_encrypt(control ?? context, $0) }
  }

  /// Decrypts an RTCP packet in place; `nil` when it is not authentic.
  func unprotectControl(_ buffer: UnsafeMutableRawBufferPointer) -> Int? {
    apply(buffer, buffer.count) { srtcp_decrypt(control ?? context, $0) }
  }

  /// Decrypts an RTP packet in place; `nil` when it is not authentic or was there before.
  func unprotect(_ buffer: UnsafeMutableRawBufferPointer) -> Int? {
    guard let (header, _) = RTPHeader.read(UnsafeRawBufferPointer(buffer)), isPlausible(header) else {
      return nil
    }
    var code: Int32 = 0
    let length = apply(buffer, buffer.count) {
      code = srtp_decrypt(context, $0)
      return code
    }
    if length == nil {
      if code == ENOSR { forgetStreams() }
      return nil
    }
    if let highest, highest.ssrc == header.ssrc {
      let isAhead = Int16(bitPattern: header.sequence &- highest.sequence) > 0
      if isAhead {
        hasRolledOver = hasRolledOver || header.sequence < highest.sequence
        self.highest = (header.ssrc, header.sequence)
      }
    } else {
      highest = (header.ssrc, header.sequence)
    }
    return length
  }

  /// libre counts a rollover before it has authenticated the packet. A forged one could so spoil the call for good:
  /// only what lies close behind the wrap is let through.
  private func isPlausible(_ header: RTPHeader) -> Bool {
    guard let highest, highest.ssrc == header.ssrc else { return true }
    guard Int(header.sequence) - Int(highest.sequence) <= -32768 else { return true }
    return header.sequence &- highest.sequence < 1000
  }

  /// libre remembers eight sources for ever and then takes no more, be they real or forged. While no counter has
  /// rolled over, nothing is lost by starting anew.
  private func forgetStreams() {
    guard !hasRolledOver, let new = SecureRTP.open(key) else { return }
    mem_deref(UnsafeMutableRawPointer(context))
    context = new
    highest = nil
  }

  /// libre works on its own kind of buffer; this one only points to ours, and has room enough never to be moved.
  private func apply(
    _ buffer: UnsafeMutableRawBufferPointer, _ length: Int, _ body: (UnsafeMutablePointer<mbuf>) -> Int32
  ) -> Int? {
    var view = mbuf()
    view.buf = buffer.assumingMemoryBound(to: UInt8.self).baseAddress
    view.size = buffer.count
    view.end = length
    guard body(&view) == 0, view.end <= buffer.count else { return nil }
    return view.end
  }
}
