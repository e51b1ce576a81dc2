import Bindings
import OCISpec
import Reporting
import SystemPackage
import Testing

@testable import Remote

@Suite struct RemoteURLTests {
  @Test(
    "URLs that can be asked for",
    arguments: [
      ("https://example.com", "https://example.com/", "example.com", 443),
      ("HTTPS://Example.COM/a", "https://example.com/a", "example.com", 443),
      ("http://example.com:8080/a?b=c#d", "http://example.com:8080/a?b=c", "example.com", 8080),
      ("https://example.com?x", "https://example.com/?x", "example.com", 443),
      ("https://u:p@example.com/", "https://example.com/", "example.com", 443),
      ("https://[::1]:9/a", "https://[::1]:9/a", "::1", 9),
      ("https://10.0.0.1/a%20b/ä c", "https://10.0.0.1/a%20b/%C3%A4%20c", "10.0.0.1", 443),
    ])
  func parses(_ text: String, request: String, host: String, port: Int) throws {
    let url = try RemoteURL(parsing: text)
    #expect(url.requestText == request)
    #expect((url.host, url.port) == (host, port))
  }

  @Test(
    "URLs that cannot",
    arguments: [
      ("", .scheme), ("example.com/a", .scheme), ("ftp://example.com/", .scheme),
      ("file:///etc/passwd", .scheme), ("https:///a", .host), ("https://exa mple.com/", .host),
      ("https://bücher.example/", .host), ("https://127.1/", .host), ("https://0x7f.1/", .host),
      ("https://2130706433/", .host), ("https://[::1/", .host), ("https://a:b:c/", .host),
      ("https://example.com:70000/", .port), ("https://example.com:x/", .port),
      ("https://example.com/a\nb", .controlCharacter), ("https://example.com\\@evil/", nil),
    ] as [(String, URLProblem?)])
  func refuses(_ text: String, problem: URLProblem?) throws {
    guard let problem else {
      #expect(try RemoteURL(parsing: text).host == "example.com", "\(text)")
      return
    }
    #expect(throws: FetchError.malformedURL(RemoteURL.redact(text), problem)) {
      try RemoteURL(parsing: text)
    }
  }

  @Test(
    "locations are resolved as RFC 3986, section 5.4, has them",
    arguments: [
      ("g", "/b/c/g"), ("./g", "/b/c/g"), ("g/", "/b/c/g/"), ("/g", "/g"), ("?y", "/b/c/d;p?y"),
      ("g?y", "/b/c/g?y"), ("", "/b/c/d;p?q"), (".", "/b/c/"), ("..", "/b/"), ("../g", "/b/g"),
      ("../../../g", "/g"), ("/./g", "/g"), ("g;x=1/../y", "/b/c/y"), ("g?y/../x", "/b/c/g?y/../x"),
      ("g#s", "/b/c/g"),
    ])
  func resolves(_ location: String, target: String) throws {
    #expect(try RemoteURL(parsing: "http://a/b/c/d;p?q").resolving(location).target == target)
  }

  @Test("credentials stay with their origin")
  func credentials() throws {
    let url = try RemoteURL(parsing: "https://joe:x%40y@a.test/b")
    #expect(url.credentials == .init(user: "joe", password: "x@y"))
    #expect(try url.resolving("/c").credentials == url.credentials)
    #expect(try url.resolving("https://a.test:443/c").credentials == url.credentials)
    for other in ["https://b.test/", "//b.test/", "https://a.test:444/", "http://a.test/"] {
      #expect(try url.resolving(other).credentials == nil)
    }
    #expect(try url.resolving("https://eve:z@b.test/").credentials == nil)
  }

  @Test(
    "nothing secret is shown",
    arguments: [
      ("https://joe:pw@a.test/b?c=d#e", "https://a.test/b"), ("nonsense?secret", "nonsense"),
      ("ftp://joe:pw@a.test/b", "ftp://a.test/b"), ("https://a.test/b@c", "https://a.test/b@c"),
      ("https://a.test/b@c?d@e", "https://a.test/b@c"), ("joe:pw@a.test:1", "a.test:1"),
      ("joe:p://w@a.test", "a.test"), ("token@a.test", "a.test"),
      ("https://joe:p/w@a.test:1", "https://a.test:1"),
      ("https://C\\joe:pw@a.test", "https://a.test"),
      ("http://joe:p?w@a.test", "http://…"), ("http://joe:p#w@a.test", "http://…"),
      ("http://joe:p@w@a.test", "http://a.test"), ("https://token@a.test/b@c", "https://c"),
    ])
  func redacts(_ text: String, shown: String) {
    #expect(RemoteURL.redact(text) == shown)
  }
}

