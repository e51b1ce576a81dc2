package import SystemPackage

extension FileSystem {
  /// A new file for reading and writing that has no name: it goes with its descriptor, even by `kill -9`.
  package static func anonymousFile(in directory: FilePath) throws(FileError) -> FileDescriptor {
    for _ in 0..<100 {
      let path = directory.appending(String(UInt64.random(in: .min ... .max), radix: 36))
      let file: FileDescriptor
      do {
        try createDirectories(directory)
        file = try open(
          path, .readWrite, options: [.create, .exclusiveCreate], mode: 0o600, doing: "writing")
      } catch {
        // The folder went, or came, between two of our calls: others remove it when it is empty.
        if error.errno == .fileExists || error.errno == .noSuchFileOrDirectory { continue }
        throw error
      }
      do { try remove(path) } catch {
        try? file.close()
        throw error
      }
      try? removeEmptyDirectory(directory)
      return file
    }
    throw FileError("writing", directory, .resourceBusy)
  }
}
