package import OCISpec
package import Reporting

/// Why something cannot be shown out of an image.
package enum ImageFilesystemError: Failure, Equatable {
  /// The last directory on the way that exists, and the nearest name in it.
  case notFound(String, in: ImagePath, suggestion: ImagePath?)
  case notDirectory(String, ImagePath)
  case notFile(ImagePath, found: String)
  case symlinkLoop(String)
  /// A layer's content is not what its listing said.
  case changedContent(ImagePath, expected: Int64, found: Int64)

  package var kind: FailureKind {
    switch self {
    case .notFound, .notDirectory: .notFound
    case .notFile, .symlinkLoop, .changedContent: .data
    }
  }

  package var description: String {
    switch self {
    case .notFound(let path, let directory, let suggestion):
      "no \(path.quoted) in the image: \"\(directory)\" is the last directory on the way"
        + (suggestion.map { "; did you mean \"\($0)\"?" } ?? "; `ls` shows what there is")
    case .notDirectory(let path, let file):
      "no \(path.quoted) in the image: expected \"\(file)\" to be a directory, found a file"
    case .notFile(let path, let found):
      "reading \"\(path)\" in the image: expected a file, found \(found)"
    case .symlinkLoop(let path):
      "following \(path.quoted) in the image: expected at most \(MergedTree.maximumSymlinkCount) symlinks, found more"
    case .changedContent(let path, let expected, let found):
      "reading \"\(path)\" in the image: expected \(expected) bytes, found \(found)"
    }
  }
}
