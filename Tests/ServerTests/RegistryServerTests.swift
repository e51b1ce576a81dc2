import Bindings
import Foundation
import NIOCore
import NIOHTTP1
import OCILayout
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@testable import Server

@Suite("RegistryServer") struct RegistryServerTests {
  private let folder: TemporaryDirectory
  private var path: FilePath { folder.path.appending("layout") }

  init() throws { folder = try TemporaryDirectory() }

  @Test("requests on one connection are answered in their order, pipelined ones too")
  func pipelined() async throws {
    try await RegistryServer.run(layout: path) { server in
      let head = "Host: x\r\n\r\n"
      let got = try await exchange(
        server.port,
        "GET /v2/ HTTP/1.1\r\n\(head)HEAD /v2/ HTTP/1.1\r\n\(head)GET /x HTTP/1.1\r\nConnection: close\r\n\(head)"
      )
      let statuses = got.text.matches(of: /HTTP\/1.1 (\d+)/).map { String($0.1) }
      #expect(statuses == ["200", "200", "404"])
      #expect(got.text.components(separatedBy: "{}").count == 2, "HEAD has no body")
      #expect(got.end == .closed)
    }
  }

  @Test("a client of HTTP/1.0 gets its answer and the end")
  func oldClient() async throws {
    try await RegistryServer.run(layout: path) { server in
      let got = try await exchange(server.port, "GET /v2/ HTTP/1.0\r\n\r\n")
      #expect(got.text.hasPrefix("HTTP/1.1 200"))
      #expect(got.text.hasSuffix("{}"))
      #expect(got.end == .closed)
    }
  }

  @Test("what is no HTTP is refused and the connection ends")
  func garbage() async throws {
    try await RegistryServer.run(layout: path) { server in
      let got = try await exchange(server.port, "\u{16}\u{3}\u{1} hello\r\n\r\n")
      #expect(got.text.hasPrefix("HTTP/1.1 400"))
      #expect(got.end != .silent)
    }
  }

  @Test("a client that waits for 100 Continue gets it when its body is wanted, and only then")
  func expectContinue() async throws {
    try await RegistryServer.run(layout: path) { server in
      let digest = try digest(of: "hello")
      let wire = try Wire(server.port)
      let head = "Host: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n"
      await wire.send(
        "POST /v2/a/blobs/uploads/?digest=\(digest) HTTP/1.1\r\n\(head)Connection: close\r\n\r\n")
      #expect(await wire.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
      await wire.send("hello")
      #expect(await wire.readAll().text.hasPrefix("HTTP/1.1 201"))
      let refused = try await exchange(server.port, "POST /v2/ HTTP/1.1\r\n\(head)\r\n")
      #expect(refused.text.hasPrefix("HTTP/1.1 405"))
      #expect(refused.text.contains("Connection: close"))
      #expect(refused.end == .closed)
    }
  }

  @Test("an early refusal reaches a client that goes on sending")
  func earlyRefusal() async throws {
    try await RegistryServer.run(layout: path) { server in
      let count = 5 << 20
      let got = try await exchange(
        server.port,
        "PUT /v2/a/manifests/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: \(count)\r\n\r\n"
          + String(repeating: " ", count: count))
      #expect(got.text.hasPrefix("HTTP/1.1 413"))
      #expect(got.end == .closed)
    }
  }

