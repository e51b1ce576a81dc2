internal import Glibc
package import SystemPackage

extension FileSystem {
  /// Sets the permission bits of an open file, whatever its name leads to by now.
  package static func setMode(
    _ file: FileDescriptor, path: FilePath, _ mode: UInt32
  ) throws(FileError) {
    guard fchmod(file.rawValue, mode) == 0 else {
      throw FileError("writing", path, Errno(rawValue: errno))
    }
  }
}

extension FileStatus {
  /// When the content last changed, in seconds since 1970.
  package var modificationTime: Int64 { Int64(version.modified[0]) }
}
