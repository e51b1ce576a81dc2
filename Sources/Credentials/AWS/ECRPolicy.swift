import Bindings
import OCISpec
package import SystemPackage

/// A lifecycle policy or a repository policy: JSON that ECR makes sense of and that is sent as it was
/// written.
package struct ECRPolicy: Sendable, Equatable {
  package let text: String

  /// Larger ones are refused by ECR too.
  private static let limit = 32 << 10

  /// - Parameter path: for error messages.
  package init(parsing bytes: [UInt8], path: FilePath) throws(ECRRepositoryError) {
    do {
      guard try JSON(parsing: bytes).objectValue != nil, bytes.count <= Self.limit else {
        throw ECRRepositoryError.notAPolicy(path: path.string, nil)
      }
    } catch {
      throw .notAPolicy(path: path.string, error as? JSONError)
    }
    text = String(decoding: bytes, as: UTF8.self)
  }

  /// Reads a file.
  /// - Throws: `FileError` or ``ECRRepositoryError/notAPolicy(path:_:)``.
  package init(file: FilePath) throws {
    try self.init(parsing: try FileSystem.readAll(file, limit: 1 << 20), path: file)
  }
}