@Suite struct RedirectPolicyTests {
  @Test(
    "S9: what a redirect may not do",
    arguments: [
      ("https://a.test/1", "/2", nil), ("https://a.test/1", "https://b.test/", nil),
      ("http://a.test/1", "https://a.test/1", nil), ("http://a.test/1", "http://b.test/", nil),
      ("https://a.test/1", "http://a.test/2", .toPlainHTTP),
      ("https://a.test/1", "https://a.test/1", .loop),
      ("https://a.test/1", "https://127.0.0.1/", .toLocalAddress),
      ("https://a.test/1", "https://localhost/", .toLocalAddress),
      ("https://a.test/1", "https://LOCALHOST./", .toLocalAddress),
      ("https://a.test/1", "https://localhost6/", .toLocalAddress),
      ("https://a.test/1", "https://ip6-localhost/", .toLocalAddress),
      ("https://a.test/1", "https://x.localhost./", .toLocalAddress),
      ("https://a.test/1", "http://metadata.google.internal./", .toPlainHTTP),
      ("http://a.test/1", "http://metadata.google.internal./", .toLocalAddress),
      ("https://a.test/1", "https://localhost.test/", nil),
      ("http://a.test/1", "http://169.254.169.254/latest", .toLocalAddress),
      ("https://a.test/1", "https://[::ffff:127.0.0.1]/", .toLocalAddress),
      ("https://127.0.0.1/1", "https://localhost/", nil),
      ("http://127.0.0.1:5000/1", "http://169.254.169.254/latest", .toLocalAddress),
      ("http://localhost/1", "http://metadata.google.internal/", .toLocalAddress),
      ("https://a.test/1", "https://10.0.0.1/", nil),
    ] as [(String, String, RedirectProblem?)])
  func decides(_ from: String, location: String, problem: RedirectProblem?) throws {
    let url = try RemoteURL(parsing: from), policy = RedirectPolicy()
    guard let problem else {
      #expect(try policy.next(after: [url], location: location) == url.resolving(location))
      return
    }
    let target = try url.resolving(location)
    #expect(throws: FetchError.redirectRefused(url, to: target, problem)) {
      try policy.next(after: [url], location: location)
    }
  }

  @Test("a location that cannot be fetched is the server's fault, and says where it stood")
  func unusable() throws {
    let url = try RemoteURL(parsing: "https://a.test/1?x=hush")
    for (location, problem) in [
      ("ftp://joe:hush@b.test/y", URLProblem.scheme), ("https://b.test:0/", .port),
      ("https:///", .host), ("/a\u{1}", .controlCharacter),
    ] {
      let error = #expect(throws: FetchError.self) {
        try RedirectPolicy().next(after: [url], location: location)
      }
      #expect(error?.kind == .protocolBroken)
      #expect(
        error
          == .redirectRefused(url, to: nil, .unusable(RemoteURL.redact(location), problem)))
      let text = error?.description ?? ""
      #expect(text.hasPrefix("redirect from https://a.test/1 refused: "), "\(text)")
      #expect(!text.contains("hush"))
    }
  }

  @Test("S7: ten redirects are followed, an eleventh is not; a missing location is an error")
  func limit() throws {
    let urls = try (0...10).map { try RemoteURL(parsing: "https://a.test/\($0)") }
    #expect(try RedirectPolicy().next(after: Array(urls.prefix(10)), location: "/x").target == "/x")
    #expect(throws: FetchError.self) { try RedirectPolicy().next(after: urls, location: "/x") }
    #expect(throws: FetchError.redirectRefused(urls[0], to: nil, .noLocation)) {
      try RedirectPolicy().next(after: [urls[0]], location: nil)
    }
  }
}

