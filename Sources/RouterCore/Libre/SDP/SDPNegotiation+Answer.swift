extension SDPNegotiation {
  /// Answers the first offer or a later one. The answer has every `m=` line of the offer in its order (refused ones
  /// with port 0), one codec and telephone-event (RFC 3264 section 6). The version in `o=` grows when our text changed.
  ///
  /// Throws what ``SDPError/sipStatus`` turns into 488 or 400.
  public mutating func answer(to offer: SessionDescription) throws(SDPError) -> SessionDescription {
    var failure: SDPError?
    for index in candidates(in: offer) {
      do throws(SDPError) {
        return try answer(to: offer, index: index)
      } catch {
        failure = failure ?? error
      }
    }
    throw failure ?? .noAudio("no m=audio with a port")
  }

  /// Audio streams of the offer, the one that is in use first.
  private func candidates(in offer: SessionDescription) -> [Int] {
    let audio = offer.media.indices.filter { offer.media[$0].kind == "audio" && offer.media[$0].port != 0 }
    guard let used = ours?.audioIndex, audio.contains(used) else { return audio }
    return [used] + audio.filter { $0 != used }
  }

  private mutating func answer(
    to offer: SessionDescription, index: Int
  ) throws(SDPError) -> SessionDescription {
    let audio = try SDPAudio(offer.media[index], in: offer)
    guard let format = audio.formats.first(where: { $0.codec.map(wish.codecs.contains) ?? false }),
      let codec = format.codec
    else { throw .noCommonCodec }
    let crypto = try chooseCrypto(audio)
    let address = try address(ofFamily: audio.family)
    let event = wish.telephoneEvents ? audio.telephoneEvent(for: codec) : nil

    var ours = Ours()
    ours.codecs = [.init(payloadType: format.payloadType, codec: codec)]
    if let event { ours.events[event.clockRate] = event.payloadType }
    if let crypto {
      ours.cryptos = [SDPCrypto(tag: crypto.tag, key: ownKey(crypto.key.suite), suiteName: crypto.suiteName)]
    }
    ours.direction = agreedDirection(audio)
    ours.transport = offer.media[index].transport
    ours.rtcpMux = audio.rtcpMux
    ours.audioIndex = index
    ours.refused = offer.media.map(\.refused)
    ours.family = audio.family

    let packetTime = audio.packetTime(for: codec, wish: wish.packetTime)
    let answer = describe(allMedia(ours, packetTime: packetTime), address: address)
    var agreed = MediaParameters(
      remote: audio.remote, remoteRTCP: audio.remoteRTCP, codec: codec, sendPayloadType: format.payloadType,
      telephoneEvents: event.map {
        .init(
          sendPayloadType: $0.payloadType, receivePayloadType: $0.payloadType, clockRate: $0.clockRate)
      },
      direction: ours.direction, packetTime: packetTime, rtcpMux: audio.rtcpMux,
      sendKey: ours.cryptos.first?.key, receiveKey: crypto?.key)
    keepAddress(&agreed, audio)

    self.ours = ours
    payloadTypes[codec] = format.payloadType
    parameters = agreed
    local = answer
    isOfferOurs = false
    return answer
  }

  /// The first line that we can serve, in the offerer's order (RFC 4568 section 5.1.2).
  private func chooseCrypto(_ audio: SDPAudio) throws(SDPError) -> SDPCrypto? {
    if wish.encryption == .off {
      if audio.isSecure { throw .encryption("RTP/SAVP was offered and encryption is off") }
      return nil
    }
    if let crypto = audio.cryptos.first { return crypto }
    if audio.isSecure { throw .encryption("RTP/SAVP without a usable a=crypto line") }
    if wish.encryption == .require { throw .encryption("it is required and was not offered") }
    return nil
  }

  /// A key of ours: the one in use while the suite stays, so that SRTP's counters can live on.
  private func ownKey(_ suite: SRTPSuite) -> SRTPKey {
    if let key = parameters?.sendKey, key.suite == suite { return key }
    return .random(suite)
  }

  /// RFC 3264 section 6.1; `c=0.0.0.0` forbids sending whatever the attribute says (section 8.4).
  func agreedDirection(_ audio: SDPAudio) -> MediaDirection {
    let theirs = MediaDirection(
      sends: audio.direction.sends, receives: audio.direction.receives && !audio.isUnspecified)
    return theirs.reversed.limited(to: wish.direction)
  }

  /// An old-style hold names no address: the one from before is wanted again afterwards.
  func keepAddress(_ agreed: inout MediaParameters, _ audio: SDPAudio) {
    guard audio.isUnspecified else { return }
    agreed.remote = parameters?.remote
    agreed.remoteRTCP = parameters?.remoteRTCP
  }
}

extension SessionDescription.Media {
  /// The same stream, refused (RFC 3264 section 6): port 0, and nothing more to say about it.
  var refused: SessionDescription.Media {
    SessionDescription.Media(kind: kind, port: 0, transport: transport, formats: formats)
  }
}
