/// The rules of image-spec 1.1.1 that one JSON document can be held against by itself. Pure; every broken rule
/// is in the answer, none hides another.
///
/// `subject` names the document in the answer. Where a document was reached through a descriptor,
/// `mediaType` is the one that the descriptor gives.
package enum DocumentValidation {
  package static let maximumLayerCount = 1_000
  package static let maximumManifestCount = 10_000

  /// The file `oci-layout`.
  package static func layoutFile(_ json: JSON, subject: String = "oci-layout") -> [Violation] {
    let rule = "image-layout.md: oci-layout"
    var checks = ValidationChecks(subject: subject)
    let document = Located(json)
    guard checks.has(document, .object, rule) else { return checks.violations }
    let version = checks.member("imageLayoutVersion", of: document, .string, .required, rule)
    if let version, version.value != "1.0.0" {
      checks.report(version, rule, expected: "\"1.0.0\"")
    }
    return checks.violations
  }

  /// The file `index.json` of a layout: an image index whose descriptors may carry tags.
  package static func layoutIndex(_ json: JSON, subject: String = "index.json") -> [Violation] {
    var checks = ValidationChecks(subject: subject)
    checks.imageIndex(Located(json), mediaType: .imageIndex)
    for descriptor in Located(json).member("manifests")?.children ?? [] {
      let name = descriptor.member("annotations")?.member(AnnotationKey.refName)
      if let name, let text = name.value.stringValue, !isRefName(text) {
        checks.report(
          as: .should, name, "annotations.md: org.opencontainers.image.ref.name",
          expected:
            "letters and digits with single separators of -._:@+ (or \"--\") between, in parts joined by \"/\""
        )
      }
    }
    return checks.violations
  }

  package static func imageIndex(
    _ json: JSON, subject: String, mediaType: MediaType = .imageIndex
  ) -> [Violation] {
    var checks = ValidationChecks(subject: subject)
    checks.imageIndex(Located(json), mediaType: mediaType)
    return checks.violations
  }

  package static func manifest(
    _ json: JSON, subject: String, mediaType: MediaType = .imageManifest
  ) -> [Violation] {
    var checks = ValidationChecks(subject: subject)
    checks.manifest(Located(json), mediaType: mediaType)
    return checks.violations
  }

  package static func config(
    _ json: JSON, subject: String, mediaType: MediaType = .imageConfig
  ) -> [Violation] {
    var checks = ValidationChecks(subject: subject)
    checks.config(Located(json), isDocker: mediaType == .dockerConfig)
    return checks.violations
  }

  /// `ref` of annotations.md, "Pre-Defined Annotation Keys".
  static func isRefName(_ text: String) -> Bool {
    text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy {
      component in
      var separators: [UInt8] = [0]  // as if before the first letter, where none may stand
      for byte in component {
        if byte.isASCIILetterOrDigit {
          guard separators.count < 2 || separators == Array("--".utf8) else { return false }
          separators = []
        } else {
          guard "-._:@+".utf8.contains(byte) else { return false }
          separators.append(byte)
        }
      }
      return separators.isEmpty
    }
  }
}

extension ValidationChecks {
  fileprivate mutating func imageIndex(_ document: Located, mediaType: MediaType) {
    let file = "image-index.md"
    guard has(document, .object, file) else { return }
    head(document, mediaType: mediaType, file)
    refuse(["config", "layers", "fsLayers"], in: document, file)
    let manifests = elements("manifests", of: document, .object, .required, "\(file): manifests")
    if manifests.count > DocumentValidation.maximumManifestCount {
      report(
        at: "/manifests", "limit of ociforge",
        expected: "at most \(DocumentValidation.maximumManifestCount) manifests",
        found: "\(manifests.count)")
    }
    for manifest in manifests { descriptor(manifest) }
    tail(document, file)
  }

  fileprivate mutating func manifest(_ document: Located, mediaType: MediaType) {
    let file = "manifest.md"
    guard has(document, .object, file) else { return }
    head(document, mediaType: mediaType, file)
    refuse(["manifests", "fsLayers"], in: document, file)
    if let config = member("config", of: document, .object, .required, "\(file): config") {
      descriptor(config)
      let isEmpty = config.member("mediaType")?.value == .string(MediaType.empty.rawValue)
      if isEmpty && document.member("artifactType") == nil {
        report(
          at: "", "\(file): artifactType",
          expected: "a member \"artifactType\" beside an empty config", found: "none")
      }
    }
    let layers = elements("layers", of: document, .object, .required, "\(file): layers")
    for layer in layers { descriptor(layer) }
    if document.member("layers")?.value == .array([]) {
      report(
        as: .should, at: "/layers", "\(file): layers", expected: "at least one layer", found: "none"
      )
    }
    if layers.count > DocumentValidation.maximumLayerCount {
      report(
        at: "/layers", "limit of ociforge",
        expected: "at most \(DocumentValidation.maximumLayerCount) layers",
        found: "\(layers.count)")
    }
    tail(document, file)
  }

  private mutating func head(_ document: Located, mediaType: MediaType, _ file: String) {
    let rule = "\(file): schemaVersion"
    let version = member("schemaVersion", of: document, .integer, .required, rule)
    if let version, version.value != .integer(2) { report(version, rule, expected: "2") }
    guard document.member("mediaType") != nil else {
      report(
        as: .should, at: "", "\(file): mediaType",
        expected: "a member \"mediaType\" of \(mediaType.rawValue)", found: "none")
      return
    }
    let found = member("mediaType", of: document, .string, .optional, "\(file): mediaType")
    if let found, found.value != .string(mediaType.rawValue) {
      report(found, "\(file): mediaType", expected: mediaType.rawValue)
    }
  }

  private mutating func tail(_ document: Located, _ file: String) {
    artifactType(of: document, "\(file): artifactType")
    if let subject = member("subject", of: document, .object, .optional, "\(file): subject") {
      descriptor(subject)
    }
    annotations(of: document, "\(file): annotations")
  }

  /// What reads as a manifest for one tool and as an index for another can hide content:
  /// https://github.com/opencontainers/image-spec/security/advisories/GHSA-77vh-xpmg-72qh
  private mutating func refuse(_ keys: [String], in document: Located, _ file: String) {
    for key in keys {
      guard let member = document.member(key) else { continue }
      report(
        at: member.pointer, "\(file): ambiguous document (CVE-2021-41190)",
        expected: "no member of another kind of document", found: member.value.kindName)
    }
  }
}
