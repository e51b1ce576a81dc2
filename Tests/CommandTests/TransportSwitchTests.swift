import Foundation
import Server
import SystemPackage
import TestSupport
import Testing

/// `--plain-http` and `--tls-verify`, as flags and by environment.
@Suite("transport switches") struct TransportSwitchTests {
  private let workshop: Workshop

  init() throws {
    workshop = try Workshop()
    try workshop.assemble(Sample.one, ["-o", "far", "-t", "v1"])
  }

  /// This machine by a name that does not say so; `nil` where it has none.
  private static let ownName: String? = {
    guard let name = try? run("hostname").output.trimmingCharacters(in: .whitespacesAndNewlines),
      !name.isEmpty, name != "localhost",
      let addresses = try? run("getent", ["ahostsv4", name]).output,
      !addresses.isEmpty,
      addresses.split(separator: "\n").allSatisfy({ $0.hasPrefix("127.") })
    else { return nil }
    return name
  }()

  @Test(
    "plain http is spoken where a switch says so, with one warning, and nowhere else",
    .enabled(if: ownName != nil),
    arguments: [
      (["--plain-http", "HOST"], nil), ([], "HOST"), ([], "other.example:5000, HOST"),
      (["--plain-http", "other.example", "--plain-http", "HOST"], "third.example"),
    ])
  func plain(_ flags: [String], variable: String?) async throws {
    let name = try #require(Self.ownName)
    try await FaultyRegistry.serve(layout: workshop.path.appending("far")) { registry in
      let host = "\(name):\(registry.port)"
      let flags = flags.map { $0.replacing("HOST", with: host) }
      let environment = ["OCIFORGE_PLAIN_HTTP": variable?.replacing("HOST", with: host)]
      let warning =
        "warning: \(host) is spoken to over plain http: whoever is on the way can read and change what is sent\n"
      try workshop.expect(
        ["tags", "\(host)/a"] + flags, environment: environment, stdout: "v1\n", stderr: warning)
      // Once a run, however much is asked.
      try workshop.expect(
        ["pull", "-q", "\(host)/a:v1", "oci:here"] + flags, environment: environment,
        stdout: "\(Sample.oneDigest)\n", stderr: warning)
      try workshop.expectValid("oci:here:v1")
    }
  }

  @Test(
    "a name that is not loopback by its text is never asked without TLS unless told",
    .enabled(if: ownName != nil), arguments: [[], ["--plain-http", "other.example"]])
  func notPlain(_ flags: [String]) async throws {
    let name = try #require(Self.ownName)
    try await FaultyRegistry.serve { registry in
      let host = "\(name):\(registry.port)"
      try workshop.expect(
        ["tags", "\(host)/a"] + flags, status: 69,
        stderr:
          "error: listing the tags of \(host)/a: GET https://\(host)/v2/: TLS handshake: what answers does not speak TLS; where it speaks plain http on purpose, --plain-http \(host)\n"
      )
      #expect(registry.lines == [])
    }
  }

