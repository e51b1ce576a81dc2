package import Bindings
package import OCISpec
import Reporting

/// An image layout in one tar, the transport `oci-archive:` of other tools.
///
/// Its bytes follow from the image, the tag and the epoch alone: `oci-layout`, `index.json`, `blobs/`, then
/// the blobs by digest; modes 0644 and 0755, owner 0:0 (reproducibility.md §2).
package enum OCIArchive {
  /// Writes everything that `root` leads to.
  ///
  /// Blobs are hashed on the way: a throw means that what the sink got must not be used.
  /// - Parameters:
  ///   - tag: the name in the archive's `index.json`.
  ///   - epoch: every time in the archive, in seconds since 1970.
  ///   - sink: takes the tar in order.
  package static func write(
    _ root: Descriptor, tag: String?, from layout: ImageLayout, epoch: Int64,
    to sink: @escaping ArchiveWriter.Sink
  ) throws {
    var named = root
    named.annotations[AnnotationKey.refName] = tag
    let content = TarContent(index: ImageIndex(manifests: [named]), extraFiles: [])
    try content.write(root, from: layout, epoch: epoch, to: sink)
  }

  /// The files of a layout as a tar.
  struct TarContent {
    let index: ImageIndex
    /// Files beside `index.json`.
    let extraFiles: [(name: String, bytes: [UInt8])]

    func write(
      _ root: Descriptor, from layout: ImageLayout, epoch: Int64,
      to sink: @escaping ArchiveWriter.Sink
    ) throws {
      let blobs = try BlobGraph(layout: layout).complete(from: root)
      let tar = LayoutTar(stream: try TarStream(sink: sink), epoch: epoch)
      try tar.file("oci-layout", ImageLayout.marker)
      try tar.file("index.json", CanonicalJSON.encode(index.json))
      for (name, bytes) in extraFiles { try tar.file(name, bytes) }
      try tar.directory("blobs")
      try tar.directory("blobs/sha256")
      for blob in blobs {
        try tar.file("blobs/sha256/\(blob.digest.hex)", size: blob.size) { write in
          try layout.store.stream(blob, to: write)
        }
      }
      try tar.stream.close()
    }
  }

  /// Files and folders as an archive of a layout has them.
  private struct LayoutTar {
    let stream: TarStream
    let epoch: Int64

    func directory(_ name: String) throws {
      try stream.add(header(name, .directory, mode: 0o755))
      try stream.finishEntry()
    }

    func file(_ name: String, _ bytes: [UInt8]) throws {
      try file(name, size: Int64(bytes.count)) { write in try bytes.withUnsafeBytes(write) }
    }

    func file(_ name: String, size: Int64, content: (ArchiveWriter.Sink) throws -> Void) throws {
      try stream.add(header(name, .file(size: size), mode: 0o644))
      try content { try stream.write($0) }
      try stream.finishEntry()
    }

    private func header(_ name: String, _ kind: TarHeader.Kind, mode: UInt32) -> TarHeader {
      TarHeader(path: Array(name.utf8), kind: kind, mode: mode, uid: 0, gid: 0, mtime: epoch)
    }
  }
}
