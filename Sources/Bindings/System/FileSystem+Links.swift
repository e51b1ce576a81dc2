internal import Glibc
package import SystemPackage

extension FileSystem {
  /// Gives a file, or the symlink that stands there, another name on its file system.
  ///
  /// - Throws: where the new name is taken, too.
  package static func link(_ path: FilePath, as name: FilePath) throws(FileError) {
    let result = path.withPlatformString { path in
      name.withPlatformString { Glibc.link(path, $0) }
    }
    guard result == 0 else { throw FileError("writing", name, Errno(rawValue: errno)) }
  }
}
