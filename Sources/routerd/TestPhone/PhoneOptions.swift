internal import Emulators
internal import RouterCore

/// What `routerd call` was asked to do.
struct PhoneOptions: Sendable {
  /// What to do when the other side asks us to call somebody else (REFER).
  enum Referral: String, CaseIterable, Sendable {
    /// Agree, call the target, and report how that goes.
    case dial
    /// Agree, and report that the target rang and answered.
    case accept
    /// Agree, and report that the target is busy.
    case busy
    /// Agree, and never report anything.
    case silent
    /// Refuse with 603.
    case decline
  }

  var target: SIPURI
  var transport: SIPTransport
  /// As it was typed; see ``caller(_:host:)``.
  var from: String?
  var credentials: SIPCredentials?
  var proxy: SIPURI?
  var headers: [Header] = []
  var steps: [PhoneStep] = []
  var codecs: [AudioCodec] = [.pcmu, .pcma, .g722, .opus]
  var encryption = MediaEncryption.off
  var verifiesServers = true
  var isLateOffer = false
  /// The voice of `--say`, as the synthesiser calls it.
  var voice = "rms"
  var recording: String?
  var maximumSeconds = 120
  var ringSeconds = 45
  var patience = 8
  /// Seconds until the phone begins when the agent does not.
  var greeting = 3
  var stays = false
  var referral = Referral.accept
  var isJSON = false
  /// Path of the control socket, when the transcript is wanted.
  var transcriptFrom: String?

  static let specs: [OptionSpec] = [
    OptionSpec("--say", value: "TEXT", repeatable: true, "Speak, after the agent has spoken and stopped"),
    OptionSpec("--voice", value: "NAME", "Whose voice: rms, slt, kal or kal16; rms"),
    OptionSpec("--wav", value: "FILE", repeatable: true, "Play a 16-bit WAV file in the same way"),
    OptionSpec(
      "--digits", value: "KEYS", repeatable: true, "Press keys: 0-9 * # A-D, a comma waits half a second"),
    OptionSpec("--pause", value: "SECONDS", repeatable: true, "Say nothing for a while"),
    OptionSpec("--hold", value: "SECONDS", repeatable: true, "Put the agent on hold for a while"),
    OptionSpec("--stay", "Keep the call when all of that is done, until the other side ends it"),
    OptionSpec(
      "--patience", value: "SECONDS",
      "How long to wait for the agent's first word; 3 for its greeting, then 8"),
    OptionSpec("--seconds", value: "N", "Hang up after so many seconds; 120"),
    OptionSpec("--ring-seconds", value: "N", "Give up when nobody answers for so long; 45"),
    OptionSpec(
      "--record", value: "FILE", "Write both sides to a stereo WAV: left the caller, right the agent"),
    OptionSpec("--transcript", "Print the words that the routerd on this machine has understood and said"),
    OptionSpec("--from", value: "WHO", "The caller: a number, a name or a SIP URI"),
    OptionSpec("--user", value: "NAME", "Credentials, when the other side asks for them"),
    OptionSpec("--password", value: "WORD", "Their password; better in the variable ROUTERD_CALL_PASSWORD"),
    OptionSpec("--proxy", value: "URI", "Send the call there instead of to its own host"),
    OptionSpec("--header", value: "'NAME: VALUE'", repeatable: true, "Another header for the INVITE"),
    OptionSpec("--transport", value: "NAME", "udp, tcp or tls; as the URI says, else udp"),
    OptionSpec("--insecure", "Accept any certificate"),
    OptionSpec("--codec", value: "LIST", "Codecs by preference: pcmu,pcma,g722,opus,l16"),
    OptionSpec("--srtp", value: "HOW", "off, accept, prefer or require encryption of the audio; off"),
    OptionSpec("--late-offer", "Place the call without SDP; the other side makes the offer"),
    OptionSpec(
      "--answer-refer", value: "HOW", "When asked to transfer: dial, accept, busy, silent or decline; accept"),
    OptionSpec("--json", "One JSON object for each thing that happens"),
    OptionSpec("--config", value: "FILE", "Settings, for the place of the control socket (--transcript)"),
    OptionSpec("--socket", value: "PATH", "The control socket (--transcript)"),
  ]

