import Foundation
import SystemPackage
import TestSupport
import Testing

/// The motivating case's second half: one team's base image in a registry, another team's file on top of it
/// (`layouts/otel-app` as it is), pushed, pulled and run.
@Suite(
  .serialized, .enabled(if: isRoot, "podman runs images as root here"),
  .enabled(if: registryPeers("nginx", "gcc", "podman", "runc")))
struct CollectorApplicationTests {
  private let release: CollectorRelease
  private var room: Room { release.room }

  init() throws { release = try CollectorRelease() }

  // What the stand-in for the collector says of how it was started.
  private static let answer = """
    argument --config
    argument config.yaml
    user 10001:10001
    directory /etc/otel/bin

    """

  private static let layouts = repository.appending("layouts")

  @Test(
    "the application's image stands on the collector's in a registry, and runs with its configuration"
  )
  func registry() async throws {
    let base = try release.assemble("-o", "layout")
    try await DockerRegistry.run(.password) { registry in
      let collector = registry.reference("core/org-opentelemetry:latest")
      #expect(try room.forge(at: registry, "push", "oci:layout", collector) == base)
      let image = registry.reference("team/otel-app:v1")
      let digest = try room.forge(
        at: registry, "assemble", Self.layouts.appending("otel-app").string, "--set",
        "base=\(collector)", "-o", "app", "--push", image)
      #expect(registry.digest(of: "v1", in: "team/otel-app") == digest)
      try room.podmanPull(image, from: registry)
      let printed = try room.podman(podmanRun + [image])
      #expect(printed.hasPrefix(Self.answer), "\(printed)")
      #expect(
        try room.podman([
          "image", "inspect", "--format",
          "{{range $port, $_ := .Config.ExposedPorts}}{{$port}} {{end}}",
          image,
        ]) == "4317/tcp 4318/tcp \n")
      #expect(
        try room.forge(["cat", "oci:app", "/etc/otel/bin/config.yaml"]).output
          == String(
            contentsOfFile: Self.layouts.pushing("otel-app/config.yaml").string, encoding: .utf8))
    }
    try room.expectValid("app")
  }

  @Test("a base may be the folder of its definition, and the image runs")
  func folder() throws {
    try room.peer("cp", "-r", Self.layouts.appending("otel-app").string, "otel-app")
    // Beside the copy that has this server's digests; the base's own parameters lead to this server.
    try release.edit(
      "https://github.com/open-telemetry/opentelemetry-collector-releases/releases/download",
      release.url(""))
    try release.edit("https://curl.se/ca/cacert-2025-07-15.pem", release.url("/cacert.pem"))
    let finished = try room.forge(
      ["assemble", "otel-app", "--set", "base=../definition", "-o", "app"],
      environment: ["SSL_CERT_FILE": release.authority])
    try #require(finished.status == 0, "\(finished.stderr)")
    let listing = try room.forge(["ls", "oci:app", "/etc/otel/bin"]).output
    #expect(listing.contains("config.yaml") && listing.contains("otel-collector"), "\(listing)")
    let printed = try room.podman(podmanRun + ["oci:app:latest"])
    #expect(printed.hasPrefix(Self.answer), "\(printed)")
    try room.expectValid("app")
  }
}
