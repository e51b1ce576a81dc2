package import Bindings
package import OCISpec
import Reporting
import SystemPackage

/// What `docker load` and `podman load` read: an image layout in one tar, as `docker save` writes it since
/// Docker 25, with a `manifest.json` for everything that reads no layouts.
///
/// The image keeps its digests: Docker's containerd store takes the layout, its older store and podman take
/// `manifest.json`, and all of them unpack compressed layers.
package enum DockerArchive {
  /// Writes one platform's image.
  ///
  /// - Parameters:
  ///   - names: such as `otel-collector:latest`; the loaded image gets all of them.
  ///   - epoch: every time in the archive, in seconds since 1970.
  ///   - sink: takes the tar in order; after a throw, what it got must not be used.
  /// - Throws: ``LayoutError/noSingleManifest`` for an index.
  package static func write(
    _ manifest: Descriptor, names: [String], from layout: ImageLayout, epoch: Int64,
    to sink: @escaping ArchiveWriter.Sink
  ) throws {
    guard manifest.mediaType.isManifest else {
      throw LayoutError.noSingleManifest(manifest.digest, manifest.mediaType)
    }
    let body = try layout.manifest(manifest).body
    for layer in body.layers where try layout.store.size(of: layer.digest) == nil {
      throw LayoutError.missingBlob(layer.digest, layout: layout.path.string)
    }
    let dockerManifest = JSON.array([
      .object([
        "Config": .string(blobPath(body.config)),
        "RepoTags": .array(names.map(JSON.string)),
        "Layers": .array(body.layers.map { .string(blobPath($0)) }),
      ])
    ])
    let content = OCIArchive.TarContent(
      index: ImageIndex(manifests: entries(for: manifest, names: names)),
      extraFiles: [("manifest.json", CanonicalJSON.encode(dockerManifest))])
    try content.write(manifest, from: layout, epoch: epoch, to: sink)
  }

  private static func blobPath(_ blob: Descriptor) -> String { "blobs/sha256/\(blob.digest.hex)" }

  /// One descriptor per name; containerd names the image by the first annotation, others by the second.
  private static func entries(for manifest: Descriptor, names: [String]) -> [Descriptor] {
    guard !names.isEmpty else { return [manifest] }
    return names.map { name in
      let (repository, tag) = normalized(name)
      var entry = manifest
      entry.annotations[AnnotationKey.containerdImageName] = "\(repository):\(tag)"
      entry.annotations[AnnotationKey.refName] = tag
      return entry
    }
  }

  /// Docker's reading of a short name: `app` is `docker.io/library/app:latest`.
  static func normalized(_ name: String) -> (repository: String, tag: String) {
    var repository = name[...], tag = "latest"
    if let colon = name.lastIndex(of: ":"), !name[colon...].contains("/") {
      repository = name[..<colon]
      tag = String(name[name.index(after: colon)...])
    }
    let parts = repository.split(separator: "/", maxSplits: 1)
    if parts.count == 2, parts[0].contains(".") || parts[0].contains(":") || parts[0] == "localhost"
    {
      return (String(repository), tag)
    }
    return ("docker.io/\(parts.count == 1 ? "library/" : "")\(repository)", tag)
  }
}
