import Bindings
package import OCISpec
import Reporting
package import SystemPackage

/// An image that a reference led to, in a layout that can be read from. What an archive was unpacked to goes
/// with this value: keep it as long as the layout is used.
///
/// A class, because the unpacked files must be removed exactly once.
package final class ImageSource: Sendable {
  package let layout: ImageLayout
  /// A manifest or an index.
  package let root: Descriptor
  private let unpacked: TemporaryFolder?

  private init(_ layout: ImageLayout, _ root: Descriptor, unpacked: TemporaryFolder? = nil) {
    self.layout = layout
    self.root = root
    self.unpacked = unpacked
  }

  /// - Parameter scratch: a folder, made where it is missing, that archives are unpacked below.
  /// - Precondition: the image is not in a registry.
  package static func open(
    _ reference: ImageReference, scratch: FilePath
  ) throws -> ImageSource {
    switch reference {
    case .layout(let path, let tag, let digest):
      let layout = try ImageLayout.open(path)
      return ImageSource(layout, try layout.resolve(tag: tag, digest: digest))
    case .ociArchive(let path, let tag):
      try checkExists(path)
      let folder = try TemporaryFolder(in: BlobStore(root: scratch))
      let layout = try OCIArchive.unpack(path, into: folder.path)
      return ImageSource(layout, try layout.resolve(tag: tag), unpacked: folder)
    case .dockerArchive(let path, let name):
      try checkExists(path)
      let folder = try TemporaryFolder(in: BlobStore(root: scratch))
      let (layout, root) = try DockerArchive.unpack(path, name: name, into: folder.path)
      return ImageSource(layout, root, unpacked: folder)
    case .registry: preconditionFailure("an image in a registry is pulled, not opened")
    }
  }

  private static func checkExists(_ path: FilePath) throws {
    guard try FileSystem.status(of: path) != nil else {
      throw FileError("reading", path, .noSuchFileOrDirectory)
    }
  }
}
