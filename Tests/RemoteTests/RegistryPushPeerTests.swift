import Bindings
import Credentials
import Foundation
import OCISpec
import Remote
import Reporting
import SystemPackage
import TestSupport
import Testing

/// Debian's docker-registry on plain http.
@Suite(.serialized, .enabled(if: peers("docker-registry", "skopeo", "openssl")))
struct RegistryPushPeerTests {
  private func with<Result>(
    _ registry: DockerRegistry, _ path: String, _ bench: RegistryBench,
    _ body: (RepositoryClient) async throws -> Result
  ) async throws -> Result {
    let repository = try Repository(parsing: "\(registry.host)/\(path)")
    var settings = bench.settings()
    settings.plainHTTP = [registry.host]
    return try await withRegistries(
      settings, credentials: CredentialProvider { _, _ in nil }, reporter: bench.bench.reporter
    ) { try await body($0.repository(repository)) }
  }

  /// An image of one layer, pushed as far as its config.
  private func image(
    layer: Descriptor, in bench: RegistryBench, to client: RepositoryClient
  ) async throws -> SampleManifest {
    let text = """
      {"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["\(layer.digest)"]}}
      """
    let bytes = Array(text.utf8)
    let config = Descriptor(
      mediaType: .imageConfig, digest: try Digest.sha256(of: bytes), size: Int64(bytes.count))
    let file = try bench.bench.directory.write("config", bytes)
    let outcome = try await client.push(config, from: file, mountingFrom: [], item: "config")
    #expect(outcome == .uploaded)
    let manifest = Manifest(config: config, layers: [layer])
    return try SampleManifest(
      String(decoding: CanonicalJSON.encode(manifest.json), as: UTF8.self))
  }

  @Test("64 MiB go in one PUT, are mounted elsewhere, tagged, pulled by skopeo and deleted")
  func whole() async throws {
    let bench = try RegistryBench(), blob = try SampleBlob(64 << 20)
    let file = try bench.bench.directory.write("blob", blob.bytes)
    var layer = blob.descriptor
    layer.mediaType = .layer
    try await DockerRegistry.run(secure: false) { registry in
      let manifest = try await with(registry, "team/app", bench) { client in
        let outcome = try await client.push(layer, from: file, mountingFrom: [], item: "layer")
        #expect(outcome == .uploaded)
        let manifest = try await image(layer: layer, in: bench, to: client)
        for tag in ["v1", "latest"] {
          try await client.putManifest(manifest.bytes, manifest.descriptor, tag: tag)
        }
        #expect(try await client.tags() == ["latest", "v1"])
        #expect(try await client.referrers(of: manifest.digest).isEmpty)
        return manifest
      }
      let methods = try registry.exchanges.map(\.method)
      #expect(!methods.contains("PATCH"))
      try await with(registry, "team/copy", bench) { client in
        let outcome = try await client.push(
          layer, from: file, mountingFrom: ["team/app"], item: "layer")
        #expect(outcome == .mounted)
      }
      let copied = try run(
        "skopeo",
        [
          "copy", "--src-tls-verify=false", "docker://\(registry.host)/team/app:v1",
          "dir:\(bench.bench.directory.path)/pulled",
        ])
      #expect(copied.status == 0, "\(copied.stderr)")
      let pulled = bench.bench.directory.path.appending("pulled/\(layer.digest.hex)").string
      #expect(try Data(contentsOf: URL(fileURLWithPath: pulled)) == Data(blob.bytes))
      try await with(registry, "team/app", bench) { client in
        try await client.deleteManifest(manifest.digest)
        #expect(try await client.resolve(.tag("v1")) == nil)
        let missing = await bench.failure { try await client.deleteManifest(manifest.digest) }
        #expect(missing?.kind == .notFound)
      }
    }
  }

  @Test("behind a proxy that takes no more than 16 MiB, 64 MiB go in chunks")
  func chunked() async throws {
    let bench = try RegistryBench(), blob = try SampleBlob(64 << 20)
    let file = try bench.bench.directory.write("blob", blob.bytes)
    try await DockerRegistry.run(secure: false) { registry in
      let location = """
        location /v2/ {
          client_max_body_size 16m; proxy_set_header Host $http_host;
          proxy_pass http://\(registry.host); proxy_request_buffering off; proxy_http_version 1.1;
        }
        """
      try await Nginx.run(locations: location) { nginx in
        let host = "127.0.0.1:\(nginx.plainPort)"
        var settings = bench.settings()
        settings.plainHTTP = [host]
        let repository = try Repository(parsing: "\(host)/team/app")
        try await withRegistries(
          settings, credentials: CredentialProvider { _, _ in nil },
          reporter: bench.bench.reporter
        ) { registries in
          let client = registries.repository(repository)
          try await client.upload(blob.descriptor, from: file, item: "layer")
          #expect(try await client.hasBlob(blob.descriptor))
        }
      }
      let patches = try registry.exchanges.filter { $0.method == "PATCH" }
      #expect(patches.count == 4)
      #expect(patches.allSatisfy { $0.status == 202 })
    }
  }
}
