import Bindings
import OCILayout
import OCISpec
import Reporting
import SystemPackage

/// A base that a `from` led to.
struct OpenedBase: Sendable {
  /// For `org.opencontainers.image.base.name`.
  let name: String?
  let root: Descriptor
  let source: BaseLayerSource
  /// Kept while its layers may be read, where an archive had to be unpacked for them.
  let unpacked: ImageSource?

  /// An image in a layout or an archive.
  init(local text: String, scratch: FilePath) throws {
    let image = try ImageSource.open(ImageReference(parsing: text), scratch: scratch)
    self.init(image.layout, image.root, unpacked: image)
  }

  init(_ layout: ImageLayout, _ root: Descriptor, unpacked: ImageSource? = nil) {
    name = nil
    self.root = root
    source = .store(layout.store)
    self.unpacked = unpacked
  }

  /// An image in a registry. One by digest that the cache has is not asked for; one by tag is said to `reporter`
  /// with what it is now.
  init(_ reference: Reference, _ blobs: BaseBlobs) async throws {
    // The name is for people and tools that look for a newer one: the digest has a key of its own.
    name = "\(Reference(repository: reference.repository, tag: reference.tag))"
    source = .registry(reference.repository)
    unpacked = nil
    if let digest = reference.digest, let bytes = try await blobs.cachedDocument(digest) {
      root = try Self.descriptor(digest, bytes)
      return
    }
    guard !blobs.isOffline else {
      throw reference.digest == nil
        ? BaseError.unresolvedTag(reference) : .notInCache("\(reference)")
    }
    root = try await blobs.registry.resolve(reference)
    if let digest = reference.digest {
      guard root.digest == digest else {
        throw BaseError.wrongDocument(digest, found: root.digest)
      }
    } else {
      blobs.reporter.report(.notice("from \(reference) is \(root.digest)"))
    }
  }

  /// What a registry would say of a manifest or an index that is here.
  private static func descriptor(_ digest: Digest, _ bytes: [UInt8]) throws -> Descriptor {
    let json: JSON
    do { json = try JSON(parsing: bytes) } catch {
      throw LayoutError.malformedDocument("\(digest)", error)
    }
    let shape: MediaType = json["manifests"] == nil ? .imageManifest : .imageIndex
    let type = json["mediaType"]?.stringValue.map(MediaType.init(rawValue:)) ?? shape
    return Descriptor(mediaType: type, digest: digest, size: Int64(bytes.count))
  }
}
