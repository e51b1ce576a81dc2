import Bindings
import OCILayout
import OCISpec
import SystemPackage

/// A download on its way into a store: `<root>/partial/<key>`, with `<key>.validator` beside it.
///
/// The file is locked for as long as this lives, so one process downloads and others wait. It stays when the
/// process dies, and the next one goes on with it. All work here is synchronous: use ``withBlockingWork(_:)``.
///
/// A class, because the lock must be released exactly once. Not `Sendable`: one writer.
final class PartialFile {
  /// Which bytes stay for the next process where this one fails.
  enum Keeping {
    case never
    /// Those of which a server can say later whether they are still the file's.
    case withValidator
    /// All: their digest is known.
    case always
  }

  private let file: FileDescriptor
  private let path: FilePath
  private let keeping: Keeping
  private let algorithm: Digest.Algorithm
  private var hash: MessageDigest?
  private var isCommitted = false
  private(set) var byteCount: Int64 = 0
  /// Kept with the bytes, so that a later process can continue.
  private(set) var validator: Validator?
  /// Whether the bytes came in more than one answer.
  private(set) var isResumed = false

  /// Opens and locks the file, and hashes what an earlier process left in it.
  /// - Returns: `nil` where someone else holds the lock or has just finished: look at the store, try again.
  static func open(
    in store: BlobStore, key: String, keeping: Keeping, algorithm: Digest.Algorithm = .sha256
  ) throws -> PartialFile? {
    let path = store.root.appending("partial").appending(key)
    try FileSystem.createDirectories(path.removingLastComponent())
    // What is opened here is truncated, chmodded and in the end renamed to a blob: it must be a file of ours,
    // not what a symlink leads to. The look before is for what must not even be opened, such as a device.
    try checkKind(of: FileSystem.status(of: path, followSymlink: false), at: path)
    let file: FileDescriptor
    do {
      file = try FileSystem.open(
        path, .readWrite, options: [.create, .noFollow], mode: 0o644, doing: "writing")
    } catch {
      // The folder went with the last file in it.
      if error.errno == .noSuchFileOrDirectory { return nil }
      throw error
    }
    do {
      try checkKind(of: FileSystem.status(of: file, path: path), at: path)
      if try takesLock(file, at: path) {
        return try PartialFile(
          file: file, path: path, keeping: keeping, algorithm: algorithm)
      }
    } catch {
      try? file.close()
      throw error
    }
    try file.close()
    return nil
  }

  /// Takes the lock, which is on the file: another one may have its name by then.
  /// - Returns: `false` where someone else holds it, or the name is another file's.
  private static func takesLock(_ file: FileDescriptor, at path: FilePath) throws -> Bool {
    try FileSystem.lock(file, path: path, wait: false)
      && FileSystem.status(of: path, followSymlink: false)?.version
        == FileSystem.status(of: file, path: path).version
  }

  private static func checkKind(
    of status: FileStatus?, at path: FilePath
  ) throws(FetchError) {
    guard let kind = status?.kind, kind != .file else { return }
    throw FetchError.partialNotAFile(path: path.string, kind)
  }

