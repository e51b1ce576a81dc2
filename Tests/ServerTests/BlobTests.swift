import Foundation
import NIOCore
import NIOHTTP1
import OCILayout
import OCISpec
import Synchronization
import SystemPackage
import Testing

@testable import Server

@Suite("blobs over the registry") struct BlobTests {
  private static let text = "0123456789"

  @Test("a blob is given with its digest and length, to HEAD too, in every repository")
  func pull() async throws {
    let desk = try Desk()
    let blob = try desk.store(Self.text)
    for method in [HTTPMethod.GET, .HEAD] {
      let answer = try await desk.ask(method, "/v2/any/name/blobs/\(blob.digest)")
      #expect(answer.status == 200)
      #expect(answer.text == Self.text)
      #expect(answer["Docker-Content-Digest"] == "\(blob.digest)")
      #expect(answer["Content-Type"] == "application/octet-stream")
    }
    let other = try await desk.ask(.GET, "/v2/a/blobs/\(digest(of: "other"))")
    #expect(other.status == 404)
    #expect(other.code == "BLOB_UNKNOWN")
  }

  @Test("a part of a blob is given, unless the client has a part of something else")
  func ranges() async throws {
    let desk = try Desk()
    let blob = try desk.store(Self.text)
    let target = "/v2/a/blobs/\(blob.digest)"
    let part = try await desk.ask(.GET, target, ["Range": "bytes=4-"])
    #expect(part.status == 206)
    #expect(part.text == "456789")
    #expect(part["Content-Range"] == "bytes 4-9/10")
    let tag = try #require(part["ETag"])
    let same = try await desk.ask(.GET, target, ["Range": "bytes=4-4", "If-Range": tag])
    #expect(same.text == "4")
    let changed = try await desk.ask(.GET, target, ["Range": "bytes=4-", "If-Range": "\"x\""])
    #expect(changed.status == 200)
    let beyond = try await desk.ask(.GET, target, ["Range": "bytes=10-"])
    #expect(beyond.status == 416)
    #expect(beyond["Content-Range"] == "bytes */10")
    #expect(try await desk.ask(.HEAD, target, ["Range": "bytes=4-"]).status == 200)
  }

