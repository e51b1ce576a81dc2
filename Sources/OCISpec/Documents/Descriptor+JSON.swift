extension Descriptor {
  package init(json: JSON) throws(DocumentError) { try self.init(Located(json)) }

  init(_ json: Located) throws(DocumentError) {
    let size = try json.required("size")
    guard try size.integer() >= 0 else {
      throw DocumentError(
        pointer: size.pointer, expected: "a size of at least 0", found: "\(try size.integer())")
    }
    self.init(
      mediaType: MediaType(rawValue: try json.required("mediaType").string()),
      digest: try json.required("digest").digest(),
      size: try size.integer(),
      platform: try json.optional("platform").map(Platform.init),
      annotations: try json.optional("annotations")?.stringMap() ?? [:],
      artifactType: try json.optional("artifactType")?.string())
    if let platform = try json.optional("platform") {
      platformUnknown = try platform.object().removing(Platform.knownKeys)
    }
    unknown = try json.object().removing(Self.knownKeys)
  }

  package var json: JSON {
    .object(
      [
        "mediaType": .string(mediaType.rawValue),
        "digest": .string(digest.description),
        "size": .integer(size),
        "platform": platform.map { .object($0.members + platformUnknown) },
        "annotations": .map(annotations),
        "artifactType": artifactType.map(JSON.string),
      ] + unknown)
  }

  private static let knownKeys: Set<String> = [
    "mediaType", "digest", "size", "platform", "annotations", "artifactType",
  ]
}

extension Platform {
  init(_ json: Located) throws(DocumentError) {
    self.init(
      os: try json.required("os").string(),
      architecture: try json.required("architecture").string(),
      variant: try json.optional("variant")?.string(),
      osVersion: try json.optional("os.version")?.string(),
      osFeatures: try json.optional("os.features")?.strings())
  }

  package var json: JSON { .object(members) }

  fileprivate var members: JSONObject {
    [
      "os": .string(os), "architecture": .string(architecture),
      "variant": variant.map(JSON.string), "os.version": osVersion.map(JSON.string),
      "os.features": .list(osFeatures),
    ]
  }

  fileprivate static let knownKeys: Set<String> = [
    "os", "architecture", "variant", "os.version", "os.features",
  ]
}

extension JSONObject: ExpressibleByDictionaryLiteral {
  /// Members whose value is `nil` are left out.
  package init(dictionaryLiteral elements: (String, JSON?)...) {
    self.init()
    for (key, value) in elements { self[key] = value }
  }

  /// Both, where `rest` has no key of `known`.
  static func + (known: JSONObject, rest: JSONObject) -> JSONObject {
    var all = known
    for (key, value) in rest.members { all.append(key, value) }
    return all
  }
}
