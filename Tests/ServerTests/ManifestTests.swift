import Bindings
import Foundation
import NIOHTTP1
import OCILayout
import OCISpec
import Reporting
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Server

@Suite("manifests over the registry") struct ManifestTests {
  @Test("a manifest comes back with its bytes, type and digest, by tag and by digest")
  func roundTrip() async throws {
    let desk = try Desk()
    let manifest = try desk.manifest().json
    let descriptor = try await desk.push(manifest, as: "v1", in: "x/y")
    #expect(try desk.entries() == ["x/y:v1"])
    for reference in ["v1", "\(descriptor.digest)"] {
      for method in [HTTPMethod.GET, .HEAD] {
        let answer = try await desk.ask(method, "/v2/x/y/manifests/\(reference)")
        #expect(answer.status == 200)
        #expect(answer.body == CanonicalJSON.encode(manifest))
        #expect(answer["Content-Type"] == MediaType.imageManifest.rawValue)
        #expect(answer["Docker-Content-Digest"] == "\(descriptor.digest)")
      }
    }
    #expect(try await desk.ask(.GET, "/v2/x/y/manifests/v2").code == "MANIFEST_UNKNOWN")
    #expect(try await desk.ask(.GET, "/v2/x/manifests/v1").status == 404)
    try expectValid(desk)
  }

  @Test("a tag of the layout stands in every repository, behind the repository's own")
  func plainTags() async throws {
    let desk = try Desk()
    let plain = try await desk.push(desk.manifest("plain").json, as: "v1")
    try desk.layout.update { $0.manifests = [Descriptor(plain, named: "v1")] }
    let own = try await desk.push(desk.manifest("own").json, as: "v1", in: "b")
    #expect(try desk.entries() == ["v1", "b:v1"])
    let digest = { (name: String) async throws in
      try await desk.ask(.HEAD, "/v2/\(name)/manifests/v1")["Docker-Content-Digest"]
    }
    #expect(try await digest("a") == "\(plain.digest)")
    #expect(try await digest("b") == "\(own.digest)")
    #expect(try await desk.ask(.DELETE, "/v2/b/manifests/v1").status == 202)
    #expect(try await digest("b") == "\(plain.digest)")
    #expect(try await desk.ask(.DELETE, "/v2/b/manifests/v1").status == 202)
    #expect(try await digest("a") == nil)
  }

  @Test("what was pushed by digest only stays, until a tag leads to it or to what holds it")
  func byDigest() async throws {
    let desk = try Desk()
    let child = try await desk.push(desk.manifest("one").json)
    let lone = try await desk.push(desk.manifest("two").json)
    try await desk.push(desk.manifest("two").json)
    #expect(try desk.entries() == ["\(child.digest)", "\(lone.digest)"])
    #expect(try desk.layout.garbage().blobs == [])
    let index = ImageIndex(manifests: [child])
    let root = try await desk.push(index.json)
    #expect(try desk.entries() == ["\(lone.digest)", "\(root.digest)"])
    try await desk.push(index.json, as: "v1")
    try await desk.push(desk.manifest("two").json, as: "v2")
    #expect(try desk.entries() == ["a:v1", "a:v2"])
    #expect(try desk.layout.garbage().blobs == [])
    let answer = try await desk.ask(.GET, "/v2/a/manifests/\(child.digest)")
    #expect(answer.status == 200)
    #expect(answer["Content-Type"] == MediaType.imageManifest.rawValue)
    try expectValid(desk)
  }

  @Test("what lost its tag is given by its digest as long as the server runs, but not by a new one")
  func movedTag() async throws {
    let desk = try Desk()
    let child = try await desk.push(desk.manifest("one").json)
    let old = try await desk.push(ImageIndex(manifests: [child]).json, as: "v1")
    let new = try await desk.push(desk.manifest("two").json, as: "v1")
    #expect(try desk.entries() == ["a:v1"])
    for digest in [old.digest, new.digest, child.digest] {
      #expect(try await desk.ask(.HEAD, "/v2/a/manifests/\(digest)").status == 200)
    }
    let later = RegistryService(desk.layout)
    let request = ServerRequest(
      method: .GET, target: "/v2/a/manifests/\(old.digest)", headers: [:])
    #expect(try await later.respond(to: request).status == .notFound)
    #expect(try await desk.ask(.DELETE, "/v2/a/manifests/\(old.digest)").status == 202)
    #expect(try await desk.ask(.HEAD, "/v2/a/manifests/\(old.digest)").status == 404)
  }

