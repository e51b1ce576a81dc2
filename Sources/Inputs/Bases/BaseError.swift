package import OCISpec
package import Reporting
package import SystemPackage

/// What can be wrong with a base that its documents, layers or place do not already say themselves.
package enum BaseError: Failure, Equatable {
  /// The base has images, but none for this platform.
  case noPlatform(Platform, found: [Platform])
  /// An index promises one platform, the config of its manifest is for another.
  case otherPlatform(Digest, expected: Platform, found: Platform)
  /// A document says of itself that it is of another type than its descriptor says: CVE-2021-41190.
  case mediaTypeConflict(Digest, expected: MediaType, found: MediaType)
  /// A document that reads as an index and as a manifest.
  case ambiguousDocument(Digest)
  case wrongDocument(Digest, found: Digest)
  case documentTooLarge(Digest, size: Int64, limit: Int64)
  /// A manifest of something that is no image.
  case notAnImage(Digest, config: MediaType)
  case tooManyLayers(Digest, limit: Int)
  case layerCount(Digest, layers: Int, diffIDs: Int)
  case unknownLayerType(Digest, MediaType)
  /// A layer that is to be fetched from elsewhere than the image.
  case foreignLayer(Digest, MediaType)
  case diffIDMismatch(layer: Digest, expected: DiffID, found: DiffID)
  case accountsFileTooLarge(ImagePath, size: Int64, limit: Int64)
  case notInCache(String)
  /// Which digest a tag means only its registry knows.
  case unresolvedTag(Reference)
  /// Definitions that stand on each other, the first of them again at the end.
  case cycle([FilePath])
  case layoutFolder(FilePath)

  package var kind: FailureKind {
    switch self {
    case .notInCache, .unresolvedTag: .unavailable
    case .layoutFolder: .notFound
    default: .data
    }
  }

  package var description: String {
    switch self {
    case .noPlatform(let platform, let found):
      "the base has no image for \(platform.description.quoted); "
        + (found.isEmpty
          ? "it has none at all"
          : "it has \(found.map(\.description.quoted).joined(separator: ", "))")
    case .otherPlatform(let manifest, let expected, let found):
      "manifest \(manifest): expected a config for \(expected.description.quoted), as its index says, found one for \(found.description.quoted)"
    case .mediaTypeConflict(let digest, let expected, let found):
      "reading \(digest): expected media type \(expected.rawValue.quoted), as its descriptor says, found \(found.rawValue.quoted)"
    case .ambiguousDocument(let digest):
      "reading \(digest): expected an index or a manifest, found what may be read as both"
    case .wrongDocument(let digest, let found):
      "reading \(digest): digest mismatch: found \(found)"
    case .documentTooLarge(let digest, let size, let limit):
      "reading \(digest): expected at most \(limit) bytes of a document, its descriptor says \(size)"
    case .notAnImage(let manifest, let type):
      "manifest \(manifest): expected the config of an image, found media type \(type.rawValue.quoted); this is no image to stand on"
    case .tooManyLayers(let manifest, let limit):
      "manifest \(manifest): expected at most \(limit) layers, found more"
    case .layerCount(let manifest, let layers, let diffIDs):
      "manifest \(manifest): expected a DiffID in its config for each of \(layers) layers, found \(diffIDs)"
    case .unknownLayerType(let layer, let type):
      "layer \(layer): expected a tar, plain or compressed by gzip or zstd, found media type \(type.rawValue.quoted)"
    case .foreignLayer(let layer, let type):
      "layer \(layer): its bytes are not the base's to give on (media type \(type.rawValue.quoted), to be fetched from elsewhere); bases with such layers are not supported"
    case .diffIDMismatch(let layer, let expected, let found):
      "layer \(layer): expected DiffID \(expected), as the config says, found \(found)"
    case .accountsFileTooLarge(let path, let size, let limit):
      "adding accounts to \(path) of the base: expected at most \(readable(byteCount: limit)), found \(readable(byteCount: size))"
    case .notInCache(let what):
      "\(what) is not in the cache, and --offline forbids the network; run once without --offline"
    case .unresolvedTag(let reference):
      "what \(reference) means only its registry says, and --offline forbids the network; add the digest, \(reference)@DIGEST, that a run without --offline tells"
    case .cycle(let files):
      "definitions stand on each other: \(files.map(\.string.quoted).joined(separator: " on "))"
    case .layoutFolder(let folder):
      "\(folder.string.quoted) is no folder of a definition but an image layout; write \("oci:\(folder)".quoted)"
    }
  }
}
