package import OCISpec
package import SystemPackage

/// Holds images against the image-spec (1.1.1): every document and every layer that roots reach, each blob
/// hashed once. All violations are in the answer; what is thrown is a fault of the machine, not of the image.
///
/// A layer's file is read three times in constant memory: for its digest, for its DiffID, for its entries.
package struct ImageValidator {
  let store: BlobStore
  let limits: ValidationLimits
  private(set) var violations: [Violation] = []
  private var reported: Set<Violation> = []
  /// What was found to be the digest of each blob; `nil` where it could not be read.
  private var hashes: [Digest: Digest?] = [:]
  private var visited: Set<Descriptor> = []
  /// The DiffID of each layer blob by each algorithm; `nil` where it cannot be told.
  private var diffIDs: [LayerKey: DiffID?] = [:]

  private struct LayerKey: Hashable {
    let blob: Digest
    let algorithm: Digest.Algorithm
  }

  init(store: BlobStore, limits: ValidationLimits) {
    self.store = store
    self.limits = limits
  }

  /// Everything that `roots` reach.
  package static func validate(
    store: BlobStore, roots: [Descriptor], limits: ValidationLimits = ValidationLimits()
  ) throws -> [Violation] {
    var validator = ImageValidator(store: store, limits: limits)
    for root in roots { try validator.visit(root, depth: 0) }
    return validator.violations
  }

  /// The files of a layout by themselves: `oci-layout`, `index.json`, and every blob's name.
  package static func validateLayoutFiles(
    root: FilePath, limits: ValidationLimits = ValidationLimits()
  ) throws -> [Violation] {
    var validator = ImageValidator(store: BlobStore(root: root), limits: limits)
    _ = try validator.checkLayoutFiles()
    try validator.checkBlobNames()
    return validator.violations
  }

  /// A whole layout: its files, and everything that its `index.json` reaches, as far as that can be read.
  package static func validateLayout(
    root: FilePath, limits: ValidationLimits = ValidationLimits()
  ) throws -> [Violation] {
    var validator = ImageValidator(store: BlobStore(root: root), limits: limits)
    for root in try validator.checkLayoutFiles() { try validator.visit(root, depth: 0) }
    try validator.checkBlobNames()
    return validator.violations
  }

  mutating func report(_ violation: Violation) {
    if reported.insert(violation).inserted { violations.append(violation) }
  }

  mutating func report(_ subject: String, _ rule: String, expected: String, found: String) {
    report(Violation(subject: subject, rule: rule, text: "expected \(expected), found \(found)"))
  }

  // MARK: Documents

  private mutating func visit(_ descriptor: Descriptor, depth: Int) throws {
    var bare = descriptor
    bare.annotations = [:]  // the same image under two tags is one
    guard visited.insert(bare).inserted else { return }
    if descriptor.mediaType.isIndex {
      try visitIndex(descriptor, depth: depth)
    } else if descriptor.mediaType.isManifest {
      try visitManifest(descriptor)
    } else {
      try checkBlob(descriptor, subject: "blob \(descriptor.digest)")
    }
  }

  private mutating func visitIndex(_ descriptor: Descriptor, depth: Int) throws {
    let subject = "index \(descriptor.digest)"
    guard depth < limits.indexDepth else {
      report(
        subject, "limit of ociforge",
        expected: "at most \(limits.indexDepth) indexes in each other",
        found: "more")
      return
    }
    guard let json = try document(descriptor, subject: subject) else { return }
    let broken = DocumentValidation.imageIndex(
      json, subject: subject, mediaType: descriptor.mediaType)
    broken.forEach { report($0) }
    let children = json["manifests"]?.arrayValue ?? []
    try checkEmbedded(children, at: "/manifests", subject: subject)
    for child in descriptors(children.prefix(DocumentValidation.maximumManifestCount)) {
      try visit(child, depth: depth + 1)
    }
  }

  private mutating func visitManifest(_ descriptor: Descriptor) throws {
    let subject = "manifest \(descriptor.digest)"
    guard let json = try document(descriptor, subject: subject) else { return }
    let broken = DocumentValidation.manifest(
      json, subject: subject, mediaType: descriptor.mediaType)
    broken.forEach { report($0) }
    let elements = (json["layers"]?.arrayValue ?? []).prefix(DocumentValidation.maximumLayerCount)
    try checkEmbedded(Array(elements), at: "/layers", subject: subject)
    var expected: [DiffID?]?
    if let element = json["config"], let config = try? Descriptor(json: element) {
      try checkEmbedded([element], at: nil, subject: subject)
      expected = try visitConfig(
        config, platform: descriptor.platform, layerCount: elements.count)
    }
    for (index, element) in elements.enumerated() {
      guard let layer = try? Descriptor(json: element) else { continue }
      let diffID = expected.flatMap { index < $0.count ? $0[index] : nil }
      try visitLayer(layer, number: index + 1, expected: diffID)
    }
  }

  /// - Returns: the DiffIDs that the config lists, where it is one.
  private mutating func visitConfig(
    _ descriptor: Descriptor, platform: Platform?, layerCount: Int
  ) throws -> [DiffID?]? {
    guard descriptor.mediaType.isConfig else {
      try checkBlob(descriptor, subject: "blob \(descriptor.digest)")
      return nil
    }
    let subject = "config \(descriptor.digest)"
    guard let json = try document(descriptor, subject: subject) else { return nil }
    let broken = DocumentValidation.config(
      json, subject: subject, mediaType: descriptor.mediaType)
    broken.forEach { report($0) }
    if let os = json["os"]?.stringValue, let architecture = json["architecture"]?.stringValue,
      let platform
    {
      let found = Platform(
        os: os, architecture: architecture, variant: json["variant"]?.stringValue)
      if !found.matches(platform) {
        report(
          subject, "image-index.md: platform", expected: "\(platform) as its descriptor says",
          found: "\(found)")
      }
    }
    guard let listed = json["rootfs"]?["diff_ids"]?.arrayValue else { return nil }
    if listed.count != layerCount {
      report(
        Violation(
          subject: subject, pointer: "/rootfs/diff_ids", rule: "config.md: rootfs.diff_ids",
          text:
            "expected one for each of the manifest's \(layerCount) layers, found \(listed.count)"))
    }
    return listed.map { $0.stringValue.flatMap { try? DiffID(parsing: $0) } }
  }

  private mutating func visitLayer(
    _ layer: Descriptor, number: Int, expected: DiffID?
  ) throws {
    let subject = "layer \(number) \(layer.digest)"
    // layer.md, "Non-Distributable Layers": these may be elsewhere.
    let mayBeAbsent = layer.mediaType.rawValue.contains(".nondistributable.")
    if mayBeAbsent, try store.size(of: layer.digest) == nil { return }
    guard try checkBlob(layer, subject: subject), layer.mediaType.isLayer else { return }
    let key = LayerKey(blob: layer.digest, algorithm: expected?.digest.algorithm ?? .sha256)
    if diffIDs[key] == nil {
      diffIDs[key] = .some(
        try checkLayer(layer, algorithm: key.algorithm, subject: subject))
    }
    guard let expected, let found = diffIDs[key] ?? nil, found != expected else { return }
    report(
      subject, "config.md: rootfs.diff_ids", expected: "DiffID \(expected) as the config says",
      found: "\(found)")
  }

  private func descriptors(_ elements: some Sequence<JSON>) -> [Descriptor] {
    elements.compactMap { try? Descriptor(json: $0) }
  }

  // MARK: Blobs

  /// A document's JSON, where its blob is here and holds any.
  private mutating func document(_ descriptor: Descriptor, subject: String) throws -> JSON? {
    try checkBlob(descriptor, subject: subject)
    guard try store.size(of: descriptor.digest) != nil else { return nil }
    return try json(at: store.path(of: descriptor.digest), subject: subject)
  }

  /// - Returns: whether the blob is here and is what its descriptor says.
  @discardableResult
  private mutating func checkBlob(_ descriptor: Descriptor, subject: String) throws -> Bool {
    let rule = "descriptor.md: digest and size"
    guard let size = try store.size(of: descriptor.digest) else {
      report(
        subject, "image-layout.md: blobs", expected: "a blob of \(descriptor.size) bytes",
        found: "none")
      return false
    }
    if size != descriptor.size {
      report(subject, rule, expected: "\(descriptor.size) bytes", found: "\(size)")
    }
    guard let found = try hash(of: descriptor.digest, subject: subject) else { return false }
    if found != descriptor.digest {
      report(subject, rule, expected: "content of this digest", found: "\(found)")
    }
    return size == descriptor.size && found == descriptor.digest
  }

  /// What a blob's bytes hash to, by the algorithm of its name.
  mutating func hash(of digest: Digest, subject: String) throws -> Digest? {
    if let known = hashes[digest] { return known }
    let found: Digest?? = try attempt(subject, "image-layout.md: blobs") { [store] in
      try store.contentDigest(of: digest)
    }
    hashes[digest] = .some(found ?? nil)
    return found ?? nil
  }

  func isHashed(_ digest: Digest) -> Bool { hashes[digest] != nil }

  /// Content that a descriptor embeds must be the content it names.
  private mutating func checkEmbedded(
    _ elements: [JSON], at pointer: String?, subject: String
  ) throws {
    for (index, element) in elements.enumerated() {
      guard let data = element["data"]?.stringValue.flatMap(decodedBase64),
        let descriptor = try? Descriptor(json: element)
      else { continue }
      let found = try Self.digest(of: data, algorithm: descriptor.digest.algorithm)
      guard found != descriptor.digest, Int64(data.count) == descriptor.size else { continue }
      report(
        Violation(
          subject: subject, pointer: (pointer.map { "\($0)/\(index)" } ?? "/config") + "/data",
          rule: "descriptor.md: data",
          text: "expected content of digest \(descriptor.digest), found \(found)"))
    }
  }
}