  @Test("a little body that nobody reads does not cost the connection")
  func littleBody() async throws {
    try await RegistryServer.run(layout: path) { server in
      let got = try await exchange(
        server.port,
        "POST /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
          + "GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      #expect(got.text.hasPrefix("HTTP/1.1 405"))
      #expect(got.text.contains("HTTP/1.1 200"))
    }
  }

  @Test("what came of a cut request is kept, and the upload goes on from there")
  func cutRequest() async throws {
    try await RegistryServer.run(layout: path) { server in
      let begun = try await exchange(
        server.port,
        "POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
      )
      let location = String(try #require(begun.text.firstMatch(of: /Location: (\S+)/)).1)
      do {
        let wire = try Wire(server.port)
        await wire.send("PATCH \(location) HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234")
        wire.finish()
        _ = await wire.readAll()
      }
      let status = try await exchange(
        server.port, "GET \(location) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      #expect(status.text.contains("Range: 0-4\r\n"))
    }
  }

  @Test("an answer that breaks off ends the connection: with a reset where its bytes went missing")
  func brokenAnswers() async throws {
    let handler: RequestHandler = { request in
      let path = request.target
      return ServerResponse(
        .ok,
        body: ResponseBody(byteCount: path == "/chunked" ? nil : 10) { sink in
          try await sink(ByteBuffer(string: "half"))
          if path == "/reset" || path == "/chunked" { throw ConnectionReset() }
          if path == "/error" { throw CancellationError() }
        })
    }
    try await RegistryServer.run(port: 0, handler: handler) { server in
      let ask = { (path: String) in
        try await exchange(server.port, "GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n")
      }
      for path in ["/short", "/error"] {
        let got = try await ask(path)
        #expect(got.text.hasSuffix("Content-Length: 10\r\n\r\nhalf"))
        #expect(got.end == .closed, "\(path)")
      }
      #expect(try await ask("/reset").end == .reset)
      let chunked = try await ask("/chunked")
      #expect(chunked.end == .reset)
      #expect(!chunked.text.hasSuffix("0\r\n\r\n"))
    }
  }

  @Test("a handler that fails ends its connection and no other")
  func failingHandler() async throws {
    let handler: RequestHandler = { request in
      if request.target == "/fail" { throw CancellationError() }
      return ServerResponse(.noContent)
    }
    try await RegistryServer.run(port: 0, handler: handler) { server in
      #expect(
        try await exchange(server.port, "GET /fail HTTP/1.1\r\nHost: x\r\n\r\n") == ("", .closed))
      let other = try await exchange(
        server.port, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      #expect(other.text.hasPrefix("HTTP/1.1 204"))
    }
  }

  @Test("a port that is taken is an error that names the way out")
  func takenPort() async throws {
    try await RegistryServer.run(layout: path) { server in
      let error = await #expect(throws: ServerError.self) {
        try await RegistryServer.run(layout: folder.path.appending("other"), port: server.port) {
          _ in
        }
      }
      #expect(
        error?.description
          == "listening on 127.0.0.1:\(server.port): another program does already; name another port with --port, 0 for any that is free"
      )
      #expect(error?.kind == .unavailable)
    }
  }

  @Test("no garbage is collected while it runs; when it ends, nothing is left behind")
  func end() async throws {
    try await RegistryServer.run(layout: path) { server in
      let layout = try ImageLayout.open(path)
      let blob = try layout.store.put(Array("pushed just now".utf8))
      #expect(throws: LayoutError.busy(path.string, writers: 1)) { try layout.collectGarbage() }
      let stuck = try Wire(server.port)
      await stuck.send("PUT /v2/a/manifests/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
      let begun = try await exchange(
        server.port, "POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      #expect(begun.text.hasPrefix("HTTP/1.1 202"))
      #expect(try layout.store.size(of: blob) != nil)
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: path.string)
    #expect(Set(left) == ["blobs", "index.json", "oci-layout"])
    #expect(try ImageLayout.open(path).collectGarbage().blobs.count == 1)
  }

  @Test("a layout that is only read is not written to, and one that is not there is not made")
  func readOnly() async throws {
    await #expect(throws: LayoutError.self) {
      try await RegistryServer.run(layout: path, access: .readOnly) { _ in }
    }
    #expect(!FileManager.default.fileExists(atPath: path.string))
    _ = try ImageLayout.create(path)
    try await RegistryServer.run(layout: path, access: .readOnly) { server in
      #expect(try ImageLayout.open(path).collectGarbage().count == 0)
      let got = try await exchange(
        server.port, "GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      #expect(got.text.hasPrefix("HTTP/1.1 200"))
    }
  }

  @Test("a connection on which nothing happens is closed, in the middle of a request too")
  func idle() async throws {
    let handler: RequestHandler = { request in
      while try await request.body.next() != nil {}
      return ServerResponse(.noContent)
    }
    try await RegistryServer.run(port: 0, idleTimeout: .milliseconds(200), handler: handler) {
      server in
      for text in ["", "GET / HTTP/1.1\r\nHo", "PUT / HTTP/1.1\r\nContent-Length: 5\r\n\r\nx"] {
        let got = try await exchange(server.port, text)
        #expect(got.end == .closed)
      }
    }
  }

  @Test("more clients than it takes at a time are served in turn")
  func manyConnections() async throws {
    try await RegistryServer.run(layout: path) { server in
      let idle = try (0..<300).map { _ in try Wire(server.port) }
      for wire in idle.prefix(200) {
        await wire.send("GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        #expect(await wire.readAll().text.hasPrefix("HTTP/1.1 200"))
      }
      await idle[299].send("GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      #expect(await idle[299].readAll().text.hasPrefix("HTTP/1.1 200"))
    }
  }
}
