/// What a provider is asked by REST: with a limit of time, counted and logged, and asked again when the provider is busy.
public struct ProviderREST: Sendable {
  /// Why something was not done.
  public struct Fault: Error, Hashable, Sendable {
    public var status: Int
    /// The provider's own number of the error.
    public var code: String?
    /// For the log; never a secret.
    public var message: String
    /// Seconds.
    public var retryAfter: Double?

    public init(status: Int, code: String? = nil, message: String, retryAfter: Double? = nil) {
      self.status = status
      self.code = code
      self.message = message
      self.retryAfter = retryAfter
    }

    /// The provider is busy, out of order or out of reach.
    public var isWorthAnotherTry: Bool { status == 429 || status >= 500 }
  }

  /// Answers longer than this are no answers.
  private static let maximumBytes = 64 << 10
  /// Before the one try that follows, in seconds; the provider may ask for more.
  private static let pause = 0.25
  private static let longestPause = 2.0

  private let type: String
  private let http: any HTTPSending
  private let log: Log
  private let metrics: Metrics
  private let deadline: Duration

  /// - Parameters:
  ///   - type: The provider's, for metrics.
  ///   - deadline: For one try.
  public init(
    _ type: String, http: any HTTPSending, log: Log, metrics: Metrics, deadline: Duration = .seconds(8)
  ) {
    self.type = type
    self.http = http
    self.log = log
    self.metrics = metrics
    self.deadline = deadline
  }

  /// The same with what a plugin was given.
  public init(_ type: String, _ host: PluginHost, deadline: Duration = .seconds(8)) {
    self.init(type, http: host.http, log: host.log.labelled(type), metrics: host.metrics, deadline: deadline)
  }

  /// Asks; what comes back matters only when it is a refusal.
  /// - Parameters:
  ///   - call: The provider's name of the call, for the log.
  ///   - isRepeatable: Whether asking twice does no harm.
  ///   - isDone: Whether a refusal says that there is nothing left to do, as for the end of a call that is over: then it is none.
  ///   - fault: Reads a refusal.
  public func send(
    _ request: HTTPRequest, about call: String, isRepeatable: Bool,
    isDone: (Fault) -> Bool = { _ in false }, fault: (HTTPResponse) -> Fault
  ) async throws(Fault) {
    var request = request
    request.deadline = deadline
    request.maximumBodyBytes = ProviderREST.maximumBytes
    var isAgain = false
    while true {
      do throws(Fault) {
        try await exchange(request, fault)
        return count("ok")
      } catch {
        if isDone(error) { return count("late") }
        count("failed")
        log.warning(
          "the provider did not do what it was asked", ("status", "\(error.status)"), ("why", error.message),
          ("call", call))
        guard isRepeatable, error.isWorthAnotherTry, !isAgain else { throw error }
        isAgain = true
        let wanted = error.retryAfter ?? ProviderREST.pause
        let pause = min(max(wanted.isFinite ? wanted : 0, 0), ProviderREST.longestPause)
        // Cancelled: nobody wants it any more.
        guard (try? await Task.sleep(for: .milliseconds(Int(pause * 1000)))) != nil else { throw error }
      }
    }
  }

  private func count(_ result: String) {
    metrics.add("routerd_voip_commands_total", 1, ["provider": type, "result": result])
  }

  private func exchange(_ request: HTTPRequest, _ fault: (HTTPResponse) -> Fault) async throws(Fault) {
    let response: HTTPResponse
    do throws(HTTPError) { response = try await http.send(request) } catch {
      throw Fault(status: 503, message: error.message)
    }
    if (200..<300).contains(response.status) { return }
    var found = fault(response)
    found.retryAfter = response.header("Retry-After").flatMap { Double($0) }
    throw found
  }
}
