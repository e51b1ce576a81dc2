package import OCISpec
package import Reporting

/// Why the entries of a layer cannot be a file system's.
package enum LayerError: Failure, Equatable {
  case hostileName(layer: Digest, ImagePathError)
  case whiteout(layer: Digest, ImagePath)
  case unsupportedType(layer: Digest, ImagePath, String)
  /// An entry lies below one that is no directory.
  case belowFile(layer: Digest, ImagePath)
  /// The root of the image is no directory.
  case rootNotDirectory(layer: Digest)
  case hardlinkTarget(layer: Digest, ImagePath, target: String)
  case symlinkLoop(layer: Digest, ImagePath)
  case tooDeep(layer: Digest, ImagePath)
  case tooManyEntries(layer: Digest)
  /// Names, link targets and extended attributes are more than a listing may hold.
  case tooManyNames(layer: Digest, limit: Int)

  package var kind: FailureKind { .data }

  package var description: String {
    switch self {
    case .hostileName(let layer, let error): "layer \(layer): \(error)"
    case .whiteout(let layer, let path):
      "layer \(layer): \(path): expected a whiteout to name a file after \".wh.\", found no name that can be removed"
    case .unsupportedType(let layer, let path, let type):
      "layer \(layer): \(path): expected a file, directory, link, device or fifo, found \(type)"
    case .belowFile(let layer, let path):
      "layer \(layer): \(path): expected it below directories, found a file above it"
    case .rootNotDirectory(let layer):
      "layer \(layer): expected the root to be a directory, found another kind of entry"
    case .hardlinkTarget(let layer, let path, let target):
      "layer \(layer): \(path): expected the target of a hardlink to be a file, found none at \"\(target)\""
    case .symlinkLoop(let layer, let path):
      "layer \(layer): \(path): expected at most \(MergedTree.maximumSymlinkCount) symlinks above it, found more"
    case .tooDeep(let layer, let path):
      "layer \(layer): \(path): expected at most \(MergedTree.maximumDepth) directories above it, found more"
    case .tooManyEntries(let layer):
      "layer \(layer): expected at most \(LayerReader.maximumEntryCount) entries, found more"
    case .tooManyNames(let layer, let limit):
      "layer \(layer): expected at most \(readable(byteCount: Int64(limit))) of names, link targets and extended attributes, found more"
    }
  }
}
