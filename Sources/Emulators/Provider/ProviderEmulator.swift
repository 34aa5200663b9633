public import RouterCore

/// A VoIP provider's side of calls: it announces them by signed webhooks, opens their media sockets, takes REST requests for them,
/// and has a caller who follows a script.
public protocol ProviderEmulator: Emulator {
  /// Samples a second of the callers who follow a script.
  static var sampleRate: Int { get }
  var host: EmulatorHost { get }
  var options: EmulatorOptions { get }
  /// Its calls.
  var board: Switchboard { get }
  /// Announces a call.
  /// - Parameters:
  ///   - webhook: Where to.
  ///   - caller: Who speaks and presses keys by a script; without one, the call's own methods do.
  ///   - notice: Is told what the caller notices, on the emulator's loop.
  func place(
    to webhook: String, caller: ScriptedCaller?, notice: @escaping @Sendable (CallNotice) -> Void
  ) async -> any EmulatedCall
}

/// The calls of an emulated provider, and what a hand-over meets.
public final class Switchboard: Sendable {
  private struct State {
    var live: [String: any EmulatedCall] = [:]
    var over = RecentSet(1000)
    var target: DialTarget
  }

  private let state: Lock<State>

  init(_ options: EmulatorOptions) throws(EmulatorError) {
    let target = try options.choice("--target", DialTarget.allCases.map(\.rawValue))
    state = Lock(State(target: target.flatMap(DialTarget.init) ?? .answer))
  }

  /// What the next hand-over meets.
  public var target: DialTarget {
    get { state.withLock { $0.target } }
    set { state.withLock { $0.target = newValue } }
  }

  /// Calls that are up, or ringing.
  public var liveCalls: Int { state.withLock { $0.live.count } }

  func add(_ call: any EmulatedCall) { state.withLock { $0.live[call.id] = call } }

  func forget(_ id: String) {
    state.withLock { state in
      state.live[id] = nil
      state.over.insert(id)
    }
  }

  /// A live call, and whether one of that name was here before.
  func find(_ id: String) -> (call: (any EmulatedCall)?, isOver: Bool) {
    state.withLock { ($0.live[id], $0.over.contains(id)) }
  }
}

extension ProviderEmulator {
  /// The options that all of them have.
  static func phoneOptions(webhook: String) -> [EmulatorOption] {
    [
      EmulatorOption("--webhook", value: "URL", "Where calls are announced, e.g. \(webhook)"),
      EmulatorOption("--from", value: "NUMBER", "Who calls; +15550100001"),
      EmulatorOption("--to", value: "NUMBER", "Who is called; +15550100002"),
      EmulatorOption(
        "--target", value: "HOW", "What a hand-over meets: answer, busy, no-answer, failed; answer"),
      EmulatorOption(
        "--deaf", value: "SECONDS", "Stop reading the media stream after so long, and go on writing"),
      EmulatorOption("--frozen", value: "SECONDS", "Neither read nor write it any more after so long"),
      EmulatorOption(
        "--authorities", value: "FILE",
        "Trust these (PEM), not the system's: for https: with a certificate of your own"),
      EmulatorOption("--wire", "Print what routerd sends: replies, REST requests, messages of the stream"),
    ] + ScriptedCaller.options
  }

  /// Who calls, with the sign of a whole number.
  var from: String { options.value("--from") ?? "+15550100001" }
  /// Who is called.
  var to: String { options.value("--to") ?? "+15550100002" }

  /// Calls that are up, or ringing.
  public var liveCalls: Int { board.liveCalls }
  /// What the next hand-over meets.
  public func setTarget(_ new: DialTarget) { board.target = new }

  /// Announces a call of nobody who follows a script.
  public func place(
    to webhook: String, notice: @escaping @Sendable (CallNotice) -> Void = { _ in }
  ) async -> any EmulatedCall {
    await place(to: webhook, caller: nil, notice: notice)
  }

  /// Where the news of calls go: beside a provider's webhook; an agent's own address takes them as well.
  static func newsURL(_ webhook: String, _ path: String) -> String {
    webhook.contains("/voip/webhook/") ? webhook : "\(webhook)/\(path)"
  }

  /// Rings up once, when it was told where, and is done when that call is over.
  public func act(at address: SocketAddress) async throws {
    guard let webhook = options.value("--webhook") else { return }
    var hang: StreamHang?
    for kind in StreamHang.Kind.allCases {
      guard let seconds = try options.integer("--\(kind)", 0...3600) else { continue }
      hang = StreamHang(kind, after: seconds * 1000)
    }
    let caller = try await ScriptedCaller(options, sampleRate: Self.sampleRate, host)
    let isOver = OneShot<Void>()
    let call = await place(to: webhook, caller: caller) { notice in
      switch notice {
      case .refused, .ended: isOver.resolve(())
      case .answered: break
      }
    }
    if let hang { await call.hang(hang) }
    await isOver.value(cancelled: ())
    if Task.isCancelled { await call.hangUp() }
    // Who hears of the end may ask for it at the same time, and has an answer. Cut short by the emulator's own end.
    try? await Task.sleep(for: .milliseconds(500))
    host.report.isDone.resolve(())
  }
}

extension HTTPServerReply {
  /// JSON, as an emulated service answers.
  static func json(_ status: Int, _ body: JSONValue) -> HTTPServerReply {
    .response(
      HTTPResponse(
        status: status, headers: [Header("Content-Type", "application/json")], body: Array(body.text.utf8)))
  }
}
