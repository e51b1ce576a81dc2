package import Bindings
package import Definition
package import OCILayout
package import OCISpec
package import SystemPackage

/// What comes to lie at one path of a layer, with everything that decides its tar entry.
package struct PlannedEntry: Sendable {
  /// Where a file's bytes come from.
  package enum Content: Sendable {
    case none
    case bytes([UInt8])
    /// A whole file that is read where it lies.
    case file(FilePath)
    /// A piece of a file that this process has written.
    case slice(Spool, offset: Int64)
  }

  package var path: ImagePath
  package var kind: TarHeader.Kind
  package var mode: UInt32
  package var owner: Owner
  package var mtime: Int64
  package var xattrs: [ExtendedAttribute]
  package var content: Content
  /// What put it here, for messages: a place in the definition.
  package var origin: String
  /// Whether the definition names this very path, not a tree or an archive that holds it.
  package var isDeclared = false
}

/// All entries of one layer in the order they are written; layer format v1, §2.2: sorted, one entry a path,
/// parents included, nothing below anything but a directory.
package struct LayerPlan: Sendable {
  package let name: String
  package let entries: [PlannedEntry]
}
