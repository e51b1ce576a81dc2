import Assembly
import OCISpec
import SystemPackage

/// What `assemble` did.
struct AssemblySummary: Sendable {
  let images: AssembledImages
  /// `nil` where none was wanted.
  let layout: FilePath?
  let tag: String
  let pushed: [Reference]

  /// What `--json` prints.
  var json: JSON {
    .object([
      "digest": .string(images.root.digest.description),
      "mediaType": .string(images.root.mediaType.rawValue),
      "size": .integer(images.root.size),
      "layout": (layout?.string).map(JSON.string),
      "tag": layout == nil ? nil : .string(tag),
      "pushed": pushed.isEmpty ? nil : .array(pushed.map { .string($0.description) }),
      "images": .array(
        images.images.map { image in
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
