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
  /// What a directory takes over from the one that the image has there already, where it stands on a base.
  var inherited: InheritedAttributes = []
  /// The symlinks of lower layers that led from the definition's path to this one.
  var symlinks: [ImagePath] = []

  /// What the tar says of it.
  var header: TarHeader {
    TarHeader(
      path: path.bytes, kind: kind, mode: mode, uid: owner.uid, gid: owner.gid, mtime: mtime)
  }
}

/// The attributes of a directory that a definition leaves open.
struct InheritedAttributes: OptionSet, Sendable {
  let rawValue: UInt8

  static let mode = Self(rawValue: 1)
  static let owner = Self(rawValue: 2)
  static let mtime = Self(rawValue: 4)
  static let xattrs = Self(rawValue: 8)
  static let all: Self = [.mode, .owner, .mtime, .xattrs]
}

/// All entries of one layer in the order they are written; layer format v1, §2.2: sorted, one entry a path,
/// parents included, nothing below anything but a directory, whiteouts before their siblings.
package struct LayerPlan: Sendable {
  package let name: String
  package let entries: [PlannedEntry]
}