@Suite struct ProxySettingsTests {
  private func route(_ environment: [String: String], _ url: String) throws -> String? {
    let url = try RemoteURL(parsing: url)
    return try ProxySettings { environment[$0] }.proxy(for: url)?.url.requestText
  }

  @Test(
    "which variable counts",
    arguments: [
      ([:], "https://a.test", nil),
      (["HTTPS_PROXY": "http://p:1"], "https://a.test", "http://p:1/"),
      (["HTTPS_PROXY": "http://p:1"], "http://a.test", nil),
      (["https_proxy": "p:1"], "https://a.test", "http://p:1/"),
      (["HTTPS_PROXY": "http://u:1", "https_proxy": "l:1"], "https://a.test", "http://u:1/"),
      (["HTTPS_PROXY": "", "https_proxy": "l:1"], "https://a.test", "http://l:1/"),
      (["HTTP_PROXY": "http://p"], "http://a.test", "http://p/"),
      (["HTTP_PROXY": "http://p", "REQUEST_METHOD": "GET"], "http://a.test", nil),
      (["http_proxy": "http://p", "REQUEST_METHOD": "GET"], "http://a.test", "http://p/"),
      (["HTTP_PROXY": "http://p"], "http://127.0.0.1", nil),
      (["HTTP_PROXY": "http://p"], "http://localhost:80", nil),
      (["HTTPS_PROXY": "http://p"], "https://[::1]/", nil),
    ] as [([String: String], String, String?)])
  func variables(_ environment: [String: String], url: String, proxy: String?) throws {
    #expect(try route(environment, url) == proxy)
  }

  @Test(
    "T16: NO_PROXY",
    arguments: [
      ("*", "https://a.test", true), (" * ", "https://a.test", true), ("", "https://a.test", false),
      ("a.test", "https://a.test", true), ("A.Test", "https://a.test", true),
      ("a.test", "https://b.a.test", true), ("a.test", "https://ba.test", false),
      (".a.test", "https://a.test", false), (".a.test", "https://b.a.test", true),
      ("*.a.test", "https://b.a.test", true), ("*.a.test", "https://a.test", false),
      ("a.test:443", "https://a.test", true), ("a.test:8443", "https://a.test", false),
      ("x, a.test ,y", "https://a.test", true), ("10.0.0.1", "https://10.0.0.1", true),
      ("10.0.0.1:80", "https://10.0.0.1", false), ("10.0.0.1:443", "https://10.0.0.1", true),
      ("10.0.0.0/8", "https://10.200.3.4", true), ("10.0.0.0/9", "https://10.200.3.4", false),
      ("10.0.0.0/8", "https://a.test", false), ("fd00::/8", "https://[fd12::1]", true),
      ("[fd12::1]:443", "https://[fd12::1]", true), ("0.0.0.0/0", "https://[fd12::1]", false),
      ("10.0.0.0/40,a.test:x,:80,,", "https://a.test", false),
    ])
  func exceptions(_ list: String, url: String, isDirect: Bool) throws {
    let environment = ["HTTPS_PROXY": "http://p:1", "NO_PROXY": list]
    #expect(try route(environment, url) == (isDirect ? nil : "http://p:1/"))
    #expect(
      try route(["https_proxy": "p:1", "no_proxy": list], url) == (isDirect ? nil : "http://p:1/"))
  }

  @Test(
    "a proxy that cannot be used is an error that names its variable, what is wrong, and nothing of its value",
    arguments: [
      ("https://corp:s3cret@p", .scheme), ("socks5://corp:s3cret@p", .scheme),
      ("https://CORP\\corp:s3cret@proxy:8080", .scheme),
      ("corp:s3cret@p:99999", .url(.port)), ("corp:s3cret@p:", nil),
      ("corp:s3cret@:1", .url(.host)),
      ("corp:s3cret@bücher:1", .url(.host)),
      ("http://CORP\\corp:s3cret@p:8080", .notOnlyOrigin),
      ("http://corp:s3c/ret@p:1", .notOnlyOrigin), ("http://corp:1234/s3cret@p:1", .notOnlyOrigin),
      ("http://corp:s3cret?x@p:1", .notOnlyOrigin), ("http://corp:p#s3cret@p:1", .notOnlyOrigin),
      ("http://p:1/s3cret", .notOnlyOrigin), ("http://p:1/", nil),
    ] as [(String, ProxyProblem?)])
  func unusable(_ text: String, problem: ProxyProblem?) throws {
    guard let problem else {
      #expect(try route(["https_proxy": text], "https://a.test")?.hasPrefix("http://p") == true)
      return
    }
    for variable in ["HTTPS_PROXY", "https_proxy"] {
      let error = #expect(throws: FetchError.unusableProxy(variable: variable, problem)) {
        try route([variable: text], "https://a.test")
      }
      let shown = error?.description ?? ""
      #expect(shown.contains(" \(variable): ") && error?.kind == .usage)
      for secret in ["s3c", "ret", "corp", "CORP", "1234"] { #expect(!shown.contains(secret)) }
    }
    #expect(try route(["HTTPS_PROXY": text, "NO_PROXY": "a.test"], "https://a.test") == nil)
  }

  @Test("a proxy is shown by host, port and variable alone")
  func shown() throws {
    let proxy = try Proxy(parsing: "http://corp:s3cret@Proxy.test:8080", from: "http_proxy")
    #expect(proxy.description == "proxy.test:8080 (from http_proxy)")
    #expect(proxy.url.credentials == .init(user: "corp", password: "s3cret"))
  }
}

