import Bindings
import Foundation
import OCILayout
import OCISpec
@testable import Remote
import Reporting
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite(.enabled(if: peers("nginx", "openssl"))) struct NginxTests {
  private func settings(_ bench: Bench, trusting file: FilePath) -> NetworkSettings {
    var settings = bench.settings
    settings.trust = TrustStore(
      environment: { $0 == "SSL_CERT_FILE" ? file.string : nil }, exists: { _ in true })
    return settings
  }

  @Test("https with a private authority in SSL_CERT_FILE works, also unpinned")
  func privateAuthority() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    try await Nginx.run { nginx in
      try nginx.directory.write("www/a", bytes)
      let settings = settings(bench, trusting: nginx.authority)
      let got = try await bench.download(nginx.url("/a"), expecting: nil, settings: settings)
      #expect(got == (digest, 300_000))
      try await bench.download(nginx.url("/a"), expecting: digest, settings: settings)
      #expect(nginx.accessLog.count == 1, "what came unpinned is in the cache under its digest")
    }
    #expect(bench.files == ["blobs/sha256/\(digest.hex)"])
  }

  @Test("a certificate directory works as SSL_CERT_DIR")
  func certificateDirectory() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    try await Nginx.run { nginx in
      try nginx.directory.write("www/a", bytes)
      var settings = bench.settings
      try FileManager.default.copyItem(
        atPath: nginx.authority.string, toPath: nginx.directory.write("certs/x", "").string + ".pem"
      )
      settings.trust = TrustStore(
        environment: { $0 == "SSL_CERT_DIR" ? "/nowhere-else:\(nginx.directory.path)/certs" : nil },
        exists: { _ in false })
      let error = await bench.failure(nginx.url("/a"), expecting: digest, settings: settings)
      #expect(
        "\(error, default: "")".contains("/nowhere-else"), "a folder that is not there is told")
      settings.trust = TrustStore(
        environment: { $0 == "SSL_CERT_DIR" ? "\(nginx.directory.path)/certs" : nil },
        exists: { _ in false })
      try await bench.download(nginx.url("/a"), expecting: digest, settings: settings)
    }
  }

  @Test("a certificate nobody vouches for is refused at once, with the way out")
  func unknownAuthority() async throws {
    let bench = try Bench(), (_, digest) = try sample()
    try await Nginx.run { nginx in
      let other = try Bench()
      try await Nginx.run { stranger in
        let settings = settings(other, trusting: stranger.authority)
        let error = await bench.failure(nginx.url("/a"), expecting: digest, settings: settings)
        #expect((error as? FetchError)?.kind == .unavailable)
        #expect("\(error, default: "")".contains("SSL_CERT_FILE"))
        #expect(bench.waits.withLock { $0 } == [])
      }
    }
  }

  @Test("a certificate for another name is refused at once")
  func wrongName() async throws {
    let bench = try Bench(), (_, digest) = try sample()
    try await Nginx.run { nginx in
      let settings = settings(bench, trusting: nginx.authority)
      let error = await bench.failure(
        "https://127.0.0.1:\(nginx.securePort)/a", expecting: digest, settings: settings)
      let text = "\(error, default: "")"
      #expect(text.contains("the server's certificate is not for \"127.0.0.1\""), "\(text)")
      #expect(!text.contains("SSL_CERT_FILE") && !text.contains("NIOSSL"))
      #expect(bench.waits.withLock { $0 } == [])
    }
  }

  @Test("without any authority the error says where it looked and what to set")
  func noAuthority() async throws {
    let bench = try Bench(), (_, digest) = try sample()
    let error = await bench.failure("https://localhost:1/a", expecting: digest)
    #expect((error as? FetchError) == .noTrustStore([]))
    var settings = bench.settings
    let junk = try bench.directory.write("junk.pem", "no certificate")
    settings.trust = TrustStore(
      environment: { $0 == "SSL_CERT_FILE" ? junk.string : nil }, exists: { _ in true })
    let other = await bench.failure(
      "https://localhost:1/a", expecting: digest, settings: settings)
    let source = TrustStore.Source(path: junk, isDirectory: false, variable: "SSL_CERT_FILE")
    #expect((other as? FetchError) == .unusableTrust(source, .noCertificates))
  }

  @Test("a variable that names no certificates is named, and a named pipe is not waited for")
  func unusableVariables() async throws {
    let bench = try Bench(), (_, digest) = try sample()
    let folder = bench.directory.path, file = try bench.directory.write("file", "")
    let pipe = folder.appending("pipe")
    #expect(try run("mkfifo", [pipe.string]).status == 0)
    let cases: [(String, FilePath, TrustProblem)] = [
      ("SSL_CERT_FILE", folder.appending("nowhere"), .missing),
      ("SSL_CERT_FILE", folder, .otherKind(.directory)),
      ("SSL_CERT_FILE", pipe, .otherKind(.fifo)), ("SSL_CERT_DIR", pipe, .otherKind(.fifo)),
      ("SSL_CERT_DIR", folder.appending("nowhere"), .missing),
      ("SSL_CERT_DIR", file, .otherKind(.file)),
    ]
    for (variable, path, problem) in cases {
      var settings = bench.settings
      settings.trust = TrustStore(
        environment: { $0 == variable ? path.string : nil }, exists: { _ in true })
      let error = await bench.failure(
        "https://localhost:1/a", expecting: digest, settings: settings)
      let source = TrustStore.Source(
        path: path, isDirectory: variable == "SSL_CERT_DIR", variable: variable)
      #expect((error as? FetchError) == .unusableTrust(source, problem))
    }
  }

  @Test("a server that speaks no TLS is refused in a few words")
  func noTLS() async throws {
    let bench = try Bench(), (_, digest) = try sample()
    try await Nginx.run { nginx in
      var settings = settings(bench, trusting: nginx.authority)
      settings.retries.attemptLimit = 1
      let error = await bench.failure(
        "https://localhost:\(nginx.plainPort)/a", expecting: digest, settings: settings)
      let text = "\(error, default: "")"
      #expect(text.hasSuffix("TLS handshake: what answers does not speak TLS"), "\(text)")
    }
  }

  @Test("a partial file is continued by a real server's Range")
  func resumes() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    try await Nginx.run { nginx in
      try nginx.directory.write("www/a", bytes)
      let settings = settings(bench, trusting: nginx.authority)
      let path = nginx.directory.path.appending("www/a").string
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      let modified = try #require(attributes[.modificationDate] as? Date)
      // nginx: time and size, both in hexadecimal digits.
      let time = String(Int(modified.timeIntervalSince1970), radix: 16)
      let tag = "\"\(time)-\(String(bytes.count, radix: 16))\""
      try bench.leavePartial(bytes.prefix(99_999), of: digest, validator: "ETag\n\(tag)\n")
      try await bench.download(nginx.url("/a"), expecting: digest, settings: settings)
      #expect(nginx.accessLog.last?.contains("\" 206 200001 ") == true)
    }
    #expect(try bench.content(digest) == bytes)
  }

  @Test("a redirect from https to plain http is refused")
  func downgrade() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    let locations =
      "location /down { return 302 http://localhost/a; } location /ok { return 302 /a; }"
    try await Nginx.run(locations: locations) { nginx in
      try nginx.directory.write("www/a", bytes)
      let settings = settings(bench, trusting: nginx.authority)
      let error = await bench.failure(nginx.url("/down"), expecting: digest, settings: settings)
      #expect("\(error, default: "")".contains("plain http"))
      #expect((error as? FetchError)?.kind == .protocolBroken)
      try await bench.download(nginx.url("/ok"), expecting: digest, settings: settings)
    }
  }

  @Test("half a gigabyte passes in bounded memory")
  func memory() async throws {
    let bench = try Bench()
    try await Nginx.run { nginx in
      let file = nginx.directory.path.appending("www/big").string
      #expect(try run("truncate", ["-s", "512M", file]).status == 0)
      let hex = String(try run("sha256sum", [file]).output.prefix(64))
      let url = "http://127.0.0.1:\(nginx.plainPort)/big", cache = bench.store.root.string
      await #expect(processExitsWith: .success) {
        [url = url as String, hex = hex as String, cache = cache as String] in
        try await withDownloader(.system(isOffline: false)) { downloader in
          _ = try await downloader.download(
            url, expecting: Digest(.sha256, hex: hex), into: BlobStore(root: FilePath(cache)),
            reporter: .silent)
        }
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let peak = try #require(status.firstMatch(of: /VmHWM:\s+(\d+) kB/)?.1)
        #expect(try #require(Int(peak)) < 128 << 10)
      }
    }
  }
}
