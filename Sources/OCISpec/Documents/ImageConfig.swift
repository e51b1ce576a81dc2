/// An image's configuration: image-spec, config.md. Members that are not known here are kept.
package struct ImageConfig: Sendable, Equatable {
  package var created: String?
  package var author: String?
  package var platform: Platform
  package var config: ContainerConfig
  package var diffIDs: [DiffID]
  package var history: [History]
  /// Top-level members that this type does not know.
  package var unknown: JSONObject

  package init(
    platform: Platform, config: ContainerConfig = ContainerConfig(), diffIDs: [DiffID] = [],
    history: [History] = [], created: String? = nil, author: String? = nil
  ) {
    self.platform = platform
    self.config = config
    self.diffIDs = diffIDs
    self.history = history
    self.created = created
    self.author = author
    self.unknown = JSONObject()
  }

  package init(json: JSON) throws(DocumentError) {
    let json = Located(json)
    created = try json.optional("created")?.string()
    author = try json.optional("author")?.string()
    platform = try Platform(json)
    config = try json.optional("config").map(ContainerConfig.init) ?? ContainerConfig()
    diffIDs = []
    let rootfs = try json.required("rootfs")
    for element in try rootfs.optional("diff_ids")?.elements() ?? [] {
      diffIDs.append(DiffID(try element.digest()))
    }
    history = []
    for item in try json.optional("history")?.elements() ?? [] {
      history.append(try History(item))
    }
    unknown = try json.object().removing(Self.knownKeys)
  }

  package var json: JSON {
    let object: JSONObject = [
      "created": created.map(JSON.string),
      "author": author.map(JSON.string),
      "config": config.isEmpty ? nil : config.json,
      "rootfs": .object([
        "type": "layers", "diff_ids": .array(diffIDs.map { .string($0.description) }),
      ]),
      "history": history.isEmpty ? nil : .array(history.map(\.json)),
    ]
    return .object(object + (platform.json.objectValue ?? JSONObject()) + unknown)
  }

  private static let knownKeys: Set<String> = [
    "created", "author", "os", "architecture", "variant", "os.version", "os.features", "config",
    "rootfs", "history",
  ]
}

/// One step of an image's making: image-spec, config.md, "history".
package struct History: Sendable, Hashable {
  package var created: String?
  package var author: String?
  package var createdBy: String?
  package var comment: String?
  /// Whether this step made no layer.
  package var emptyLayer: Bool
  /// Members that this type does not know, kept as they came.
  package var unknown = JSONObject()

  package init(
    created: String? = nil, createdBy: String? = nil, comment: String? = nil,
    emptyLayer: Bool = false
  ) {
    self.created = created
    self.createdBy = createdBy
    self.comment = comment
    self.emptyLayer = emptyLayer
  }

  init(_ json: Located) throws(DocumentError) {
    created = try json.optional("created")?.string()
    author = try json.optional("author")?.string()
    createdBy = try json.optional("created_by")?.string()
    comment = try json.optional("comment")?.string()
    emptyLayer = try json.optional("empty_layer")?.boolean() ?? false
    unknown = try json.object().removing(Self.knownKeys)
  }

  package var json: JSON {
    .object(
      [
        "created": created.map(JSON.string), "author": author.map(JSON.string),
        "created_by": createdBy.map(JSON.string), "comment": comment.map(JSON.string),
        "empty_layer": emptyLayer ? .bool(true) : nil,
      ] + unknown)
  }

  private static let knownKeys: Set<String> = [
    "created", "author", "created_by", "comment", "empty_layer",
  ]
}

extension JSONObject {
  func removing(_ keys: Set<String>) -> JSONObject {
    var rest = JSONObject()
    for (key, value) in members where !keys.contains(key) { rest.append(key, value) }
    return rest
  }
}