  @Test("a file that became shorter ends in a reset, not in an answer")
  func shrinking() async throws {
    let desk = try Desk()
    let blob = try desk.store(Self.text)
    let response = try await desk.service.respond(
      to: ServerRequest(method: .GET, target: "/v2/a/blobs/\(blob.digest)", headers: [:]))
    let path = desk.layout.store.path(of: blob.digest).string
    try FileHandle(forWritingTo: URL(fileURLWithPath: path)).truncate(atOffset: 4)
    var sent = ""
    await #expect(throws: ConnectionReset.self) {
      try await response.body.write { sent += String(buffer: $0) }
    }
    #expect(sent == "0123")
  }

  @Test("a blob comes in one PUT")
  func monolithic() async throws {
    let desk = try Desk()
    let location = try await desk.begin()
    let done = try await desk.ask(
      .PUT, "\(location)?digest=\(digest(of: Self.text))",
      octets.with("Content-Length", "10"), pieces: [Array("01234".utf8), Array("56789".utf8)])
    #expect(done.status == 201)
    #expect(done["Location"] == "/v2/a/blobs/\(try digest(of: Self.text))")
    #expect(done["Docker-Content-Digest"] == (try digest(of: Self.text)))
    #expect(try await desk.ask(.GET, done["Location"] ?? "").text == Self.text)
    #expect(try await desk.ask(.GET, location).code == "BLOB_UPLOAD_UNKNOWN")
    #expect(desk.temporaryFiles() == [])
  }

  @Test("a blob comes in one POST")
  func single() async throws {
    let desk = try Desk()
    let target = "/v2/a/blobs/uploads/?digest=\(try digest(of: Self.text))"
    let done = try await desk.ask(.POST, target, octets, Self.text)
    #expect(done.status == 201)
    #expect(try await desk.ask(.GET, done["Location"] ?? "").text == Self.text)
    #expect(try await desk.ask(.POST, target, octets, "else").code == "DIGEST_INVALID")
    #expect(desk.temporaryFiles() == [])
  }

  @Test("a blob comes in chunks, the last one with the PUT", arguments: [true, false])
  func chunks(isRanged: Bool) async throws {
    let desk = try Desk()
    let location = try await desk.begin()
    #expect(
      location.wholeMatch(of: /\/v2\/a\/blobs\/uploads\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/)
        != nil)
    let range = { (text: String) -> HTTPHeaders in
      isRanged ? octets.with("Content-Range", text) : octets
    }
    let first = try await desk.ask(.PATCH, location, range("0-3"), "0123")
    #expect(first.status == 202)
    #expect(first["Location"] == location)
    #expect(first["Range"] == "0-3")
    #expect(try await desk.ask(.PATCH, location, range("4-7"), "4567")["Range"] == "0-7")
    let status = try await desk.ask(.GET, location)
    #expect(status.status == 204)
    #expect(status["Range"] == "0-7")
    #expect(status["Location"] == location)
    let done = try await desk.ask(
      .PUT, "\(location)?digest=\(digest(of: Self.text))", range("8-9"), "89")
    #expect(done.status == 201)
    #expect(try await desk.ask(.GET, done["Location"] ?? "").text == Self.text)
  }

  @Test("a chunk that is out of order is refused with where the upload stands, and changes nothing")
  func order() async throws {
    let desk = try Desk()
    let location = try await desk.begin()
    _ = try await desk.ask(.PATCH, location, octets.with("Content-Range", "0-3"), "0123")
    for (method, query) in [(HTTPMethod.PATCH, ""), (.PUT, "?digest=\(try digest(of: Self.text))")]
    {
      for range in ["0-3", "5-8"] {
        let refused = try await desk.ask(
          method, location + query, octets.with("Content-Range", range), "4567")
        #expect(refused.status == 416)
        #expect(refused["Location"] == location)
        #expect(refused["Range"] == "0-3")
      }
    }
    let malformed = try await desk.ask(
      .PATCH, location, octets.with("Content-Range", "bytes 4-7/10"), "4567")
    #expect(malformed.status == 400)
    let lying = try await desk.ask(
      .PATCH, location, octets.with("Content-Range", "4-7").with("Content-Length", "3"), "456")
    #expect(lying.code == "SIZE_INVALID")
    #expect(try await desk.ask(.GET, location)["Range"] == "0-3")
    let done = try await desk.ask(
      .PUT, "\(location)?digest=\(digest(of: Self.text))", octets, "456789")
    #expect(done.status == 201)
  }

  @Test(
    "a chunk that is longer or shorter than its range ends the upload", arguments: ["45", "456789"])
  func lyingRange(_ body: String) async throws {
    let desk = try Desk()
    let location = try await desk.begin()
    let refused = try await desk.ask(.PATCH, location, octets.with("Content-Range", "0-3"), body)
    #expect(refused.code == "SIZE_INVALID")
    #expect(try await desk.ask(.GET, location).status == 404)
    #expect(desk.temporaryFiles() == [])
  }

  @Test("after a cut request an upload goes on from what has come")
  func resume() async throws {
    struct Cut: Error {}
    let desk = try Desk()
    let location = try await desk.begin()
    await #expect(throws: Cut.self) {
      _ = try await desk.ask(
        .PATCH, location, octets.with("Content-Range", "0-9"), pieces: [Array("0123".utf8)],
        then: Cut())
    }
    #expect(try await desk.ask(.GET, location)["Range"] == "0-3")
    let rest = octets.with("Content-Range", "4-9")
    #expect(try await desk.ask(.PATCH, location, rest, "456789").status == 202)
    let done = try await desk.ask(.PUT, "\(location)?digest=\(digest(of: Self.text))")
    #expect(done.status == 201)
  }

  @Test("bytes that are not what the digest says are refused and gone")
  func mismatch() async throws {
    let desk = try Desk()
    let location = try await desk.begin()
    let refused = try await desk.ask(
      .PUT, "\(location)?digest=\(digest(of: "else"))", octets, Self.text)
    #expect(refused.status == 400)
    #expect(refused.code == "DIGEST_INVALID")
    #expect(refused.text.contains("after 10 bytes"))
    #expect(try await desk.ask(.GET, location).status == 404)
    #expect(desk.temporaryFiles() == [])
    for text in ["else", Self.text] {
      #expect(try await desk.ask(.HEAD, "/v2/a/blobs/\(digest(of: text))").status == 404)
    }
  }

  @Test(
    "an upload is refused that cannot end well",
    arguments: [
      ("?digest=", 400, "DIGEST_INVALID"), ("", 400, "DIGEST_INVALID"),
      ("?digest=sha512:" + String(repeating: "a", count: 128), 400, "DIGEST_INVALID"),
      ("?digest=md5:" + String(repeating: "a", count: 32), 400, "DIGEST_INVALID"),
    ])
  func digests(_ query: String, _ status: Int, _ code: String) async throws {
    let desk = try Desk()
    let location = try await desk.begin()
    let refused = try await desk.ask(.PUT, location + query, octets, Self.text)
    #expect(refused.status == status)
    #expect(refused.code == code)
    #expect(try await desk.ask(.GET, location).status == 204)
  }

  @Test("an upload's bytes are octets, as far as somebody says what they are")
  func contentType() async throws {
    let desk = try Desk()
    let location = try await desk.begin()
    let type: HTTPHeaders = ["Content-Type": "application/json"]
    #expect(try await desk.ask(.PATCH, location, type, "x").status == 415)
    #expect(try await desk.ask(.PATCH, location, [:], "x").status == 202)
    #expect(try await desk.ask(.PATCH, location, octets, "x").status == 202)
  }

  @Test("an upload belongs to its repository and can be given up")
  func sessions() async throws {
    let desk = try Desk()
    let location = try await desk.begin(in: "a/b")
    #expect(desk.temporaryFiles().count == 1)
    let foreign = location.replacing("/a/b/", with: "/c/")
    #expect(try await desk.ask(.PATCH, foreign, octets, "x").code == "BLOB_UPLOAD_UNKNOWN")
    #expect(try await desk.ask(.DELETE, foreign).status == 404)
    #expect(try await desk.ask(.DELETE, location).status == 204)
    #expect(try await desk.ask(.PATCH, location, octets, "x").status == 404)
    #expect(desk.temporaryFiles() == [])
    _ = try await desk.begin()
    desk.service.stop()
    #expect(desk.temporaryFiles() == [])
  }

  @Test("two requests do not write to one upload at a time")
  func busy() async throws {
    let desk = try Desk()
    let location = try await desk.begin()
    let digest = try digest(of: "ab")
    var inner: Answer?
    let request = ServerRequest(
      method: .PATCH, target: location, headers: octets,
      body: RequestBody {
        if inner == nil { inner = try await desk.ask(.PUT, "\(location)?digest=\(digest)") }
        return nil
      })
    #expect(try await desk.service.respond(to: request).status == .accepted)
    #expect(inner?.status == 409)
  }

  @Test("uploads are limited in number and age; who waited longest goes first")
  func limits() async throws {
    let elapsed = Mutex(Duration.zero), start = ContinuousClock.now
    let time: @Sendable () -> ContinuousClock.Instant = { start + elapsed.withLock { $0 } }
    let desk = try Desk(clock: time)
    let pass = { (duration: Duration) in elapsed.withLock { $0 += duration } }
    var locations: [String] = []
    for _ in 0..<UploadSessions.maximumCount {
      locations.append(try await desk.begin())
      pass(.seconds(1))
    }
    _ = try await desk.ask(.PATCH, locations[0], octets, "x")
    let last = try await desk.begin()
    #expect(desk.temporaryFiles().count == UploadSessions.maximumCount)
    #expect(try await desk.ask(.GET, locations[0]).status == 204)
    #expect(try await desk.ask(.GET, locations[1]).status == 404)
    pass(UploadSessions.maximumAge)
    _ = try await desk.ask(.PATCH, last, octets, "x")
    pass(.seconds(1))
    _ = try await desk.begin()
    #expect(try await desk.ask(.GET, locations[0]).status == 404)
    #expect(try await desk.ask(.GET, last).status == 204)
    #expect(desk.temporaryFiles().count == 2)
  }

  @Test(
    "a blob that is here is mounted, whatever repository it came from; another begins an upload")
  func mount() async throws {
    let desk = try Desk()
    let blob = try desk.store(Self.text)
    for query in ["mount=\(blob.digest)&from=b", "mount=\(blob.digest)"] {
      let mounted = try await desk.ask(.POST, "/v2/a/blobs/uploads/?\(query)")
      #expect(mounted.status == 201)
      #expect(mounted["Location"] == "/v2/a/blobs/\(blob.digest)")
      #expect(mounted["Docker-Content-Digest"] == "\(blob.digest)")
    }
    let other = try await desk.ask(
      .POST, "/v2/a/blobs/uploads/?mount=\(digest(of: "other"))&from=b")
    #expect(other.status == 202)
    let location = try #require(other["Location"])
    #expect(try await desk.ask(.PATCH, location, octets, "x").status == 202)
    #expect(try await desk.ask(.POST, "/v2/a/blobs/uploads/?mount=x&from=b").status == 400)
  }

  @Test("an algorithm that layouts of ociforge do not have is refused before anything is sent")
  func algorithm() async throws {
    let desk = try Desk()
    let place = "/v2/a/blobs/uploads/?digest-algorithm="
    #expect(try await desk.ask(.POST, place + "sha256").status == 202)
    #expect(try await desk.ask(.POST, place + "sha512").code == "DIGEST_INVALID")
    #expect(try await desk.ask(.POST, place + "md5").code == "DIGEST_INVALID")
  }
}

extension HTTPHeaders {
  func with(_ name: String, _ value: String) -> HTTPHeaders {
    var headers = self
    headers.replaceOrAdd(name: name, value: value)
    return headers
  }
}
