import Bindings
import SystemPackage

/// What a temporary file is called: `tmp-` and 13 base-36 digits; a folder that belongs to it, the same with
/// `.d` behind. Files of other names are somebody else's and left alone.
enum TemporaryName {
  static let folderSuffix = ".d"
  private static let prefix = "tmp-"
  /// Of the largest `UInt64`.
  private static let digitCount = 13

  static func random() -> String {
    let digits = String(UInt64.random(in: .min ... .max), radix: 36)
    return prefix + String(repeating: "0", count: digitCount - digits.utf8.count) + digits
  }

  static func isFile(_ name: [UInt8]) -> Bool {
    name.count == prefix.utf8.count + digitCount && name.starts(with: prefix.utf8)
      && name.dropFirst(prefix.utf8.count).allSatisfy {
        (0x30...0x39).contains($0) || (0x61...0x7A).contains($0)
      }
  }

  static func isFolder(_ name: [UInt8]) -> Bool {
    name.suffix(folderSuffix.utf8.count).elementsEqual(folderSuffix.utf8)
      && isFile(name.dropLast(folderSuffix.utf8.count))
  }
}

extension BlobStore {
  /// Whose the folder for temporary files is. A layout comes from anywhere, and its folder may be shared:
  /// what stands under the name need not be of our making.
  enum TemporaryDirectoryState: Equatable {
    case absent
    /// A directory of ours, or of whoever owns the folder it is in: they can do there what they like anyway,
    /// and some mounts show one owner for everything.
    case ours
    case anotherUsers
    /// No directory; a symlink to one is none.
    case foreign(found: String)
  }

  func temporaryDirectoryState() throws -> TemporaryDirectoryState {
    guard let status = try FileSystem.status(of: temporaryDirectory, followSymlink: false) else {
      return .absent
    }
    guard status.kind == .directory else {
      return .foreign(found: status.kind == .symlink ? "a symlink" : "no folder")
    }
    if status.owner == effectiveUserID { return .ours }
    let parent = temporaryDirectory.removingLastComponent()
    let owner = try FileSystem.status(of: parent.isEmpty ? "." : parent)?.owner
    return status.owner == owner ? .ours : .anotherUsers
  }

  /// Makes the folder where it is missing. A sweep may take it away at once.
  ///
  /// - Throws: ``LayoutError/foreignTemporaryDirectory`` where something else is in its place.
  func makeTemporaryDirectory() throws {
    if try temporaryDirectoryState() == .absent {
      try FileSystem.createDirectories(temporaryDirectory)
    }
    let path = temporaryDirectory.string
    switch try temporaryDirectoryState() {
    case .absent, .ours: return
    case .anotherUsers:
      throw LayoutError.foreignTemporaryDirectory(path, found: "another user's")
    case .foreign(let found): throw LayoutError.foreignTemporaryDirectory(path, found: found)
    }
  }

  /// The names in the folder; none where it is missing.
  func temporaryDirectoryEntries() throws -> [[UInt8]] {
    do { return try FileSystem.entries(of: temporaryDirectory) } catch {
      if error.errno == .noSuchFileOrDirectory { return [] }
      throw error
    }
  }

  /// Whether nothing but temporary files is where they go.
  func holdsOnlyTemporaryFiles() throws -> Bool {
    if case .foreign = try temporaryDirectoryState() { return false }
    return try temporaryDirectoryEntries().allSatisfy {
      TemporaryName.isFile($0) || TemporaryName.isFolder($0)
    }
  }
}
