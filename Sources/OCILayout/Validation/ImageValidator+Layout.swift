import Bindings
import OCISpec
import SystemPackage

extension ImageValidator {
  /// The two documents beside the blobs.
  /// - Returns: the descriptors of `index.json` that can be followed.
  mutating func checkLayoutFiles() throws -> [Descriptor] {
    if let json = try layoutDocument("oci-layout") {
      DocumentValidation.layoutFile(json).forEach { report($0) }
    }
    guard let json = try layoutDocument("index.json") else { return [] }
    DocumentValidation.layoutIndex(json).forEach { report($0) }
    return (json["manifests"]?.arrayValue ?? []).compactMap { try? Descriptor(json: $0) }
  }

  /// Every file below `blobs` has its own digest for a name.
  mutating func checkBlobNames() throws {
    let rule = "image-layout.md: blobs"
    let blobs = store.root.appending("blobs")
    guard try FileSystem.status(of: blobs)?.kind == .directory else {
      report("blobs", "image-layout.md: content", expected: "a directory", found: "none")
      return
    }
    for name in try FileSystem.entries(of: blobs) {
      let directory = blobs.appending(bytes: name)
      let subject = "blobs/\(ImagePath.escaped(name))"
      guard try FileSystem.status(of: directory)?.kind == .directory else {
        report(subject, rule, expected: "a directory named by an algorithm", found: "a file")
        continue
      }
      // "<alg>" may be one that is not registered; nothing is known about its names.
      guard let algorithm = Digest.Algorithm(rawValue: String(decoding: name, as: UTF8.self)) else {
        continue
      }
      for blob in try FileSystem.entries(of: directory) {
        try checkBlobName(blob, algorithm, in: directory)
      }
    }
  }

  private mutating func checkBlobName(
    _ name: [UInt8], _ algorithm: Digest.Algorithm, in directory: FilePath
  ) throws {
    let rule = "image-layout.md: blobs"
    let subject = "blobs/\(algorithm.rawValue)/\(ImagePath.escaped(name))"
    guard try FileSystem.status(of: directory.appending(bytes: name))?.kind == .file else {
      report(subject, rule, expected: "a file", found: "none")
      return
    }
    guard let digest = try? Digest(algorithm, hex: String(decoding: name, as: UTF8.self)) else {
      report(
        subject, rule, expected: "a name of \(algorithm.hexLength) lower-case hexadecimal digits",
        found: "another")
      return
    }
    // What a descriptor names was held against it there.
    guard !isHashed(digest) else { return }
    if let found = try hash(of: digest, subject: subject), found != digest {
      report(subject, rule, expected: "content that its name is the digest of", found: "\(found)")
    }
  }

  private mutating func layoutDocument(_ name: String) throws -> JSON? {
    let path = store.root.appending(name)
    guard try FileSystem.status(of: path)?.kind == .file else {
      report(name, "image-layout.md: content", expected: "a file", found: "none")
      return nil
    }
    return try json(at: path, subject: name)
  }
}
