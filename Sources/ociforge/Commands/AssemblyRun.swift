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

/// The stages from a definition to an image in a layout: what `assemble` does, for the definition that it names and
/// for those that this one stands on.
struct AssemblyRun: Sendable {
  let access: RegistryAccess
  let cache: CacheDirectory
  let isOffline: Bool
  let reporter: Reporter

  /// - Parameter chain: the definitions that wait for this one.
  func bases(
    of definition: ImageDefinition, chain: [FilePath] = []
  ) async throws -> ResolvedBases {
    let resolver = BaseResolver(
      registry: access.bases(reporter: reporter),
      assemble: { try await assembleBase($0, for: $1, chain: $2) }, chain: chain,
      cache: cache.store, offline: isOffline, reporter: reporter)
    return try await resolver.resolve(definition)
  }

  /// - Parameter outputs: folders that ociforge writes to; no tree takes them in.
  func plan(
    _ definition: ImageDefinition, on bases: ResolvedBases, epoch: Epoch, outputs: [FilePath]
  ) async throws -> AssemblyPlan {
    let inputs = try await InputResolver().resolve(
      definition, cache: cache.store, offline: isOffline, reporter: reporter)
    return try AssemblyPlan(
      definition, inputs: inputs.files, bases: bases.images, epoch: epoch.seconds,
      spoolStore: cache.store, outputs: outputs + [cache.path], reporter: reporter)
  }

  /// Packs and composes; nothing is tagged, and the layers of bases stay where they are.
  func pack(
    _ plan: AssemblyPlan, epoch: Epoch, into layout: ImageLayout
  ) async throws -> AssembledImages {
    let assembler = Assembler(
      options: AssemblyOptions(epoch: epoch.seconds, threads: processorCount),
      store: layout.store, reporter: reporter)
    return try await assembler.assemble(plan)
  }

  /// Another definition, by itself: its parameters and epoch are its own. It is assembled into the cache.
  private func assembleBase(
    _ path: FilePath, for platforms: [Platform], chain: [FilePath]
  ) async throws -> (ImageLayout, Descriptor) {
    let definition = try ImageDefinition.load(path, overrides: [:], platforms: platforms)
    for warning in definition.warnings { reporter.warn(warning.description(in: definition.file)) }
    let epoch = try Epoch.choose(flag: nil, definition: definition.epoch, reporter)
    let bases = try await bases(of: definition, chain: chain)
    let plan = try await plan(definition, on: bases, epoch: epoch, outputs: [])
    let layout = ImageLayout(blobsOf: cache.store)
    let images = try await pack(plan, epoch: epoch, into: layout)
    try await bases.placeLayers(in: layout.store)
    return (layout, images.root)
  }
}
