import ArgumentParser
import OCILayout
import OCISpec
import SystemPackage

/// What `push`, `pull` and `copy` take besides source and destination.
struct TransferOptions: ParsableArguments {
  @Option(
    help: "Only this platform's image, out of an index.", transform: Platform.init(parsing:))
  var platform: Platform?

  @Option(help: "Also write the digest to a file.", completion: .file())
  var digestFile: String?

  @OptionGroup var registry: RegistryOptions
  @OptionGroup var common: CommonOptions

  /// Copies, and answers with the digest.
  ///
  /// - Parameter creation: how a repository that is missing is made; `nil` where nothing goes to a registry.
  func copy(
    _ source: ImageReference, to destinations: [ImageReference], creation: RepositoryCreation? = nil
  ) async throws {
    let console = common.console()
    let registries = ([source] + destinations).compactMap(\.registry)
    let root = try await registry.withAccess(to: registries, console.reporter) { access in
      try await ImageCopy(access: access, creation: creation, reporter: console.reporter)
        .copy(source, to: destinations, platform: platform)
    }
    if let digestFile { try writeFile(FilePath(digestFile), "\(root.digest)\n") }
    console.close()
    try answer("\(root.digest)\n")
  }
}

extension ImageReference {
  /// The registry, where the image is in one.
  var registry: Registry? {
    if case .registry(let reference) = self { reference.repository.registry } else { nil }
  }
}
