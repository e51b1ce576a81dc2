import ArgumentParser
import Assembly
import Bindings
import Definition
import Inputs
import OCILayout
import OCISpec
import Reporting
import SystemPackage
import Workers

struct Assemble: AsyncParsableCommand {
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

  @Option(help: "Also write the digest to a file.", completion: .file())
  var digestFile: String?

  @Flag(help: "Describe what was assembled as JSON instead of printing the digest.")
  var json = false

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
  }

  /// The options that put something else than the digest on stdout.
  private var answers: [String] {
    (archive == "-" ? ["--archive -"] : []) + (dockerArchive == "-" ? ["--docker-archive -"] : [])
      + (json ? ["--json"] : [])
  }

  func run() async throws {
    let console = common.console()
    let reporter = console.reporter
    var stages = Stages(reporter)
    guard Reference.isTag(tag) else { throw LayoutError.malformedTag(tag) }
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
    let inputs = try await InputResolver().resolve(
      definition, cache: cache.store, offline: offline, reporter: reporter)
    stages.end("inputs")

    let plan = try AssemblyPlan(
      definition, inputs: inputs.files, epoch: epoch.seconds, spoolStore: cache.store,
      outputs: [output, cache.path], reporter: reporter)
    let layout = try ImageLayout.create(output)
    let images = try await layout.withWriteSession {
      let assembler = Assembler(
        options: AssemblyOptions(epoch: epoch.seconds, threads: processorCount),
        store: layout.store, reporter: reporter)
      let images = try await assembler.assemble(plan)
      try layout.tag(images.root, as: tag)
      return images
    }
    stages.end("layers")

    try writeArchives(of: images, layout: layout, name: definition.name, epoch: epoch)
    if let digestFile {
      try writeFile(FilePath(digestFile), "\(images.root.digest)\n")
    }
    console.close()
    if json {
      try answer(PrettyJSON.encode(images.summary(layout: output, tag: tag)))
    } else if answers.isEmpty {
      try answer("\(images.root.digest)\n")
    }
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

extension AssembledImages {
  /// What `--json` prints.
  fileprivate func summary(layout: FilePath, tag: String) -> JSON {
    .object([
      "digest": .string(root.digest.description),
      "mediaType": .string(root.mediaType.rawValue),
      "size": .integer(root.size),
      "layout": .string(layout.string),
      "tag": .string(tag),
      "images": .array(
        images.map { image in
          .object([
            "platform": .string(image.platform.description),
            "manifest": .string(image.manifest.descriptor.digest.description),
            "config": .string(image.config.descriptor.digest.description),
            "layers": .array(
              image.layers.map { layer in
                .object([
                  "name": .string(layer.name),
                  "digest": .string(layer.descriptor.digest.description),
                  "diffID": .string(layer.diffID.description),
                  "mediaType": .string(layer.descriptor.mediaType.rawValue),
                  "size": .integer(layer.descriptor.size),
                ])
              }),
          ])
        }),
    ])
  }
}
