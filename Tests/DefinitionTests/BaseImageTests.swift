import Definition
import OCISpec
import SystemPackage
import Testing

@Suite("BaseImage")
struct BaseImageTests {
  private let digest = "sha256:" + String(repeating: "a", count: 64)

  private func bases(
    _ from: String, file: String = "apps/web/image.yaml", overrides: [String: String] = [:]
  ) throws -> [BaseImage] {
    let text = """
      formatVersion: 1
      name: x
      parameters: { tag: "1.2" }
      platforms: [linux/amd64, linux/arm64]
      from: "\(from)"
      """
    return try ImageDefinition.parse(
      Array(text.utf8), file: .init(file), overrides: overrides
    ).images.map(\.base)
  }

  private func source(_ from: String, file: String = "apps/web/image.yaml") throws
    -> BaseImage.Source?
  {
    guard case .image(let source, let location) = try bases(from, file: file)[0] else { return nil }
    #expect(location.description == "\(file):5:7")
    return source
  }

  @Test("scratch is nothing")
  func scratch() throws {
    #expect(try bases("scratch") == [.scratch, .scratch])
  }

  @Test("a name is an image in a registry", arguments: ["debian", "debian:latest"])
  func registry(text: String) throws {
    let repository = Repository(registry: .dockerHub, path: "library/debian")
    #expect(
      try source(text) == .registry(Reference(repository: repository, tag: "latest"), written: text)
    )
  }

  @Test("a tag and a digest are both kept")
  func digestAndTag() throws {
    let repository = Repository(registry: Registry(host: "r.example", port: 5000), path: "a/b")
    let reference = Reference(
      repository: repository, tag: "1", digest: try Digest(parsing: digest))
    let text = "r.example:5000/a/b:1@\(digest)"
    #expect(try source(text) == .registry(reference, written: text))
  }

  @Test("paths start from the definition's folder")
  func paths() throws {
    #expect(try source("oci:../out") == .local("oci:apps/web/../out"))
    #expect(try source("oci:out:v1@\(digest)") == .local("oci:apps/web/out:v1@\(digest)"))
    #expect(try source("oci:/srv/out:v1") == .local("oci:/srv/out:v1"))
    #expect(try source("oci-archive:a.tar") == .local("oci-archive:apps/web/a.tar"))
    #expect(
      try source("docker-archive:a.tar:app:1") == .local("docker-archive:apps/web/a.tar:app:1"))
    #expect(try source("oci:out", file: "image.yaml") == .local("oci:./out"))
  }

  @Test("what begins as a path does is another definition")
  func definitions() throws {
    #expect(try source("./base") == .definition("apps/web/./base"))
    #expect(try source("../base/") == .definition("apps/web/../base"))
    #expect(try source("/srv/base") == .definition("/srv/base"))
  }

  @Test("parameters expand, and each platform may have a base of its own")
  func parameters() throws {
    let bases = try bases("r.example/${arch}:${tag}", overrides: ["tag": "2"])
    let references = bases.map { base in
      if case .image(.registry(let reference, _), _) = base { "\(reference)" } else { "" }
    }
    #expect(references == ["r.example/amd64:2", "r.example/arm64:2"])
  }
}
