import OCILayout
import OCISpec
import Reporting

/// What `inspect` says of an image.
struct ImageSummary {
  private struct Part {
    let manifest: Document<Manifest>
    let config: ImageConfig
  }

  private let reference: String
  private let root: Descriptor
  private let parts: [Part]
  private let attestationCount: Int

  init(_ image: OpenedImage, platform: Platform?) throws {
    reference = image.reference.description
    root = image.root
    let contents = try image.layout.contents(of: image.root)
    attestationCount = contents.attestations.count
    let chosen = try platform.map { [try image.manifest(for: $0)] } ?? contents.images
    parts = try chosen.map { manifest in
      Part(manifest: manifest, config: try image.layout.config(manifest.body.config).body)
    }
  }

  var json: JSON {
    .object([
      "reference": .string(reference),
      "digest": .string(root.digest.description),
      "mediaType": .string(root.mediaType.rawValue),
      "size": .integer(root.size),
      "images": .array(
        parts.map { part in
          .object([
            "platform": .string(part.config.platform.description),
            "digest": .string(part.manifest.descriptor.digest.description),
            "manifest": part.manifest.body.json,
            "config": part.config.json,
          ])
        }),
    ])
  }

  var text: String {
    var lines = [("image", reference.printable), ("digest", root.digest.description)]
    if root.mediaType.isIndex {
      let platforms = parts.map(\.config.platform.description).joined(separator: ", ")
      lines.append(("index of", platforms.printable))
    }
    if attestationCount > 0 { lines.append(("attestations", "\(attestationCount)")) }
    var text = Self.table(lines)
    for part in parts { text += "\n" + Self.table(Self.lines(of: part)) }
    return text
  }

  private static func lines(of part: Part) -> [(String, String)] {
    let config = part.config.config
    var lines = [
      ("platform", part.config.platform.description.printable),
      ("manifest", part.manifest.descriptor.digest.description),
    ]
    func add(_ label: String, _ value: String?) {
      if let value, !value.isEmpty { lines.append((label, value.printable)) }
    }
    add("created", part.config.created)
    add("user", config.user)
    add("working dir", config.workingDir)
    add("entrypoint", config.entrypoint.map(command))
    add("cmd", config.cmd.map(command))
    add("ports", config.exposedPorts.sorted().joined(separator: ", "))
    add("volumes", config.volumes.sorted().joined(separator: ", "))
    add("stop signal", config.stopSignal)
    for variable in config.env { add("env", variable) }
    for (key, value) in config.labels.sorted(by: { $0.key < $1.key }) {
      add("label", "\(key)=\(value)")
    }
    let annotations = part.manifest.body.annotations.sorted { $0.key < $1.key }
    for (key, value) in annotations { add("annotation", "\(key)=\(value)") }
    let steps = part.config.history.filter { !$0.emptyLayer }
    for (index, layer) in part.manifest.body.layers.enumerated() {
      let size = readable(byteCount: layer.size)
      let step = index < steps.count ? steps[index].createdBy ?? "" : ""
      add("layer \(index + 1)", "\(layer.digest)  \(size)  \(step)")
    }
    return lines
  }

  /// The words of a command as a JSON array: unambiguous, and what a definition says.
  private static func command(_ words: [String]) -> String {
    String(decoding: CanonicalJSON.encode(.array(words.map(JSON.string))), as: UTF8.self)
  }

  private static func table(_ lines: [(label: String, value: String)]) -> String {
    lines.map { line in
      line.label + String(repeating: " ", count: max(1, 13 - line.label.count)) + line.value + "\n"
    }.joined()
  }
}