  /// Reads a command line. Throws ``UsageError``.
  init(_ arguments: Arguments, password: String? = nil) throws(UsageError) {
    func fail(_ message: String) -> UsageError { UsageError(message, command: arguments.command.name) }
    let text = arguments.operands[0]
    guard let target = SIPURI(text.contains(":") ? text : "sip:\(text)"),
      ["sip", "sips"].contains(target.scheme),
      !target.host.isEmpty
    else { throw fail("'\(text)' is no SIP URI such as sip:+15551230001@127.0.0.1:5060") }
    self.target = target
    transport =
      try arguments.choice("--transport", SIPTransport.allCases.map(\.rawValue)).flatMap(SIPTransport.init)
      ?? target.transport ?? .udp
    from = arguments.value("--from")
    if let from, PhoneOptions.caller(from, host: "localhost") == nil { throw fail("'\(from)' is no caller") }
    if let user = arguments.value("--user") {
      credentials = SIPCredentials(username: user, password: arguments.value("--password") ?? password ?? "")
    }
    if let proxy = arguments.value("--proxy") {
      guard let uri = SIPURI(proxy.contains(":") ? proxy : "sip:\(proxy)") else {
        throw fail("'\(proxy)' is no SIP URI")
      }
      self.proxy = uri
    }
    for header in arguments.all("--header") {
      guard let colon = header.firstIndex(of: ":"), !header.contains(where: \.isNewline) else {
        throw fail("'\(header)' is no header; write 'Name: value'")
      }
      let value = header[header.index(after: colon)...].drop { $0 == " " }
      headers.append(Header(String(header[..<colon]), String(value)))
    }
    try readMedia(arguments)
    maximumSeconds = try arguments.integer("--seconds", 1...86_400) ?? maximumSeconds
    ringSeconds = try arguments.integer("--ring-seconds", 1...600) ?? ringSeconds
    if let seconds = try arguments.integer("--patience", 0...600) {
      (patience, greeting) = (seconds, seconds)
    }
    recording = arguments.value("--record")
    if let recording, let why = Files.whyNotWritable(recording) { throw fail("--record: \(why)") }
    voice = try arguments.choice("--voice", ["rms", "slt", "kal", "kal16"]) ?? voice
    stays = arguments.has("--stay")
    isLateOffer = arguments.has("--late-offer")
    verifiesServers = !arguments.has("--insecure")
    isJSON = arguments.has("--json")
    referral =
      try arguments.choice("--answer-refer", Referral.allCases.map(\.rawValue)).flatMap(Referral.init)
      ?? referral
    steps = try PhoneOptions.steps(arguments)
  }

  private mutating func readMedia(_ arguments: Arguments) throws(UsageError) {
    if let list = arguments.value("--codec") {
      codecs = []
      for name in list.split(separator: ",") {
        guard let codec = AudioCodec(rawValue: name.lowercased()) else {
          let known = AudioCodec.allCases.map(\.rawValue).joined(separator: ", ")
          throw UsageError("there is no codec '\(name)'; there are \(known)", command: "call")
        }
        codecs.append(codec)
      }
      if codecs.isEmpty { throw UsageError("--codec wants at least one codec", command: "call") }
    }
    let choices = [MediaEncryption.off, .accept, .prefer, .require].map(\.rawValue)
    encryption = try arguments.choice("--srtp", choices).flatMap(MediaEncryption.init) ?? encryption
  }

  private static func steps(_ arguments: Arguments) throws(UsageError) -> [PhoneStep] {
    var steps: [PhoneStep] = []
    for (name, value) in arguments.steps(PhoneStep.options) {
      do {
        let step = try PhoneStep(name, value)
        // A file that cannot be played is found out before anybody is called.
        if case .wav(let path) = step { _ = try PhoneVoice.samples(ofFile: path, sampleRate: 8000) }
        steps.append(step)
      } catch {
        throw UsageError("\(error)", command: "call")
      }
    }
    return steps
  }

  /// A caller as people write one: `+15550001`, `ann`, `ann@host`, `sip:ann@host`, `"Ann" <sip:ann@host>`.
  static func caller(_ text: String, host: String) -> SIPAddress? {
    if text.contains(":") { return SIPAddress(text) }
    guard !text.isEmpty, !text.contains(where: { $0.isNewline || $0 == "<" || $0 == ">" }) else { return nil }
    let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    return SIPAddress(uri: SIPURI(user: String(parts[0]), host: parts.count > 1 ? String(parts[1]) : host))
  }
}
