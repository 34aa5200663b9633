public import RouterCore

extension SIPChannel {
  /// `media:` how audio travels.
  public struct Media: Decodable, Sendable {
    /// The address that RTP sockets are bound to, numeric; without it all of the families that SIP listens on.
    public var address: String?
    /// The numeric address to name in SDP; without it, that of the SIP listener's side that the caller reached, or the
    /// channel's own `advertise:`.
    public var advertise: String?
    public var ports: ClosedRange<UInt16> = 10000...19999
    /// Seconds without audio, outside of hold, after which a call counts as lost; 0 never.
    public var timeoutSeconds = 60
    public var symmetric = SymmetricRTP.auto
    /// In order of preference.
    public var codecs: [AudioCodec] = [.pcmu, .pcma, .g722, .opus]
    public var srtp = Encryption.optional
    /// Listen for key tones in the audio of callers who did not agree on RFC 4733.
    public var inbandDigits = false

    /// What SDES (RFC 4568) is to calls.
    public enum Encryption: String, Sendable, Decodable, CaseIterable {
      case off, optional, required
      var wish: MediaEncryption {
        switch self {
        case .off: .off
        case .optional: .accept
        case .required: .require
        }
      }
    }

    public init() {}

    private enum CodingKeys: String, CodingKey {
      case address, advertise, ports, timeoutSeconds, symmetric, codecs, srtp, inbandDigits
    }

    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      address = try values.decodeIfPresent(String.self, forKey: .address)
      advertise = try values.decodeIfPresent(String.self, forKey: .advertise)
      for case (let key, let text?) in [(CodingKeys.address, address), (.advertise, advertise)] {
        if AddressPrefix.bits(of: text) == nil { throw values.wrong(key, "must be a numeric address") }
      }
      if let text = try values.decodeIfPresent(String.self, forKey: .ports) {
        let bounds = text.split(separator: "-").compactMap { UInt16($0) }
        guard bounds.count == 2, text.split(separator: "-").count == 2, bounds[0] >= 1024,
          Int(bounds[1]) >= Int(bounds[0]) + 1
        else { throw values.wrong(.ports, "must be a range like 10000-19999, from 1024 on") }
        ports = bounds[0]...bounds[1]
      }
      timeoutSeconds = try values.number(.timeoutSeconds, 0...86400, default: timeoutSeconds)
      symmetric = try values.decodeIfPresent(SymmetricRTP.self, forKey: .symmetric) ?? symmetric
      codecs = try values.decodeIfPresent([AudioCodec].self, forKey: .codecs) ?? codecs
      if codecs.isEmpty { throw values.wrong(.codecs, "needs at least one codec") }
      srtp = try values.decodeIfPresent(Encryption.self, forKey: .srtp) ?? srtp
      inbandDigits = try values.decodeIfPresent(Bool.self, forKey: .inbandDigits) ?? inbandDigits
    }
  }

  /// `limits:` what strangers and broken peers may cost. How many calls there may be in all is the engine's limit.
  public struct Limits: Decodable, Sendable {
    /// The longest SIP message.
    public var messageBytes = 65_536
    /// TCP and TLS connections, in all and from one address.
    public var connections = 2000
    public var connectionsPerAddress = 200
    /// New calls a second from one address, on average; twice as many in a burst. More get 503 with `Retry-After`.
    public var invitesPerSecondPerAddress = 200
    /// Calls of one trunk at once, unless the trunk has a `maximumCalls` of its own. Callers from no trunk count as one.
    public var callsPerTrunk = 2000
    /// How long datagrams may wait for us, in milliseconds. When all wait longer for as long again, new calls get 503 with
    /// `Retry-After` until the rest is up to date again. Callers repeat after 500 (RFC 3261's T1).
    public var delayMilliseconds = 200

    public init() {}

    private enum CodingKeys: String, CodingKey {
      case messageBytes, connections, connectionsPerAddress, invitesPerSecondPerAddress, callsPerTrunk
      case delayMilliseconds
    }

    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      messageBytes = try values.number(.messageBytes, 4096...1_048_576, default: messageBytes)
      connections = try values.number(.connections, 1...1_000_000, default: connections)
      connectionsPerAddress = try values.number(
        .connectionsPerAddress, 1...1_000_000, default: connectionsPerAddress)
      invitesPerSecondPerAddress = try values.number(
        .invitesPerSecondPerAddress, 1...1_000_000, default: invitesPerSecondPerAddress)
      callsPerTrunk = try values.number(.callsPerTrunk, 1...1_000_000, default: callsPerTrunk)
      delayMilliseconds = try values.number(.delayMilliseconds, 10...10_000, default: delayMilliseconds)
    }
  }

  /// `sessionTimers:` RFC 4028, in seconds.
  public struct SessionTimers: Decodable, Sendable {
    /// How often a call must show that it is alive, when we choose.
    public var expires = 1800
    /// The shortest interval that we accept; 90 by section 4. Lower values are for tests.
    public var minimum = 90

    public init() {}

    private enum CodingKeys: String, CodingKey { case expires, minimum }

    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      minimum = try values.number(.minimum, 2...86400, default: minimum)
      expires = try values.number(.expires, 2...86400, default: max(expires, minimum))
      if expires < minimum { throw values.wrong(.expires, "must not be below minimum: \(minimum)") }
    }
  }
}

extension KeyedDecodingContainer {
  /// An error at a key: its name and what it may hold.
  func wrong(_ key: Key, _ what: String) -> DecodingError {
    DecodingError.dataCorruptedError(forKey: key, in: self, debugDescription: "\(key.stringValue): \(what)")
  }

  /// A whole number within bounds.
  func number(_ key: Key, _ bounds: ClosedRange<Int>, default: Int) throws -> Int {
    guard let value = try decodeIfPresent(Int.self, forKey: key) else { return `default` }
    guard bounds.contains(value) else {
      throw wrong(key, "must be between \(bounds.lowerBound) and \(bounds.upperBound)")
    }
    return value
  }
}
