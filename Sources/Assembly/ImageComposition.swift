import Definition
import OCILayout
import OCISpec
import Reporting

/// What the documents of an image say: those of its base with the definition's edits and the new layers.
struct ImageComposition {
  let image: PlatformImage
  let base: ResolvedBase?
  let layers: [PackedLayer]
  let format: LayerFormat
  let epoch: Int64

  /// The definition's, with the variant and what else only the base says: a config and the descriptor of its
  /// manifest must agree.
  var platform: Platform {
    var platform = image.platform
    guard let base = base?.config.platform else { return platform }
    platform.variant = platform.variant ?? base.variant
    platform.osVersion = platform.osVersion ?? base.osVersion
    platform.osFeatures = platform.osFeatures ?? base.osFeatures
    return platform
  }

  var baseLayers: [Descriptor] { base?.layers.map(\.descriptor) ?? [] }

  /// Fields of the base's config that nobody here knows stay, those beside `config` too.
  var config: ImageConfig {
    let created = rfc3339(seconds: epoch)
    var config = base?.config ?? ImageConfig(platform: platform)
    config.platform = platform
    config.config = image.config.applying(to: config.config)
    config.author = image.config.author(over: config.author)
    config.created = created
    config.diffIDs += layers.map(\.diffID)
    config.history = baseHistory(created: created)
    config.history += layers.map {
      History(created: created, createdBy: format.createdBy($0.name))
    }
    return config
  }

  /// The definition's own annotations win over those that name the base.
  func manifest(config: Descriptor, annotations: [String: String]) -> Manifest {
    var origin: [String: String] = [:]
    if let base {
      origin[AnnotationKey.baseName] = base.name
      origin[AnnotationKey.baseDigest] = base.digest.description
    }
    return Manifest(
      config: config, layers: baseLayers + layers.map(\.descriptor),
      annotations: origin.merging(annotations) { $1 })
  }

  /// The base's history. Where it has none or too little, steps that only say when come first: podman takes a
  /// history for broken that has not one step for each layer (peers.md, 58), tools that drop a base's history
  /// drop its lowest part, and umoci 0.4 does not survive a step without a time.
  private func baseHistory(created: String?) -> [History] {
    guard let base else { return [] }
    let missing = base.layers.count - base.config.stepCount
    return Array(repeating: History(created: created), count: missing) + base.config.history
  }
}

extension ImageConfig {
  /// How many steps of the history made a layer.
  fileprivate var stepCount: Int { history.count { !$0.emptyLayer } }
}

extension ResolvedBase {
  /// Holds the config against the layers: what is made of a base that contradicts itself would, too.
  func check() throws(AssemblyError) {
    let base = (name ?? digest.description).quoted
    guard config.diffIDs.count == layers.count else {
      throw .baseLayerCount(
        base: base, layers: layers.count, diffIDs: config.diffIDs.count)
    }
    guard config.stepCount <= layers.count else {
      throw .baseHistoryCount(base: base, layers: layers.count, steps: config.stepCount)
    }
  }
}
