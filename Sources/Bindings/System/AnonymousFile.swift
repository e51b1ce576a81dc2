package import SystemPackage

extension FileSystem {
  /// A new file for reading and writing that has no name: it goes with its descriptor, even by `kill -9`.
  package static func anonymousFile(in directory: FilePath) throws(FileError) -> FileDescriptor {
    try createDirectories(directory)
    let path = directory.appending(String(UInt64.random(in: .min ... .max), radix: 36))
    let file = try open(
      path, .readWrite, options: [.create, .exclusiveCreate], mode: 0o600, doing: "writing")
    do {
      try remove(path)
      try? removeEmptyDirectory(directory)
      return file
    } catch {
      try? file.close()
      throw error
    }
  }
}
