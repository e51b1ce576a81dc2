import Bindings
import OCISpec
import Reporting
import SystemPackage

/// Reads one definition: what platforms share once, the rest for each of them.
struct DefinitionReader {
  let file: FilePath
  let directory: FilePath
  let overrides: [String: String]
  let requested: [Platform]?
  let complaints = Complaints()

  init(file: FilePath, overrides: [String: String], requested: [Platform]?) {
    self.file = file
    let folder = file.removingLastComponent()
    directory = folder.isEmpty ? "." : folder
    self.overrides = overrides
    self.requested = requested
  }

  func read(_ node: YAMLNode) throws -> ImageDefinition {
    let root = Located(node: node, name: "", scope: .literal, complaints: complaints)
    guard isReadable(root), let members = Members(root, .image, expected: "a map") else {
      throw invalid
    }
    var failures: [DefinitionError] = []
    let parameters = readParameters(members["parameters"], &failures)
    let declared = readPlatforms(members["platforms"])
    let platforms = choosePlatforms(declared, root, &failures)

    let name = members["name"]?.parsed(
      "a name of lower-case letters, digits, \".\", \"_\" and \"-\" that starts with a letter or digit"
    ) { ImageName.isValid($0) ? $0 : nil }
    let epoch = members["epoch"]?.integer(
      "seconds from 0 to \(ObjectShape.maximumTime)", in: 0...ObjectShape.maximumTime)
    let annotations = readAnnotations(members["annotations"]?.with(.shared(parameters: parameters)))
    let accounts = members["accounts"].flatMap { readAccounts($0) }

    var images: [PlatformImage] = []
    var used: Set<String> = []
    // Where no platform is known, one pass still finds what is wrong with the rest.
    for platform in platforms.isEmpty ? [nil] : platforms.map(Optional.some) {
      let scope = Scope.ImageScope(
        parameters: parameters, platform: platform, declared: declared)
      var image = readImage(members, scope, &used)
      image.accounts = accounts
      images.append(image)
      complaints.beginNextPlatform()
    }
    if platforms.count == declared?.count { warnOfUnusedInputs(members["inputs"], used) }

    if !complaints.sorted.isEmpty { failures.insert(invalid, at: 0) }
    if failures.count > 1 { throw FailureList(failures) }
    if let failure = failures.first { throw failure }
    guard let name else { throw invalid }
    return ImageDefinition(
      file: file, directory: directory, formatVersion: 1, name: name, parameters: parameters,
      epoch: epoch, annotations: annotations, images: images, warnings: complaints.warnings)
  }

  func location(_ position: TextPosition) -> SourceLocation {
    SourceLocation(file: file.string, line: position.line, column: position.column)
  }

  /// A local path of the definition's: a relative one starts from its folder, and may leave it.
  func localPath(_ value: Located) -> FilePath? {
    value.line("a path").map { directory.pushing(FilePath($0)) }
  }

  private var invalid: DefinitionError { .invalid(file: file, complaints: complaints.sorted) }

  /// Whether this is a definition of a version that is known here. Of another, nothing else is read: its
  /// keys may mean something else.
  private func isReadable(_ root: Located) -> Bool {
    guard root.isMap else {
      root.mismatch("a map with the key \"formatVersion\"")
      return false
    }
    guard let version = root.member("formatVersion") else { return true }
    let value = Located(
      node: version, name: "formatVersion", scope: .literal, complaints: complaints)
    return value.integer("1, the version that this ociforge reads", in: 1...1) != nil
  }

  private func readImage(
    _ members: Members, _ scope: Scope.ImageScope, _ used: inout Set<String>
  ) -> PlatformImage {
    let scope = (image: Scope.image(scope), platform: scope.platform)
    let base = readBase(members["from"]?.with(scope.image))
    let inputs = members["inputs"].map { readInputs($0.with(scope.image)) } ?? InputTable()
    let layers = members["layers"].map { readLayers($0.with(scope.image), inputs) } ?? []
    let usedHere = inputs.used(by: layers)
    used.formUnion(usedHere)
    let config = members["config"].map { readConfig($0.with(scope.image)) } ?? ConfigEdits()
    return PlatformImage(
      platform: scope.platform ?? Platform(os: "", architecture: ""), base: base,
      inputs: inputs.values.filter { usedHere.contains($0.key) }, accounts: nil, layers: layers,
      config: config)
  }

  private func readAnnotations(_ value: Located?) -> [String: String] {
    var annotations: [String: String] = [:]
    for member in value?.entries() ?? [] { annotations[member.key] = member.value.text() }
    return annotations
  }

  private func warnOfUnusedInputs(_ inputs: Located?, _ used: Set<String>) {
    guard let inputs, case .mapping = inputs.node.value else { return }
    for member in inputs.entries() ?? [] where !used.contains(member.key) {
      complaints.warn(
        Complaint(member.keyPosition, "input \(member.key.quoted) is used by no layer"))
    }
  }
}

/// The rule for an image's name, which is the name of a folder, too.
enum ImageName {
  static func isValid(_ text: String) -> Bool {
    guard let first = text.utf8.first, first.isDigit || first.isLowerCaseLetter else {
      return false
    }
    return text.utf8.count <= 128
      && text.utf8.allSatisfy { $0.isDigit || $0.isLowerCaseLetter || ".-_".utf8.contains($0) }
  }
}
