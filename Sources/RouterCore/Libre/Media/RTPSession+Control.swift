internal import CLibreShim

/// What happens once a second: RTCP both ways, the time-out, the figures.
extension RTPSession {
  func keepHouse(_ now: Int, _ sockets: MediaSockets, _ clock: MediaClock) {
    let count = Int(shim_media_receive(sockets.rtcp, clock.batch, true))
    for datagram in UnsafeBufferPointer(start: shim_batch_datagrams(clock.batch), count: count) {
      let address = PacketAddress(datagram.from)
      guard remoteRTCP?.isSameHost(as: address) ?? false || latch.source?.isSameHost(as: address) ?? false
      else {
        continue
      }
      let bytes = UnsafeMutableRawBufferPointer(start: datagram.data, count: Int(datagram.length))
      takeControl(bytes, from: address, clock.arrival(of: datagram), clock)
    }
    if rtcp.isDue(at: now) { sendReport(at: now, clock) }
    watchSilence()
    publish()
  }

  /// Takes an RTCP packet, from its own port or, with rtcp-mux, from RTP's.
  func takeControl(
    _ bytes: UnsafeMutableRawBufferPointer, from address: PacketAddress, _ arrival: Int, _ clock: MediaClock
  ) {
    var length = bytes.count
    if let decryption {
      guard let plain = decryption.unprotectControl(bytes) else { return }
      length = plain
    } else if isEncrypted {
      return
    }
    guard let content = RTCPPacket.read(UnsafeRawBufferPointer(rebasing: bytes[..<length])) else { return }
    showLife()
    let age = UInt64(max(0, clock.now - arrival)) << 32 / 1_000_000
    rtcp.receive(content, ssrc: sender.ssrc, arrival: arrival, ntp: clock.ntp &- age)
    if parameters?.rtcpMux == false { remoteRTCP = address }
  }

  func sendReport(at now: Int, _ clock: MediaClock, isBye: Bool = false) {
    guard let sockets, let parameters, let target = parameters.rtcpMux ? latch.target : controlTarget else {
      return
    }
    let report = rtcp.report(sender, &receiver.statistics, at: now, ntp: clock.ntp, isBye: isBye)
    clock.packet.copyBytes(from: report)
    var length = report.count
    if let encryption {
      let room = UnsafeMutableRawBufferPointer(rebasing: clock.packet[..<2048])
      guard let grown = encryption.protectControl(room, length: length) else { return }
      length = grown
    } else if parameters.isEncrypted {
      return
    }
    var address = target.shim
    let socket = parameters.rtcpMux ? sockets.rtp : sockets.rtcp
    _ = shim_media_send(socket, sockets.isIPv6, &address, clock.packet.baseAddress, length)
  }

  /// Where RTCP goes: where it came from or the SDP says, unless RTP turned out to come from another host.
  private var controlTarget: PacketAddress? {
    guard let target = latch.target else { return nil }
    if let remoteRTCP, remoteRTCP.isSameHost(as: target) { return remoteRTCP }
    return target.port == .max ? nil : target.with(port: target.port + 1)
  }

  private func watchSilence() {
    guard let timeout = settings.timeout, !isLost, let parameters, !parameters.isHeld,
      parameters.direction.receives
    else { return }
    if Duration.microseconds(ticksSilent * MediaClock.tick) >= timeout {
      isLost = true
      events(.mediaLost)
    }
  }

  func publish() {
    var figures = AudioStatistics()
    let reception = receiver.statistics
    figures.codec = parameters?.codec.name ?? ""
    figures.packetsReceived = reception.totalReceived
    figures.packetsSent = Int(sender.packets)
    figures.packetsLost = reception.totalLost
    figures.packetsLate = receiver.late
    figures.lossFraction = reception.lossFraction
    figures.jitter = reception.jitter
    figures.roundTrip = rtcp.roundTrip
    figures.remoteLossFraction = rtcp.remoteLost.map { min(1, Double($0) / Double(max(1, sender.packets))) }
    let all = Double(max(1, reception.totalReceived + reception.totalLost))
    let missed = Double(reception.totalLost + receiver.late) / all
    // Half the round trip, the jitter buffer, and a packet being filled and another one being played.
    let delay = (rtcp.roundTrip ?? 0) / 2 + receiver.bufferDelay + 40
    figures.mos = reception.totalReceived == 0 ? 0 : CallQuality.meanOpinionScore(loss: missed, delay: delay)
    mailbox.withLock { $0.statistics = figures }
  }
}
