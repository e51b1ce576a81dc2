import ArgumentParser
import Assembly
import Bindings
import Definition
import Inputs
import OCILayout
import OCISpec
import Remote
import Reporting
import SystemPackage
import Workers

struct Assemble: InterruptibleCommand {
  static let configuration = CommandConfiguration(
    abstract: "Assemble an image from its definition into an OCI image layout.",
    discussion:
      "Prints the digest of the image: of its manifest, or of its index where it has several platforms."
  )

  @Argument(help: "An image.yaml, or a folder that holds one.", completion: .file())
  var definition = "."

  @Option(
    name: [.customShort("o"), .long], help: "The layout's folder (default: build/<name>).",
    completion: .directory)
  var output: String?

  @Option(name: [.short, .long], help: "The tag in the layout.")
  var tag = "latest"

  @Option(
    name: .customLong("platform"),
    help: "One of the definition's platforms; repeatable (default: all).",
    transform: Platform.init(parsing:))
  var platforms: [Platform] = []

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Override a parameter; repeatable.", valueName: "name=value"),
    transform: ParameterAssignment.init(parsing:))
  var parameters: [ParameterAssignment] = []

  // Unconditional, or "--epoch -1" would be said to lack a value.
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The one time in the image, since 1970.", valueName: "seconds"),
    transform: Epoch.init(parsing:))
  var epoch: Epoch?

  @Flag(help: "Open no socket; every input must be here or in the cache.")
  var offline = false

  @Option(help: "Also write an OCI archive; - writes it to stdout.", completion: .file())
  var archive: String?

  @Option(
    help: "Also write an archive for docker load and podman load; - writes it to stdout.",
    completion: .file())
  var dockerArchive: String?

  @Option(
    name: .customLong("push"),
    help: ArgumentHelp(
      "Push the image; repeatable, for several tags and registries.",
      valueName: "host/path[:tag]"))
  var pushes: [String] = []

  @Flag(help: "Leave no layout; what a registry is to get goes straight there.")
  var noLayout = false

  @Option(help: "Also write the digest to a file.", completion: .file())
  var digestFile: String?

  @Flag(help: "Describe what was assembled as JSON instead of printing the digest.")
  var json = false

  @OptionGroup var creation: RepositoryCreation
  @OptionGroup var registry: RegistryOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard answers.count < 2 else {
      throw ValidationError("only one of \(answers.joined(separator: ", ")) can have stdout")
    }
    let files = [output, archive, dockerArchive, digestFile].compactMap { $0 }
    guard !files.contains("") else { throw ValidationError("an empty name for an output") }
    guard Set(files.map { FilePath($0).lexicallyNormalized() }).count == files.count else {
      throw ValidationError("two outputs have the same name")
    }
    if noLayout && output != nil { throw ValidationError("--no-layout and -o exclude each other") }
    if noLayout && pushes.isEmpty && archive == nil && dockerArchive == nil {
      throw ValidationError("--no-layout leaves nothing; add --push, --archive or --docker-archive")
    }
    if offline && !pushes.isEmpty {
      throw ValidationError("--offline and --push exclude each other")
    }
  }

  /// The options that put something else than the digest on stdout.
  private var answers: [String] {
    (archive == "-" ? ["--archive -"] : []) + (dockerArchive == "-" ? ["--docker-archive -"] : [])
      + (json ? ["--json"] : [])
  }

  func run() async throws {
    let console = common.console()
    guard Reference.isTag(tag) else { throw LayoutError.malformedTag(tag) }
    let destinations = try pushes.map(registryReference)
    let registries = destinations.map(\.repository.registry)
    let summary = try await registry.withAccess(
      to: registries, offline: offline, console.reporter
    ) { access in
      try await assemble(for: destinations, access, console.reporter)
    }
    console.close()
    if json {
      try answer(PrettyJSON.encode(summary.json))
    } else if answers.isEmpty {
      try answer("\(summary.images.root.digest)\n")
    }
  }

  private func assemble(
    for destinations: [Reference], _ access: RegistryAccess, _ reporter: Reporter
  ) async throws -> AssemblySummary {
    var stages = Stages(reporter)
    let definition = try ImageDefinition.load(
      FilePath(definition), overrides: try parameters.dictionary(),
      platforms: platforms.isEmpty ? nil : platforms)
    for warning in definition.warnings { reporter.warn(warning.description(in: definition.file)) }
    if dockerArchive != nil && definition.images.count > 1 {
      throw UsageError.dockerArchiveOfSeveral(definition.images.map(\.platform))
    }
    let epoch = try Epoch.choose(flag: epoch, definition: definition.epoch, reporter)
    let output = FilePath(output ?? "build/\(definition.name)")
    stages.end("definition")

    let cache = try CacheDirectory.locate(fallbackBeside: output, reporter: reporter)
    let run = AssemblyRun(access: access, cache: cache, isOffline: offline, reporter: reporter)
    let bases = try await run.bases(of: definition)
    stages.end("base")
    let plan = try await run.plan(definition, on: bases, epoch: epoch, outputs: [output])
    stages.end("inputs")

    let temporary = noLayout ? try TemporaryLayout(in: cache.store) : nil
    let layout = try temporary?.layout ?? ImageLayout.create(output)
    let images = try await layout.withWriteSession {
      let images = try await run.pack(plan, epoch: epoch, into: layout)
      stages.end("layers")
      if !noLayout || archive != nil || dockerArchive != nil {
        try await bases.placeLayers(in: layout.store)
      }
      try layout.tag(images.root, as: tag)
      return images
    }
    try writeArchives(of: images, layout: layout, name: definition.name, epoch: epoch)
    stages.end("layout")

    for (repository, references) in destinations.byRepository() {
      try await creation.ensure(repository, access, reporter)
      let pusher = ImagePusher(
        to: access.registries.repository(repository), from: layout,
        mountFrom: bases.neighbours(of: repository), obtain: { try await bases.blob($0) },
        reporter: reporter)
      _ = try await pusher.push(images.root, tags: references.compactMap(\.tag))
      stages.end("push")
    }
    if let digestFile { try writeFile(FilePath(digestFile), "\(images.root.digest)\n") }
    withExtendedLifetime(temporary) {}
    return AssemblySummary(
      images: images, layout: noLayout ? nil : output, tag: tag, pushed: destinations)
  }

  private func writeArchives(
    of images: AssembledImages, layout: ImageLayout, name: String, epoch: Epoch
  ) throws {
    if let archive {
      try withArchiveOutput(archive) { sink in
        try OCIArchive.write(
          images.root, tag: tag, from: layout, epoch: epoch.seconds, to: sink)
      }
    }
    if let dockerArchive, let image = images.images.first {
      try withArchiveOutput(dockerArchive) { sink in
        try DockerArchive.write(
          image.manifest.descriptor, names: ["\(name):\(tag)"], from: layout,
          epoch: epoch.seconds, to: sink)
      }
    }
  }
}
