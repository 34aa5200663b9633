import Testing

@testable import RouterCore

/// Who gets a request, and who sent it.
@Suite struct WebRoutingTests {
  private static var router: WebRouter {
    var router = WebRouter()
    let route = { (pattern: String, methods: Set<String>, accepts: Set<String>) in
      WebRoute(pattern, methods: methods, accepts: accepts, maximumBodyBytes: 10) { _ in .text(200, pattern) }
    }
    router.mount(route("/voip/{type}", ["POST"], []))
    router.mount(route("/voip/one", ["POST"], ["application/json"]))
    router.mount(route("/voip/one/media/{token}", ["GET"], []))
    router.mount(route("/files/{rest...}", ["GET"], []))
    router.mount(route("/voip/one", ["GET"], []))
    router.mount(route("/voip/one", ["POST"], ["application/json"]))
    return router
  }

  @Test(arguments: [
    ("POST", "/voip/two?a=b", "", "", "/voip/{type} type=two"),
    ("POST", "/voip/one", "{}", "application/json; charset=utf-8", "/voip/one"),
    ("POST", "/voip/one", "{}", "text/plain", "415"),
    ("POST", "/voip/one", "{}", "", "415"),
    ("POST", "/voip/one", "", "", "/voip/one"),
    ("POST", "/voip/one", "01234567890", "application/json", "413"),
    ("DELETE", "/voip/one", "", "", "405"),
    ("GET", "/voip/one/media/a%20b", "", "", "/voip/one/media/{token} token=a b"),
    ("HEAD", "/voip/one/media/t", "", "", "/voip/one/media/{token} token=t"),
    ("GET", "/voip/one/media/", "", "", "404"), ("GET", "/voip/one/media/a/b", "", "", "404"),
    ("GET", "/files/a/b.txt", "", "", "/files/{rest...} rest=a/b.txt"), ("GET", "/", "", "", "404"),
    ("GET", "", "", "", "404"), ("GET", "*", "", "", "404"),
    ("GET", String(repeating: "/a", count: 100_000), "", "", "404"),
  ])
  func requestsFindTheirRoute(method: String, target: String, body: String, type: String, expected: String) {
    let headers = type.isEmpty ? [] : [Header("Content-Type", type)]
    let request = HTTPServerRequest(method: method, target: target, headers: headers, body: Array(body.utf8))
    switch Self.router.decide(request) {
    case .refuse(let response):
      #expect("\(response.status)" == expected)
      if response.status == 405 { #expect(response.header("Allow") == "POST") }
    case .serve(let route, let parameters):
      let found = parameters.map { " \($0.key)=\($0.value)" }.sorted().joined()
      #expect(route.pattern + found == expected)
    }
  }

  struct Forwarded: Sendable {
    var peer = "10.0.0.1"
    var isSecure = false
    var headers: [Header] = []
    var publicURL: String?
    var origin: String
    var client: String
  }

  @Test(arguments: [
    Forwarded(
      peer: "203.0.113.9", headers: [Header("Host", "a.example"), Header("X-Forwarded-Proto", "https")],
      origin: "http://a.example", client: "203.0.113.9"),
    Forwarded(
      headers: [
        Header("Host", "inner"), Header("X-Forwarded-Proto", "https, http"),
        Header("X-Forwarded-Host", "voice.example.com, inner"),
        Header("X-Forwarded-For", "6.6.6.6, 198.51.100.7, 10.0.0.3"),
      ], origin: "https://voice.example.com", client: "198.51.100.7"),
    Forwarded(
      headers: [
        Header("X-Forwarded-Host", "voice.example.com"), Header("X-Forwarded-Port", "8443"),
        Header("X-Forwarded-Proto", "https"), Header("X-Forwarded-For", "[2001:db8::7]:4711"),
      ], origin: "https://voice.example.com:8443", client: "2001:db8::7"),
    Forwarded(
      headers: [
        Header("Host", "a.example:8080"), Header("X-Forwarded-For", "garbage"),
        Header("X-Forwarded-Proto", "gopher"),
      ], origin: "http://a.example:8080", client: "10.0.0.1"),
    Forwarded(
      isSecure: true, headers: [Header("Host", "whatever")], publicURL: "https://voice.example.com/base",
      origin: "https://voice.example.com/base", client: "10.0.0.1"),
    Forwarded(isSecure: true, origin: "", client: "10.0.0.1"),
  ])
  func proxiesAreBelievedWhenTheyAreTrusted(_ given: Forwarded) throws {
    let rule = ForwardedRequest(
      publicURL: given.publicURL, trustedProxies: [try #require(AddressPrefix("10.0.0.0/8"))])
    let request = rule.resolve(
      HTTPServerRequest(
        method: "POST", target: "/x", headers: given.headers,
        remote: SocketAddress(ip: given.peer, port: 1), isSecure: given.isSecure))
    #expect(request.origin == given.origin)
    #expect(request.remote.ip == given.client)
  }

  @Test(arguments: [
    ("listen: [http:127.0.0.1:8080, \"https:[::]:8443\"]\ncertificate: a.pem\nprivateKey: a.key", ""),
    ("publicURL: https://voice.example.com/x/", ""), ("publicURL: voice.example.com", "publicURL"),
    ("publicURL: \"https://a/?b\"", "publicURL"), ("listen: [https:127.0.0.1:1]", "certificate"),
    ("listen: [http:localhost:1]", "listen"), ("listen: [http:1.2.3.4]", "listen"),
    ("listen: [http:1.2.3.4:99999]", "listen"), ("trustedProxies: [x]", "no address"),
    ("limits: {connections: 0}", "connections"), ("limits: {conections: 1}", "conections"),
    ("trustedProxies: [10.0.0.0/8, \"::1\"]\nlimits: {bodyBytes: 4096}", ""),
  ])
  func settingsAreRead(yaml: String, fault: String) throws {
    let node = try #require(try YAML.parse(Array(yaml.utf8), file: "t"))
    do throws(DiagnosticList) {
      let settings = try YAMLDecoder.decode(WebSettings.self, from: node)
      #expect(fault.isEmpty, "\(settings)")
      if yaml.hasPrefix("publicURL") { #expect(settings.publicURL == "https://voice.example.com/x") }
    } catch {
      #expect(!fault.isEmpty && error.rendered.contains(fault), "\(error.rendered)")
    }
  }
}
