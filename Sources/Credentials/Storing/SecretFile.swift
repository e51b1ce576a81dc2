import Bindings
import SystemPackage

/// A file with secrets that is changed by one process at a time and never seen half written.
enum SecretFile {
  /// Changes a file, or makes it: reads it, hands its bytes to `change` (`nil` where there is none), and puts
  /// what that returns in its place with mode 0600; `nil` leaves everything as it is.
  ///
  /// The draft beside it is also the lock: who has locked it while it has its name may change the file. A draft
  /// that a killed process has left is taken over.
  ///
  /// - Parameter path: where it is a symlink, the file it leads to is changed.
  static func change(_ path: FilePath, _ change: ([UInt8]?) throws -> [UInt8]?) throws {
    let path = try FileSystem.status(of: path) == nil ? path : FileSystem.absolute(path)
    let folder = path.removingLastComponent()
    if !folder.isEmpty { try FileSystem.createDirectories(folder, mode: 0o700) }
    let draft = folder.appending(".\(path.lastComponent?.string ?? "").ociforge")
    let file = try lockedDraft(draft, for: path)
    defer { try? file.close() }
    do {
      let old = try FileSystem.status(of: path).map { _ in
        try FileSystem.readAll(path, limit: CredentialFile.byteLimit)
      }
      guard let new = try change(old) else {
        try FileSystem.remove(draft)
        return
      }
      try FileSystem.setMode(file, path: path, 0o600)
      try file.resize(to: 0)
      try new.withUnsafeBytes { try FileSystem.writeAll(file, $0, path: path) }
      try FileSystem.sync(file, path: path)
      try FileSystem.rename(draft, to: path)
    } catch {
      _ = try? FileSystem.remove(draft)
      throw error
    }
  }

  private static func lockedDraft(_ draft: FilePath, for path: FilePath) throws -> FileDescriptor {
    while true {
      let file: FileDescriptor
      do {
        file = try FileSystem.open(
          draft, .readWrite, options: [.create, .noFollow], mode: 0o600, doing: "writing")
      } catch { throw FileError("writing", path, error.errno) }
      do {
        let status = try FileSystem.status(of: file, path: draft)
        guard status.owner == effectiveUserID && status.kind == .file else {
          throw CredentialError.foreignDraft(draft.string)
        }
        try FileSystem.lock(file, path: path)
        // Whoever had it has given it the file's name, or removed it: it is no draft any more.
        let named = try FileSystem.status(of: draft, followSymlink: false)
        if named?.identity == status.identity { return file }
      } catch {
        try? file.close()
        throw error
      }
      try? file.close()
    }
  }
}