  @Test("several tags come with one push by digest")
  func severalTags() async throws {
    let desk = try Desk()
    let manifest = try desk.manifest()
    let bytes = CanonicalJSON.encode(manifest.json)
    let target = "/v2/a/manifests/\(try Digest.sha256(of: bytes))"
    let pushed = try await desk.ask(.PUT, "\(target)?tag=1.2&tag=latest", [:], pieces: [bytes])
    #expect(pushed.status == 201)
    #expect(pushed.headers["OCI-Tag"] == ["1.2", "latest"])
    #expect(try desk.entries() == ["a:1.2", "a:latest"])
    let malformed = try await desk.ask(.PUT, "\(target)?tag=.x", [:], pieces: [bytes])
    #expect(malformed.status == 404)
  }

  @Test("a manifest is taken only when all that it refers to is here")
  func references() async throws {
    let desk = try Desk()
    var manifest = try desk.manifest()
    let missing = try ["m1", "m2"].map {
      Descriptor(mediaType: .layer, digest: try Digest(parsing: digest(of: $0)), size: 2)
    }
    var foreign = missing[0]
    foreign.unknown["urls"] = .array(["https://example.com/x"])
    manifest.layers.append(foreign)
    try await desk.push(manifest.json, as: "foreign")
    manifest.layers += missing
    let refused = try await desk.ask(
      .PUT, "/v2/a/manifests/v1", [:], pieces: [CanonicalJSON.encode(manifest.json)])
    #expect(refused.status == 404)
    let errors = try refused.json["errors"]?.arrayValue ?? []
    #expect(errors.map { $0["code"] } == ["MANIFEST_BLOB_UNKNOWN", "MANIFEST_BLOB_UNKNOWN"])
    #expect(errors.map { $0["detail"]?["digest"]?.stringValue } == missing.map { "\($0.digest)" })
    let index = try await desk.ask(
      .PUT, "/v2/a/manifests/v1", [:],
      pieces: [CanonicalJSON.encode(ImageIndex(manifests: missing).json)])
    #expect(index.code == "MANIFEST_BLOB_UNKNOWN")
    var lying = try desk.manifest()
    lying.layers[0].size += 1
    let size = try await desk.ask(
      .PUT, "/v2/a/manifests/v1", [:], pieces: [CanonicalJSON.encode(lying.json)])
    #expect(size.code == "MANIFEST_INVALID")
    #expect(try desk.entries() == ["a:foreign"])
  }