@Suite struct TrustStoreTests {
  @Test("the environment comes before the system's files, the first of those that is there counts")
  func sources() {
    func sources(_ environment: [String: String], _ present: FilePath...) -> [String] {
      TrustStore(environment: { environment[$0] }, exists: present.contains).sources
        .map(\.description)
    }
    #expect(sources([:]) == [])
    #expect(sources([:], "/etc/ssl/cert.pem") == ["/etc/ssl/cert.pem"])
    #expect(
      sources([:], "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
        == ["/etc/pki/tls/certs/ca-bundle.crt"])
    #expect(sources([:], "/etc/ssl/certs") == ["/etc/ssl/certs"])
    #expect(sources(["SSL_CERT_FILE": "/x"], "/etc/ssl/cert.pem") == ["/x"])
    #expect(sources(["SSL_CERT_FILE": "/x", "SSL_CERT_DIR": "/a:/b"]) == ["/x", "/a", "/b"])
    #expect(sources(["SSL_CERT_FILE": ""], "/etc/ssl/cert.pem") == ["/etc/ssl/cert.pem"])
  }
}

@Suite struct TransferFaultTests {
  @Test(
    "of BoringSSL's words the reason's name stays, and no path of a build",
    arguments: [
      (
        "[Error: 1 error:1000042e:SSL routines:OPENSSL_internal:TLSV1_ALERT_PROTOCOL_VERSION at /b/tls.cc:5]",
        "no common TLS version"
      ),
      (
        "[Error: 1 error:1:SSL routines:OPENSSL_internal:UNSUPPORTED_PROTOCOL at /b/x.cc:1]",
        "no common TLS version"
      ),
      (
        "[Error: 1 error:1:SSL routines:OPENSSL_internal:NO_SHARED_CIPHER at /b/x.cc:1]",
        "NO_SHARED_CIPHER"
      ),
      ("[Error: 1 something else at /b/x.cc:1]", "refused"), ("", "refused"),
    ])
  func reasons(_ stack: String, reason: String) {
    #expect(TransferFault.reason(of: stack) == reason)
  }
}

@Suite struct RetryPolicyTests {
  @Test("waits double up to 30 s, half of each by chance")
  func delays() {
    var policy = RetryPolicy()
    policy.attemptLimit = 100
    func wait(_ attempts: Int, _ jitter: Double) -> RetryPolicy.Decision {
      policy.decision(after: .stalled, history: .init(attempts: attempts), jitter: jitter)
    }
    #expect(wait(1, 0) == .retry(after: .milliseconds(250)))
    #expect(wait(1, 1) == .retry(after: .milliseconds(500)))
    #expect(wait(2, 0) == .retry(after: .milliseconds(500)))
    #expect(wait(7, 1) == .retry(after: .seconds(30)))
    #expect(wait(90, 0) == .retry(after: .seconds(15)))
  }

