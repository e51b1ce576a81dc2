package import OCISpec
package import SystemPackage

/// An image definition after parsing: parameters are expanded, maps by platform are resolved, every value is
/// valid. One file describes one image for one or more platforms.
package struct ImageDefinition: Sendable {
  /// The definition's file, for messages.
  package var file: FilePath
  /// What relative paths in it start from.
  package var directory: FilePath
  /// What freezes everything that decides bytes.
  package var formatVersion: Int
  package var name: String
  /// After overrides.
  package var parameters: [String: String]
  /// The definition's own; the command line and `SOURCE_DATE_EPOCH` are not in it. Seconds since 1970.
  package var epoch: Int64?
  /// On the index and on every manifest.
  package var annotations: [String: String]
  /// One for each platform that was asked for, in the order of ``Platform``.
  package var images: [PlatformImage]
  /// What is worth mending, but no reason to stop.
  package var warnings: [Complaint] = []
}

/// What one platform's image is made of.
package struct PlatformImage: Sendable {
  package var platform: Platform
  package var base: BaseImage
  /// Only those that a layer of this platform uses.
  package var inputs: [String: Input]
  package var accounts: Accounts?
  package var layers: [LayerDefinition]
  package var config: ConfigEdits

  package init(
    platform: Platform, base: BaseImage = .scratch, inputs: [String: Input] = [:],
    accounts: Accounts? = nil, layers: [LayerDefinition] = [], config: ConfigEdits = ConfigEdits()
  ) {
    self.platform = platform
    self.base = base
    self.inputs = inputs
    self.accounts = accounts
    self.layers = layers
    self.config = config
  }
}

/// A place in a definition, for complaints that only later stages can make.
package struct SourceLocation: Sendable, Hashable, CustomStringConvertible {
  package var file: String
  package var line: Int
  package var column: Int

  package init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }

  package var description: String { "\(file):\(line):\(column)" }
}

/// A named source of one file.
package struct Input: Sendable {
  package enum Source: Sendable, Equatable {
    /// Fetched; `digest` is what it must hash to, `nil` where the definition does not pin it.
    case url(String, digest: Digest?)
    case file(FilePath)
  }

  package var name: String
  package var source: Source
  /// The publisher's checksum file, which `lock` compares with.
  package var checksums: String?
  /// The one file to take out of the archive that the source is; as the archive spells it, without `./`.
  package var member: String?
  package var location: SourceLocation

  package init(
    name: String, source: Source, checksums: String? = nil, member: String? = nil,
    location: SourceLocation
  ) {
    self.name = name
    self.source = source
    self.checksums = checksums
    self.member = member
    self.location = location
  }
}

/// An input once it lies on disk, verified.
package struct InputFile: Sendable, Equatable {
  package var path: FilePath
  /// Whether the source had any execute bit.
  package var isExecutable: Bool

  package init(path: FilePath, isExecutable: Bool) {
    self.path = path
    self.isExecutable = isExecutable
  }
}

/// One layer: entries in the order written.
package struct LayerDefinition: Sendable {
  package var name: String
  package var entries: [LayerEntry]
  package var location: SourceLocation

  package init(name: String, entries: [LayerEntry], location: SourceLocation) {
    self.name = name
    self.entries = entries
    self.location = location
  }
}

/// One line of a layer: something that comes to lie at `path`.
package struct LayerEntry: Sendable {
  package enum Content: Sendable {
    case input(String)
    case file(FilePath)
    /// A directory's content below `path`; patterns are relative to the directory.
    case tree(FilePath, include: [Glob], exclude: [Glob])
    case archive(ArchiveSource)
    case text([UInt8])
    case symlink(target: [UInt8])
    case hardlink(target: ImagePath)
    case directory
    /// What lower layers have at `path` is gone.
    case remove
  }

  package enum ArchiveSource: Sendable, Equatable {
    case file(FilePath)
    case input(String)
  }

  package var path: ImagePath
  package var content: Content
  package var attributes: EntryAttributes
  package var location: SourceLocation

  package init(
    path: ImagePath, content: Content, attributes: EntryAttributes = EntryAttributes(),
    location: SourceLocation
  ) {
    self.path = path
    self.content = content
    self.attributes = attributes
    self.location = location
  }
}

/// What a definition says of an entry's metadata; `nil` means the default.
package struct EntryAttributes: Sendable, Equatable {
  /// The 12 permission bits.
  package var mode: UInt32?
  package var owner: Owner?
  /// Seconds since 1970.
  package var mtime: Int64?
  /// Sorted by the names' bytes.
  package var xattrs: [ExtendedAttribute] = []

  package init(
    mode: UInt32? = nil, owner: Owner? = nil, mtime: Int64? = nil, xattrs: [ExtendedAttribute] = []
  ) {
    self.mode = mode
    self.owner = owner
    self.mtime = mtime
    self.xattrs = xattrs
  }
}

package struct Owner: Sendable, Hashable {
  package var uid: Int64
  package var gid: Int64

  package init(uid: Int64, gid: Int64) {
    self.uid = uid
    self.gid = gid
  }
}

package struct ExtendedAttribute: Sendable, Hashable {
  package var name: [UInt8]
  package var value: [UInt8]

  package init(name: [UInt8], value: [UInt8]) {
    self.name = name
    self.value = value
  }
}

/// Users and groups that get a layer of their own with `/etc/passwd` and `/etc/group`.
package struct Accounts: Sendable, Equatable {
  package struct User: Sendable, Equatable {
    package var name: String
    package var uid: Int64
    package var gid: Int64
    package var home: String
    package var shell: String

    package init(
      name: String, uid: Int64, gid: Int64? = nil, home: String = "/",
      shell: String = "/sbin/nologin"
    ) {
      self.name = name
      self.uid = uid
      self.gid = gid ?? uid
      self.home = home
      self.shell = shell
    }
  }

  package struct Group: Sendable, Equatable {
    package var name: String
    package var gid: Int64
    package var members: [String]

    package init(name: String, gid: Int64, members: [String] = []) {
      self.name = name
      self.gid = gid
      self.members = members
    }
  }

  package var users: [User]
  package var groups: [Group]

  package init(users: [User] = [], groups: [Group] = []) {
    self.users = users
    self.groups = groups
  }
}
