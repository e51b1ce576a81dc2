import Bindings
import Credentials
import OCILayout
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@testable import Remote

/// What a registry may do to those who believe it.
@Suite struct HostileRegistryTests {
  private static let password = "hush-hush/1"
  private static let token = "token.of+the/user"

  /// A registry that repeats all that it is shown, in headers and in what it complains of.
  private static func parrot(
    _ request: ScriptedServer.Request, service: String
  ) -> ScriptedServer.Answer {
    let shown = request["Authorization"] ?? ""
    let warning = ("Warning", "299 - \"you sent \(shown) and \(password)\"")
    if request.uri.hasPrefix("/token/good") { return .json(#"{"token":"\#(token)"}"#) }
    if request.uri.hasPrefix("/token") {
      return .status(
        401, [warning], body: #"{"error":"\#(shown)","error_description":"\#(password)"}"#)
    }
    guard !shown.isEmpty else {
      return .status(401, [("WWW-Authenticate", #"Bearer realm="/token/\#(service)""#)])
    }
    let error = #"{"code":"DENIED","message":"no: \#(shown)","detail":{"headers":["\#(shown)"]}}"#
    return .status(403, [warning], body: #"{"errors":[\#(error)]}"#)
  }

  @Test(
    "secrets that the registry or its token service repeats are not shown",
    arguments: ["good", "bad"])
  func parrots(_ service: String) async throws {
    let bench = try RegistryBench()
    try await ScriptedServer.run({
      Self.parrot($0, service: service)
    }) { server in
      let credential = FoundCredential(
        .basic(user: "bob", password: Secret(Self.password)), source: "a test")
      let failure = await bench.failure {
        try await bench.with(server, credential: credential) { try await $0.manifest(.tag("v1")) }
      }
      #expect(failure?.kind == .denied)
      let said = "\(failure.map { "\($0)" } ?? "")\n\(bench.said)"
      #expect(said.contains("…"))
      #expect(said.contains("you sent"))
      // "bob:" and the password, as Basic has them.
      for secret in [Self.password, Self.token, "Ym9iOmh1c2gtaHVzaC8x"] {
        #expect(!said.contains(secret), "\(said)")
      }
    }
  }

  @Test("what an index names that is no image is left out, and the rest is pulled")
  func strangers() async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    let strange = Digest.Algorithm.sha256.rawValue + ":" + String(repeating: "0", count: 64)
    let root = Array(
      """
      {"schemaVersion":2,"mediaType":"\(MediaType.imageIndex)","manifests":[\
      {"mediaType":"application/vnd.example.thing","digest":"\(strange)","size":5},\
      {"mediaType":"\(MediaType.imageManifest)","digest":"\(manifest.digest)",\
      "size":\(manifest.bytes.count)}]}
      """.utf8)
    try await ScriptedServer.run({ request in
      if request.uri == "/v2/" { return .ok }
      if request.uri.contains("/blobs/") { return .init(body: Array("{}".utf8)) }
      return request.uri.hasSuffix("v1") ? .init(body: root) : manifest.answer()
    }) { server in
      let layout = try ImageLayout.create(bench.bench.directory.path.appending("layout"))
      try await bench.with(server) { client in
        let puller = ImagePuller(from: client, into: layout, reporter: bench.bench.reporter)
        let root = try await puller.documents(of: Reference(parsing: "\(client.repository):v1"))
        try await puller.layers(of: root)
      }
      #expect(try layout.store.contains(manifest.descriptor))
      #expect(server.real.count == 3)
      #expect(
        bench.warnings == [
          "\(strange): \"application/vnd.example.thing\" is no image; left out"
        ])
    }
  }

  @Test("where a tag is wrong, one page of those that are right is enough")
  func advice() async throws {
    let bench = try RegistryBench()
    try await ScriptedServer.run({ request in
      if request.uri == "/v2/" { return .ok }
      if request.uri.contains("/manifests/") { return .status(404) }
      var page = ScriptedServer.Answer.json(#"{"tags":["v1","v2"]}"#)
      page.headers.append(("Link", "<?last=\(request.number)>; rel=next"))
      return page
    }) { server in
      let failure = await bench.failure {
        try await bench.with(server) {
          try await $0.manifest(of: Reference(parsing: "\($0.repository):v3"))
        }
      }
      #expect(
        failure?.advice
          == "127.0.0.1:\(server.port)/team/app has v1, v2 and more; did you mean \"v1\"?")
      #expect(server.real.count == 2)
    }
  }

  @Test("a manifest that is no JSON is refused with what is wrong with it")
  func notJSON() async throws {
    let bench = try RegistryBench()
    let manifest = try SampleManifest(#"{"schemaVersion":2,"layers":[],"layers":[]}"#)
    try await ScriptedServer.run({
      $0.uri == "/v2/" ? .ok : manifest.answer()
    }) { server in
      let failure = await bench.failure {
        try await bench.with(server) { try await $0.manifest(.tag("v1")) }
      }
      #expect(failure?.description.contains("\"layers\"") == true, "\(String(describing: failure))")
      #expect(failure?.kind == .protocolBroken)
    }
  }
}
