import Foundation
import NIOHTTP1
import OCILayout
import OCISpec
import SystemPackage
import TestSupport
import Testing

@testable import Server

/// The faults that other tests build on do what they say.
@Suite("FaultyRegistry") struct FaultyRegistryTests {
  private let get = "GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

  @Test("requests are recorded with their number, repetition and how much of their body was read")
  func records() async throws {
    try await FaultyRegistry.run { registry in
      for _ in 0..<2 { _ = try await exchange(registry.port, get) }
      _ = try await exchange(
        registry.port,
        "POST /v2/a/blobs/uploads/?digest=\(digest(of: "hello")) HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"
      )
      #expect(registry.lines == ["GET /v2/", "GET /v2/", "POST /v2/a/blobs/uploads/"])
      #expect(registry.requests.map(\.repetition) == [0, 1, 0])
      #expect(registry.requests.map(\.number) == [0, 1, 2])
      #expect(registry.requests.map(\.bodyByteCount) == [0, 0, 5])
      #expect(registry.requests[2]["content-length"] == "5")
    }
  }

  @Test("a fault meets the requests it is meant for, and the others are answered")
  func once() async throws {
    try await FaultyRegistry.run(fault: { $0.repetition == 0 ? .error(503, "UNAVAILABLE") : nil }) {
      registry in
      let first = try await exchange(registry.port, get)
      #expect(first.text.hasPrefix("HTTP/1.1 503"))
      #expect(first.text.contains(#"{"errors":[{"code":"UNAVAILABLE","message":""}]}"#))
      #expect(try await exchange(registry.port, get).text.hasPrefix("HTTP/1.1 200"))
    }
  }

  @Test(
    "connections end as they are told to",
    arguments: [
      ("drop", Fault.drop(.close), "", Wire.End.closed), ("reset", .drop(.reset), "", .reset),
      ("cut", .cutAnswer(.close, after: 1), "{", .closed),
      ("cut and reset", .cutAnswer(.reset, after: 1), "{", .reset),
      ("lost", .loseAnswer(.reset), "", .reset),
      ("trickle", .trickle(1, every: .milliseconds(20)), "{}", .closed),
      ("late", .delay(.milliseconds(50)), "{}", .closed),
      ("chunked", .chunked, "2\r\n{}\r\n0\r\n\r\n", .closed),
      ("short", .change { $0.headers.add(name: "Content-Length", value: "9") }, "{}", .closed),
    ])
  func endings(_ name: String, _ fault: Fault, _ body: String, _ end: Wire.End) async throws {
    try await FaultyRegistry.run(fault: { _ in fault }) { registry in
      let got = try await exchange(registry.port, get)
      let head = got.text.firstRange(of: "\r\n\r\n")
      #expect(got.text[(head?.upperBound ?? got.text.endIndex)...] == body, "\(name)")
      #expect(got.end == end, "\(name)")
    }
  }

  @Test("a stall says nothing, and ends with the server")
  func stall() async throws {
    let wire = try await FaultyRegistry.run(
      fault: { $0.path == "/v2/" ? .drop(.stall) : .cutAnswer(.stall, after: 3) }
    ) { registry in
      let wire = try Wire(registry.port)
      await wire.send(get)
      #expect(await wire.isSilent(milliseconds: 100))
      let other = try Wire(registry.port)
      await other.send("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(await other.read(until: "\r\n\r\n{\"e").hasSuffix("{\"e"))
      #expect(await other.isSilent(milliseconds: 100))
      return wire
    }
    #expect(await wire.readAll() == ("", .closed))
  }

  @Test("a request's body is cut where the fault says, before or behind the registry's back")
  func requestBodies() async throws {
    try await FaultyRegistry.run(
      fault: { request in
        switch request.repetition {
        case 0: .drop(.reset, afterRequestBytes: 3)
        case 1: .cutRequest(.close, after: 3)
        default: nil
        }
      }
    ) { registry in
      let post =
        "POST /v2/a/blobs/uploads/?digest=\(try digest(of: "hello")) HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"
      #expect(try await exchange(registry.port, post).end == .reset)
      #expect(try await exchange(registry.port, post).text == "")
      #expect(try await exchange(registry.port, post).text.hasPrefix("HTTP/1.1 201"))
      #expect(registry.requests[0].bodyByteCount == 5, "as it came in one piece")
    }
  }

  @Test("what is lost on the way back was done")
  func lostAnswer() async throws {
    try await FaultyRegistry.run(fault: { $0.method == .POST ? .loseAnswer(.close) : nil }) {
      registry in
      let digest = try digest(of: "hello")
      let post = try await exchange(
        registry.port,
        "POST /v2/a/blobs/uploads/?digest=\(digest) HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
      )
      #expect(post == ("", .closed))
      let head = try await exchange(
        registry.port,
        "HEAD /v2/a/blobs/\(digest) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      #expect(head.text.hasPrefix("HTTP/1.1 200"))
    }
  }

  @Test("Basic is demanded", .enabled(if: peers("skopeo")))
  func basic() async throws {
    try await FaultyRegistry.run(wrapping: demandBasic(user: "u", password: "p:w")) { registry in
      let refused = try await exchange(registry.port, get)
      #expect(refused.text.hasPrefix("HTTP/1.1 401"))
      #expect(refused.text.contains("WWW-Authenticate: Basic realm=\"test\""))
      try await push(to: registry, credential: "u:p:w")
      await #expect(throws: PushRefused.self) {
        try await push(to: registry, credential: "u:x")
      }
    }
  }

  @Test(
    "tokens are demanded, given for what is asked for, and revoked", .enabled(if: peers("skopeo")))
  func tokens() async throws {
    let tokens = ScriptedTokenService(credential: "u:p")
    try await FaultyRegistry.run(wrapping: tokens.wrap) { registry in
      try await push(to: registry, credential: "u:p")
      #expect(tokens.grantedScopes.contains("repository:a/b:pull,push"))
      await #expect(throws: PushRefused.self) {
        try await push(to: registry, credential: "u:x")
      }
      let ask = { (path: String, token: String) in
        try await exchange(
          registry.port,
          "GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer \(token)\r\n\r\n"
        ).text
      }
      let number = tokens.grantedScopes.count - 1
      #expect(try await ask("/v2/a/b/tags/list", "token-\(number)").hasPrefix("HTTP/1.1 200"))
      let foreign = try await ask("/v2/c/tags/list", "token-\(number)")
      #expect(foreign.hasPrefix("HTTP/1.1 401"))
      #expect(foreign.contains(#"scope="repository:c:pull",error="insufficient_scope""#))
      tokens.revokeAll()
      #expect(try await ask("/v2/a/b/tags/list", "token-\(number)").hasPrefix("HTTP/1.1 401"))
    }
  }

  /// Pushes an image with skopeo, which must succeed.
  private func push(to registry: FaultyRegistry, credential: String) async throws {
    let desk = try Desk()
    try await desk.push(desk.manifest().json, as: "v1")
    let done = try run(
      "skopeo",
      [
        "copy", "--dest-tls-verify=false", "--dest-creds", credential, "oci:layout:a:v1",
        "docker://\(registry.host)/a/b:v1",
      ], in: desk.folder.path)
    guard done.status == 0 else { throw PushRefused(text: done.stderr) }
  }

  private struct PushRefused: Error { let text: String }
}