  @Test(
    "what is tried again",
    arguments: [
      (.lookupFailed(""), true), (.connectionFailed(""), true), (.cutOff(""), true),
      (.stalled, true), (.proxyRefused, true), (.malformedResponse(""), true),
      (.status(503, retryAfter: nil), true), (.status(501, retryAfter: nil), false),
      (.hostNotFound(""), false), (.certificateRejected(""), false), (.tlsFailed(""), false),
      (.proxyWantsAuthentication, false), (.status(404, retryAfter: .seconds(1)), false),
    ] as [(TransferFault, Bool)])
  func faults(_ fault: TransferFault, isRetried: Bool) {
    let decision = RetryPolicy().decision(after: fault, history: .init(attempts: 1), jitter: 0)
    #expect((decision != .giveUp) == isRetried)
    let last = RetryPolicy().decision(after: fault, history: .init(attempts: 5), jitter: 0)
    #expect(last == .giveUp)
  }

  @Test("S2: Retry-After decides up to 120 s")
  func retryAfter() {
    func decision(_ seconds: Int) -> RetryPolicy.Decision {
      RetryPolicy().decision(
        after: .status(429, retryAfter: .seconds(seconds)), history: .init(attempts: 1), jitter: 0)
    }
    #expect(decision(0) == .retry(after: .zero))
    #expect(decision(120) == .retry(after: .seconds(120)))
    #expect(decision(121) == .askedToWait(.seconds(121)))
  }

  @Test("gained bytes start the attempts anew, ten times")
  func resumes() {
    var history = RetryPolicy.History(attempts: 4)
    history.record(gainedBytes: true)
    #expect(history == .init(attempts: 1, resumes: 1))
    history.record(gainedBytes: false)
    #expect(history == .init(attempts: 2, resumes: 1))
    let spent = RetryPolicy.History(attempts: 1, resumes: 11)
    #expect(RetryPolicy().decision(after: .stalled, history: spent, jitter: 0) == .giveUp)
  }

  @Test(
    "S2: Retry-After's spellings",
    arguments: [
      ("0", 0), ("120", 120), (" 5", 5), ("99999999999999999999", 2_147_483_647), ("-1", nil),
      ("1.5", nil), ("", nil), ("soon", nil), ("Sun, 06 Nov 1994 08:49:37 GMT", 37),
      ("Sunday, 06-Nov-94 08:49:37 GMT", 37), ("Sun Nov  6 08:49:37 1994", 37),
      ("Sun, 06 Nov 1994 08:48:00 GMT", 0), ("Sun, 06 Nov 1994 08:49:37 CET", nil),
      ("Mon, 07 Nov 1994 08:49:00 GMT", 86_400), ("Fri, 30 Foo 1994 08:49:37 GMT", nil),
    ] as [(String, Int64?)])
  func spellings(_ text: String, seconds: Int64?) {
    #expect(RetryAfter.wait(text, now: 784_111_740) == seconds.map { .seconds($0) })
  }
}

@Suite struct ResumeStateTests {
  @Test(
    "what an answer does to 10 bytes of version v1",
    arguments: [
      (200, nil, .restart), (206, "bytes 10-19/20", .append(total: 20)),
      (206, "bytes 10-19/*", .append(total: nil)), (206, "BYTES 10-10/11", .append(total: 11)),
      (206, nil, .startOver), (206, "bytes 9-19/20", .startOver),
      (206, "bytes 10-20/20", .startOver),
      (206, "bytes 19-10/20", .startOver), (206, "lines 10-19/20", .startOver),
      (206, "bytes */20", .startOver), (416, "bytes */10", .complete),
      (416, "bytes */9", .startOver),
      (416, nil, .startOver), (204, nil, .refuse), (404, nil, .refuse),
    ] as [(Int, String?, ResumeState.Action)])
  func actions(_ status: Int, contentRange: String?, action: ResumeState.Action) {
    let state = ResumeState(byteCount: 10, validator: .entityTag("\"v1\""))
    #expect(state.action(status: status, contentRange: contentRange) == action)
  }

