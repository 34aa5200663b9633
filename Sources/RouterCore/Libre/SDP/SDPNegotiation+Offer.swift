extension SDPNegotiation {
  /// Our wish in full, for an INVITE of ours and for an INVITE or re-INVITE without SDP: never a mirror of a hold.
  public mutating func offer() -> SessionDescription {
    var new = Ours()
    new.direction = wish.direction
    if let ours {
      new.audioIndex = ours.audioIndex
      new.refused = ours.refused
      new.transport = ours.transport
      new.rtcpMux = ours.rtcpMux
      new.family = ours.family
    } else if wish.encryption == .require {
      new.transport = "RTP/SAVP"
    }
    new.codecs = wish.codecs.map { .init(payloadType: payloadType(for: $0), codec: $0) }
    if wish.telephoneEvents { new.events = eventTypes(besides: new.codecs) }
    new.cryptos = offeredCryptos()

    // A dialog stays in its family; a first offer may choose.
    let address =
      wish.addresses.first { ($0.contains(":") ? 6 : 4) == new.family } ?? wish.addresses[0]
    let description = describe(allMedia(new, packetTime: wish.packetTime), address: address)
    for format in new.codecs { payloadTypes[format.codec] = format.payloadType }
    ours = new
    local = description
    isOfferOurs = true
    return description
  }

  /// Takes the answer to our last ``offer()`` or ``refreshOffer()``. A second answer to the same offer (in a 183 and in
  /// the 200) replaces the first.
  public mutating func accept(_ answer: SessionDescription) throws(SDPError) {
    guard isOfferOurs, let ours else { throw .answer("there was no offer") }
    guard answer.media.indices.contains(ours.audioIndex), answer.media[ours.audioIndex].kind == "audio" else {
      throw .answer("our m=audio is missing")
    }
    let audio = try SDPAudio(answer.media[ours.audioIndex], in: answer)
    // The peer may list several of ours and switch between them.
    let common = audio.formats.compactMap { format in
      ours.codecs.first { $0.codec == format.codec }.map { (theirs: format, ours: $0) }
    }
    guard let chosen = common.first else { throw .noCommonCodec }
    let codec = chosen.ours.codec
    let keys = try agreedKeys(audio, ours)
    var agreed = MediaParameters(
      remote: audio.remote, remoteRTCP: audio.remoteRTCP, codec: codec,
      sendPayloadType: chosen.theirs.payloadType, receive: common.map(\.ours),
      telephoneEvents: audio.telephoneEvent(for: codec).flatMap { event in
        ours.events[event.clockRate].map {
          .init(sendPayloadType: event.payloadType, receivePayloadType: $0, clockRate: event.clockRate)
        }
      },
      direction: agreedDirection(audio).limited(to: ours.direction),
      packetTime: audio.packetTime(for: codec, wish: wish.packetTime),
      rtcpMux: ours.rtcpMux && audio.rtcpMux, sendKey: keys?.send, receiveKey: keys?.receive)
    keepAddress(&agreed, audio)
    parameters = agreed
  }

  private func payloadType(for codec: AudioCodec) -> UInt8 {
    if let known = payloadTypes[codec] ?? codec.staticPayloadType { return known }
    let usual: UInt8 = codec == .opus ? 111 : 96
    let taken = Set(payloadTypes.values)
    return ([usual] + Array(96...127)).first { !taken.contains($0) } ?? usual
  }

  /// One telephone-event for each clock rate of our codecs (RFC 4733 section 2.1).
  private func eventTypes(besides codecs: [MediaParameters.ReceiveFormat]) -> [Int: UInt8] {
    var events = ours?.events ?? [:]
    var taken = Set(codecs.map(\.payloadType)).union(payloadTypes.values).union(events.values)
    for clock in Set(codecs.map(\.codec.clockRate)).sorted() where events[clock] == nil {
      guard let free = (101...127).first(where: { !taken.contains($0) }) else { continue }
      events[clock] = free
      taken.insert(free)
    }
    return events
  }

  private func offeredCryptos() -> [SDPCrypto] {
    if let parameters {
      // What was agreed goes on: changing between plain and encrypted audio in a call helps nobody.
      return parameters.isEncrypted ? ours?.cryptos.filter { $0.key == parameters.sendKey } ?? [] : []
    }
    guard wish.encryption == .prefer || wish.encryption == .require else { return [] }
    let suites: [SRTPSuite] = [.aes128sha80, .aes256sha80, .gcm128, .aes128sha32]
    return suites.enumerated().map { SDPCrypto(tag: $0.offset + 1, key: .random($0.element)) }
  }

  /// RFC 4568 section 5.1.3: the answer takes one of our lines by its tag, with a key of its own.
  private func agreedKeys(
    _ audio: SDPAudio, _ ours: Ours
  ) throws(SDPError) -> (send: SRTPKey, receive: SRTPKey)? {
    let pairs = audio.cryptos.compactMap { theirs in
      ours.cryptos.first { $0.tag == theirs.tag && $0.key.suite == theirs.key.suite }.map {
        (send: $0.key, receive: theirs.key)
      }
    }
    if let pair = pairs.first { return pair }
    let isRequired = ours.transport.uppercased().hasPrefix("RTP/SAVP") || wish.encryption == .require
    if isRequired || audio.isSecure { throw .encryption("the answer has no usable a=crypto line") }
    return nil
  }
}