  @Test(
    "a manifest that could be taken for something else is refused",
    arguments: [
      ("{", MediaType.imageManifest.rawValue), ("", MediaType.imageManifest.rawValue),
      ("[]", MediaType.imageManifest.rawValue),
      (#"{"schemaVersion":2,"config":null,"layers":[]}"#, MediaType.imageManifest.rawValue),
      (#"{"schemaVersion":2,"manifests":[]}"#, nil),
      (#"{"schemaVersion":2,"manifests":[]}"#, "application/json"),
      (#"{"schemaVersion":1,"manifests":[]}"#, MediaType.imageIndex.rawValue),
      (#"{"manifests":[]}"#, MediaType.imageIndex.rawValue),
      (#"{"schemaVersion":2,"manifests":[],"layers":[]}"#, MediaType.imageIndex.rawValue),
      (#"{"schemaVersion":2,"manifests":[],"config":{}}"#, MediaType.imageIndex.rawValue),
      (#"{"schemaVersion":2,"manifests":[],"manifests":[]}"#, MediaType.imageIndex.rawValue),
      (
        #"{"schemaVersion":2,"mediaType":"\#(MediaType.imageIndex)","manifests":[]}"#,
        MediaType.dockerManifestList.rawValue
      ),
      (#"{"schemaVersion":2,"manifests":[{"digest":"../x"}]}"#, MediaType.imageIndex.rawValue),
    ])
  func malformed(_ body: String, _ type: String?) async throws {
    let desk = try Desk()
    let headers: HTTPHeaders = type.map { ["Content-Type": $0] } ?? [:]
    let refused = try await desk.ask(.PUT, "/v2/a/manifests/v1", headers, body)
    #expect(refused.status == 400)
    #expect(refused.code == "MANIFEST_INVALID")
    #expect(try desk.entries() == [])
  }

  @Test(
    "the type is what Content-Type says without its parameters, else what the manifest says",
    arguments: [
      (#"{"schemaVersion":2,"manifests":[]}"#, "\(MediaType.imageIndex); charset=utf-8"),
      (#"{"schemaVersion":2,"mediaType":"\#(MediaType.imageIndex)","manifests":[]}"#, nil),
    ] as [(String, String?)])
  func contentType(_ body: String, _ type: String?) async throws {
    let desk = try Desk()
    let headers: HTTPHeaders = type.map { ["Content-Type": $0] } ?? [:]
    #expect(try await desk.ask(.PUT, "/v2/a/manifests/v1", headers, body).status == 201)
    let answer = try await desk.ask(.GET, "/v2/a/manifests/v1")
    #expect(answer["Content-Type"] == MediaType.imageIndex.rawValue)
  }

  @Test("bytes under another digest are refused; so are more than 4 MiB, said or not")
  func refusedBodies() async throws {
    let desk = try Desk()
    let bytes = CanonicalJSON.encode(try desk.manifest().json)
    let other = try await desk.ask(
      .PUT, "/v2/a/manifests/\(digest(of: "else"))", [:], pieces: [bytes])
    #expect(other.code == "DIGEST_INVALID")
    let algorithm = "sha512:" + String(repeating: "a", count: 128)
    let sha512 = try await desk.ask(.PUT, "/v2/a/manifests/\(algorithm)", [:], pieces: [bytes])
    #expect(sha512.code == "DIGEST_INVALID")
    let said = try await desk.ask(
      .PUT, "/v2/a/manifests/v1", ["Content-Length": "\(4 << 20 + 1)"], pieces: [])
    #expect(said.status == 413)
    let blank = [UInt8](repeating: 0x20, count: 1 << 20)
    let found = try await desk.ask(
      .PUT, "/v2/a/manifests/v1", [:], pieces: Array(repeating: blank, count: 5))
    #expect(found.status == 413)
    let most = try await desk.ask(
      .PUT, "/v2/a/manifests/v1", [:],
      pieces: Array(repeating: blank, count: 3) + [blank.dropLast(bytes.count) + bytes])
    #expect(most.status == 201)
  }

  @Test("a type that the client does not take is not given")
  func accept() async throws {
    let desk = try Desk()
    try await desk.push(desk.manifest().json, as: "v1")
    let only = { (type: MediaType) -> HTTPHeaders in ["Accept": type.rawValue] }
    let target = "/v2/a/manifests/v1"
    #expect(try await desk.ask(.GET, target, only(.imageManifest)).status == 200)
    let refused = try await desk.ask(.GET, target, only(.dockerManifest))
    #expect(refused.status == 404)
    #expect(refused.code == "MANIFEST_UNKNOWN")
    #expect(refused.text.contains(MediaType.imageManifest.rawValue))
  }

  @Test("a deleted digest is gone with the tags of its repository; what an index holds stays")
  func delete() async throws {
    let desk = try Desk()
    let manifest = try desk.manifest().json
    let one = try await desk.push(manifest, as: "v1")
    try await desk.push(manifest, as: "v2")
    try await desk.push(manifest, as: "v1", in: "b")
    #expect(try await desk.ask(.DELETE, "/v2/a/manifests/\(one.digest)").status == 202)
    #expect(try desk.entries() == ["b:v1"])
    #expect(try await desk.ask(.DELETE, "/v2/b/manifests/\(one.digest)").status == 202)
    #expect(try await desk.ask(.GET, "/v2/a/manifests/\(one.digest)").status == 404)
    #expect(try await desk.ask(.DELETE, "/v2/a/manifests/\(one.digest)").status == 404)
    #expect(try await desk.ask(.DELETE, "/v2/a/manifests/v1").status == 404)
    try await desk.push(manifest)
    try await desk.push(ImageIndex(manifests: [one]).json, as: "index")
    #expect(try await desk.ask(.DELETE, "/v2/a/manifests/\(one.digest)").status == 405)
    #expect(try await desk.ask(.GET, "/v2/a/manifests/\(one.digest)").status == 200)
  }

  @Test("tags are listed in order, a repository's own and the layout's; repositories too")
  func lists() async throws {
    let desk = try Desk()
    #expect(try await desk.ask(.GET, "/v2/a/tags/list").code == "NAME_UNKNOWN")
    let manifest = try desk.manifest().json
    let descriptor = try await desk.push(manifest, as: "b", in: "x/y")
    for tag in ["a", "C"] { try await desk.push(manifest, as: tag, in: "x/y") }
    try await desk.push(manifest, as: "other", in: "x")
    try desk.layout.update {
      $0.manifests += ["a", "plain", "not a tag", "docker.io/library/alpine:3"].map {
        Descriptor(descriptor, named: $0)
      }
    }
    let all = try await desk.ask(.GET, "/v2/x/y/tags/list")
    #expect(all.text == #"{"name":"x/y","tags":["C","a","b","plain"]}"#)
    let page = try await desk.ask(.GET, "/v2/x/y/tags/list?n=2&last=C")
    #expect(page.text == #"{"name":"x/y","tags":["a","b"]}"#)
    #expect(page["Link"] == #"</v2/x/y/tags/list?n=2&last=b>; rel="next""#)
    let catalogue = try await desk.ask(.GET, "/v2/_catalog")
    #expect(catalogue.text == #"{"repositories":["docker.io/library/alpine","x","x/y"]}"#)
    let next = try await desk.ask(.GET, "/v2/_catalog?n=1&last=docker.io/library/alpine")
    #expect(next["Link"] == #"</v2/_catalog?n=1&last=x>; rel="next""#)
    let full = "/v2/docker.io/library/alpine/manifests/3"
    #expect(try await desk.ask(.HEAD, full).status == 200)
  }

  @Test("a layout that cannot be read is an answer and a warning, not a dead connection")
  func broken() async throws {
    let warnings = Mutex<[String]>([])
    let desk = try Desk(
      reporter: Reporter { event in
        if case .warning(let text) = event { warnings.withLock { $0.append(text) } }
      })
    let descriptor = try await desk.push(desk.manifest().json, as: "v1")
    let path = desk.layout.store.path(of: descriptor.digest).string
    try Data("{}".utf8).write(to: URL(fileURLWithPath: path))
    let answer = try await desk.ask(.GET, "/v2/a/manifests/v1")
    #expect(answer.status == 500)
    #expect(answer.text.contains("digest mismatch"))
    #expect(warnings.withLock { $0.count } == 1)
  }

  @Test("a layout that is served read-only takes nothing")
  func readOnly() async throws {
    let desk = try Desk(access: .readOnly)
    let descriptor = try desk.store("x")
    #expect(try await desk.ask(.GET, "/v2/a/blobs/\(descriptor.digest)").status == 200)
    for (method, target) in [
      (HTTPMethod.POST, "blobs/uploads/"), (.PUT, "manifests/v1"), (.DELETE, "manifests/v1"),
    ] {
      let refused = try await desk.ask(method, "/v2/a/\(target)")
      #expect(refused.status == 405)
      #expect(refused.code == "UNSUPPORTED")
    }
    #expect(desk.temporaryFiles() == [])
  }

  @Test("a web page changes nothing here")
  func browser() async throws {
    let desk = try Desk()
    let origin: HTTPHeaders = ["Origin": "https://example.com"]
    let refused = try await desk.ask(.POST, "/v2/a/blobs/uploads/", origin)
    #expect(refused.status == 403)
    #expect(refused.code == "DENIED")
    #expect(try await desk.ask(.GET, "/v2/", origin).status == 200)
  }

  private func expectValid(_ desk: Desk) throws {
    #expect(try ImageValidator.validateLayoutFiles(root: desk.layout.path) == [])
  }
}