  private init(
    file: FileDescriptor, path: FilePath, keeping: Keeping, algorithm: Digest.Algorithm
  ) throws {
    self.file = file
    self.path = path
    self.keeping = keeping
    self.algorithm = algorithm
    hash = try MessageDigest(algorithm)
    let hasValidator =
      try FileSystem.status(of: validatorPath, followSymlink: false)?.kind == .file
    let text =
      keeping == .withValidator && hasValidator
      ? try? FileSystem.readAll(validatorPath, limit: 4096) : nil
    validator = text.flatMap { Validator(text: String(decoding: $0, as: UTF8.self)) }
    guard keepsBytes else {
      try restart(validator: nil)
      return
    }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = try FileSystem.read(file, into: buffer, path: path)
      if count == 0 { return }
      try hash?.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      byteCount += Int64(count)
    }
  }

  deinit {
    // Where a committed file was, another process may have begun anew: that one is not ours to remove.
    if !isCommitted && (byteCount == 0 || !keepsBytes) { removeFiles() }
    try? file.close()
  }

  private var keepsBytes: Bool {
    switch keeping {
    case .never: false
    case .withValidator: validator != nil
    case .always: true
    }
  }

  private var validatorPath: FilePath {
    FilePath(path.string + Self.validatorSuffix)
  }

  /// What the next request may ask for.
  var resumeState: ResumeState {
    ResumeState(byteCount: byteCount, validator: keeping == .withValidator ? validator : nil)
  }

  /// Forgets all bytes; the next ones are of the version that the validator names.
  func restart(validator: Validator?) throws {
    // Bytes first: a validator must never stand beside bytes of another version.
    do { try file.resize(to: 0) } catch {
      throw FileError("writing", path, error as? Errno ?? .ioError)
    }
    do { _ = try file.seek(offset: 0, from: .start) } catch {
      throw FileError("writing", path, error as? Errno ?? .ioError)
    }
    byteCount = 0
    isResumed = false
    hash = try MessageDigest(algorithm)
    self.validator = validator
    try FileSystem.remove(validatorPath)
    guard keeping == .withValidator, let validator else { return }
    let sidecar = try FileSystem.open(
      validatorPath, .writeOnly, options: [.create, .exclusiveCreate], mode: 0o644,
      doing: "writing")
    defer { try? sidecar.close() }
    try Array(validator.text.utf8).withUnsafeBytes {
      try FileSystem.writeAll(sidecar, $0, path: validatorPath)
    }
  }

  /// Says that the next bytes go on where ours end.
  func resume() { isResumed = true }

  func append(_ bytes: UnsafeRawBufferPointer) throws {
    try hash?.update(bytes)
    try FileSystem.writeAll(file, bytes, path: path)
    byteCount += Int64(bytes.count)
  }

  /// The digest of all bytes. Then only ``restart(validator:)`` and ``commit(_:to:)`` make sense.
  func finish() throws -> Digest {
    guard let digest = try hash.take()?.finalize() else {
      preconditionFailure("a download is finished once")
    }
    return digest
  }

  /// Syncs the file and gives it its name in the store.
  func commit(_ digest: Digest, to store: BlobStore) throws {
    if try store.size(of: digest) == byteCount { return discard() }
    let blob = store.path(of: digest)
    try FileSystem.sync(file, path: path)
    try FileSystem.setMode(file, path: path, 0o644)
    try FileSystem.createDirectories(blob.removingLastComponent())
    // The lock is on the file, not the name: it holds until the validator is gone too.
    try FileSystem.remove(validatorPath)
    try FileSystem.rename(path, to: blob)
    isCommitted = true
    removeFolderIfEmpty()
  }

  /// Removes everything.
  func discard() {
    isCommitted = true
    removeFiles()
  }

  /// Removes what dead processes left and nobody will go on with: downloads without a digest, which are never
  /// resumed, and those that nobody has touched for a week. What cannot be removed stays.
  /// - Parameter now: seconds since 1970.
  func removeStaleNeighbours(now: Int64) {
    let folder = path.removingLastComponent()
    for name in (try? FileSystem.entries(of: folder)) ?? [] {
      let other = folder.appending(bytes: name)
      guard other != path, other != validatorPath,
        let status = try? FileSystem.status(of: other, followSymlink: false), status.kind == .file
      else { continue }
      let isUnpinned = name.starts(with: Self.unpinnedPrefix.utf8)
      guard isUnpinned || now - status.modificationTime > Self.longestRest else { continue }
      Self.removeUnlessInUse(other)
    }
  }

  /// The key of a download without a digest begins with this.
  static let unpinnedPrefix = "unpinned-"

  /// Seconds.
  private static let longestRest: Int64 = 7 * 24 * 3600

  /// A validator goes with its file; alone it is of no use.
  private static func removeUnlessInUse(_ path: FilePath) {
    if path.string.hasSuffix(validatorSuffix) {
      let owner = FilePath(String(path.string.dropLast(validatorSuffix.count)))
      if (try? FileSystem.status(of: owner)) == .some(nil) { _ = try? FileSystem.remove(path) }
      return
    }
    guard
      let file = try? FileSystem.open(path, .readOnly, options: [.noFollow], doing: "reading")
    else { return }
    defer { try? file.close() }
    // Who waits for this lock finds the name gone and begins anew.
    guard (try? takesLock(file, at: path)) == true else { return }
    _ = try? FileSystem.remove(FilePath(path.string + validatorSuffix))
    _ = try? FileSystem.remove(path)
  }

  private static let validatorSuffix = ".validator"

  private func removeFiles() {
    _ = try? FileSystem.remove(validatorPath)
    _ = try? FileSystem.remove(path)
    removeFolderIfEmpty()
  }

  private func removeFolderIfEmpty() {
    try? FileSystem.removeEmptyDirectory(path.removingLastComponent())
  }
}