  @Test(
    "over plain http a credential is shown only by another switch", .enabled(if: ownName != nil))
  func plaintextCredential() async throws {
    let name = try #require(Self.ownName)
    try await FaultyRegistry.serve(
      layout: workshop.path.appending("far"),
      wrapping: demandBasic(user: "alice", password: "s3cret")
    ) { registry in
      let host = "\(name):\(registry.port)"
      let auth = Data("alice:s3cret".utf8).base64EncodedString()
      try workshop.folder.write(
        "auth.json", #"{"auths":{"\#(host)":{"auth":"\#(auth)"}}}"#, mode: 0o600)
      let tags = ["tags", "-q", "\(host)/a", "--authfile", "auth.json", "--plain-http", host]
      let refused = try workshop.run(tags)
      #expect(refused.status == 77)
      #expect(refused.stderr.contains("--allow-plaintext-credentials"), "\(refused.stderr)")
      #expect(registry.requests.allSatisfy { $0["authorization"] == nil })
      let finished = try workshop.run(tags + ["--allow-plaintext-credentials"])
      #expect(finished.status == 0 && finished.output == "v1\n", "\(finished.stderr)")
    }
  }

  @Test("on this machine nothing is risked, and nothing is said")
  func loopback() async throws {
    try await FaultyRegistry.serve(layout: workshop.path.appending("far")) { registry in
      for flags in [["--plain-http", registry.host], ["--tls-verify=false"], []] {
        try workshop.expect(["tags", "\(registry.host)/a"] + flags, stdout: "v1\n")
      }
    }
  }

  @Test(
    "a certificate of nobody is refused, with the way out; --tls-verify=false takes it with a warning",
    .enabled(if: peers("docker-registry", "openssl")))
  func certificates() async throws {
    try await DockerRegistry.run { registry in
      let image = registry.reference("a:v1")
      let push = ["push", "-q", "oci:far:v1", image]
      let refused = try workshop.run(push)
      #expect(refused.status == 69)
      #expect(refused.output == "")
      #expect(refused.stderr.contains("SSL_CERT_FILE"), "\(refused.stderr)")
      #expect(!refused.stderr.contains("warning"), "\(refused.stderr)")
      #expect(try registry.exchanges.isEmpty)

      let warning =
        "warning: the certificate of \(registry.host) is not checked: whoever is on the way may stand in for it\n"
      for (flags, environment) in [
        (["--tls-verify=false"], [:]), ([], ["OCIFORGE_TLS_VERIFY": "false"]),
        (["--tls-verify", "false"], ["OCIFORGE_TLS_VERIFY": "true"]),
      ] {
        try workshop.expect(
          push + flags, environment: environment, stdout: "\(Sample.oneDigest)\n", stderr: warning)
      }
      for (flags, environment) in [
        ([], ["SSL_CERT_FILE": registry.authority.certificate.string]),
        (
          ["--tls-verify=true"],
          [
            "SSL_CERT_FILE": registry.authority.certificate.string,
            "OCIFORGE_TLS_VERIFY": "false",
          ]
        ),
      ] {
        try workshop.expect(push + flags, environment: environment, stdout: "\(Sample.oneDigest)\n")
      }
    }
    try workshop.expectValid("oci:far:v1")
  }

  @Test(
    "a certificate for another name is refused even by who is trusted", .enabled(if: peers("nginx"))
  )
  func otherName() async throws {
    try await Nginx.run(names: ["other.example"], locations: "location /v2/ { return 200; }") {
      nginx in
      let trust = ["SSL_CERT_FILE": Optional(nginx.authority.string)]
      let host = "localhost:\(nginx.securePort)"
      let refused = try workshop.run(["tags", "\(host)/a"], environment: trust)
      #expect(refused.status == 69)
      #expect(
        refused.stderr.contains("the server's certificate is not for \"localhost\""),
        "\(refused.stderr)")
      #expect(nginx.accessLog == [])
    }
  }

  @Test("garbage is a usage error that names the switch")
  func garbage() throws {
    for (arguments, environment, problem) in [
      (
        [], ["OCIFORGE_TLS_VERIFY": "maybe"],
        "OCIFORGE_TLS_VERIFY: expected true or false, got \"maybe\""
      ),
      ([], ["OCIFORGE_TLS_VERIFY": "0"], "OCIFORGE_TLS_VERIFY: expected true or false, got \"0\""),
      (
        [], ["OCIFORGE_PLAIN_HTTP": "http://reg:5000"],
        "OCIFORGE_PLAIN_HTTP: an image reference that starts with \"http://\": a reference has no scheme; write what follows it"
      ),
      (
        [], ["OCIFORGE_PLAIN_HTTP": "good:5000,reg:port"],
        "OCIFORGE_PLAIN_HTTP: image reference \"reg:port\": expected digits after the host's colon"
      ),
      (
        ["--plain-http", "reg:99999"], [:],
        "--plain-http: image reference: expected a port from 1 to 65535, got \"99999\""
      ),
    ] as [([String], [String: String], String)] {
      try workshop.expect(
        ["tags", "127.0.0.1:1/a"] + arguments, environment: environment.mapValues { $0 },
        status: 64, stderr: "error: \(problem)\n")
    }
    let flag = try workshop.run(["tags", "127.0.0.1:1/a", "--tls-verify=maybe"])
    #expect(flag.status == 64)
    #expect(
      flag.stderr.hasPrefix(
        "error: The value 'maybe' is invalid for '--tls-verify <true|false>'\n"), "\(flag.stderr)")
  }
}