  @Test("from the beginning only a whole file is an answer")
  func beginning() {
    let state = ResumeState(byteCount: 10, validator: nil)
    #expect(state.offset == 0 && state.headers.isEmpty)
    #expect(state.action(status: 200, contentRange: nil) == .restart)
    #expect(state.action(status: 206, contentRange: "bytes 0-9/10") == .refuse)
    #expect(state.action(status: 416, contentRange: "bytes */0") == .refuse)
  }

  @Test("validators survive being written down; weak, odd and cut ones are none")
  func validators() {
    for validator in [Validator.entityTag("\"a b\""), .lastModified("Sun, 06 Nov 1994")] {
      #expect(Validator(text: validator.text) == validator)
      #expect(Validator(text: String(validator.text.dropLast())) == nil)
    }
    #expect(Validator(entityTag: "W/\"a\"", lastModified: "x") == .lastModified("x"))
    #expect(Validator(entityTag: "\"a\r\nX: y\"", lastModified: nil) == nil)
    #expect(Validator(text: "") == nil)
    #expect(Validator(text: "Other\nx\n") == nil)
  }
}

@Suite struct FetchErrorTests {
  @Test("every text names the thing, shows no secret, has no full stop")
  func texts() throws {
    let url = try RemoteURL(parsing: "https://joe:hush@a.test/b?token=hush")
    let digest = try Digest.sha256(of: [])
    let faults: [TransferFault] = [
      .status(404, retryAfter: nil), .status(410, retryAfter: nil), .status(407, retryAfter: nil),
      .status(500, retryAfter: nil), .hostNotFound("a.test"), .lookupFailed("x"),
      .connectionFailed("x"), .certificateRejected("x"), .tlsFailed("x"), .cutOff("x"), .stalled,
      .proxyWantsAuthentication, .proxyRefused, .malformedResponse("x"),
      .certificateForOthers(host: "a.test"),
      .proxyUnreachable(try Proxy(parsing: "joe:hush@p:1", from: "HTTP_PROXY"), .hostNotFound("p")),
    ]
    let redirects: [RedirectProblem] = [
      .noLocation, .unusable("ftp://x", .scheme), .tooMany(10), .loop, .toPlainHTTP,
      .toLocalAddress,
    ]
    let errors: [FetchError] =
      faults.map { .failed(url, at: url, $0, attempts: 5) }
      + redirects.map { .redirectRefused(url, to: url, $0) } + [
        .unpinnedPlainHTTP(url), .offline(url), .askedToWait(url, status: 429, .seconds(300)),
        .digestMismatch(
          url, expected: digest, found: digest, byteCount: 0, contentEncoding: "gzip"),
        .tooLarge(url, limit: 64 << 30),
      ]
    for error in errors {
      #expect(error.description.contains("https://a.test/b"))
      #expect(!error.description.contains("hush"))
      #expect(error.description.last != ".")
    }
    #expect(FetchError.noTrustStore(["/x"]).description.contains("SSL_CERT_FILE"))
    let bundle = TrustStore.Source(path: "/x", isDirectory: false, variable: "SSL_CERT_FILE")
    let problems: [(TrustProblem, FailureKind)] = [
      (.missing, .notFound), (.otherKind(.fifo), .cannotRead),
      (.unreadable(.permissionDenied), .cannotRead), (.noCertificates, .data),
    ]
    for (problem, kind) in problems {
      let error = FetchError.unusableTrust(bundle, problem)
      #expect(error.description.contains("\"/x\" (from SSL_CERT_FILE): "))
      #expect(error.kind == kind)
    }
    #expect(
      FetchError.partialNotAFile(path: "/x", .symlink).description
        == "writing \"/x\": expected a regular file, found a symlink that is not of ociforge's making; remove that path"
    )
    #expect(FetchError.unsupportedDigest(digest).description.contains("sha256 only"))
  }
}
