import OCISpec
import Reporting

/// What the answer to a manifest's GET must be before anything of it is believed: registry.md, B.2 and F.2.
enum ManifestRules {
  static let byteLimit = 4 << 20
  static let layerLimit = 1_000
  static let manifestLimit = 10_000

  /// Everything that can be pulled, in one line: some servers look at the first alone, and none means schema 1.
  static let accept = [
    MediaType.imageIndex, .imageManifest, .dockerManifestList, .dockerManifest,
  ].map(\.rawValue).joined(separator: ", ")

  /// The type of a document whose digest was found right.
  ///
  /// What its header says, its own `mediaType` and its members must not contradict each other: CVE-2021-41190,
  /// GHSA-mc8v-mgrf-8f4m.
  static func mediaType(
    of body: [UInt8], contentType: String?
  ) throws(RegistryFailure.Problem) -> MediaType {
    let document: JSON
    do { document = try JSON(parsing: body) } catch {
      let type = contentType.map(\.quoted) ?? "something"
      throw .protocolBroken("expected a manifest, got \(type) that is \(error)")
    }
    guard let members = document.objectValue else {
      throw .protocolBroken("expected a manifest, got JSON that is \(document.kindName)")
    }
    let header = contentType.flatMap(specific)
    let own = members["mediaType"]
    guard own == nil || own == .null || own?.stringValue != nil else {
      throw .protocolBroken("the manifest's mediaType is not a text")
    }
    if let header, let own = own?.stringValue, header != own.lowercased() {
      throw .protocolBroken(
        "the manifest says it is \(own.quoted), its Content-Type says \(header.quoted)")
    }
    let hasManifests = members["manifests"] != nil
    let hasLayers = members["layers"] != nil || members["config"] != nil
    if hasManifests && hasLayers {
      throw .protocolBroken("the document is an index and a manifest at once")
    }
    let text: String? =
      own?.stringValue ?? header
      ?? (hasManifests ? MediaType.imageIndex.rawValue : nil)
      ?? (hasLayers ? MediaType.imageManifest.rawValue : nil)
    let type = MediaType(rawValue: text ?? contentType ?? "")
    guard type.isIndex || type.isManifest else { throw .unsupportedMediaType(type.rawValue) }
    if type.isIndex ? hasLayers : hasManifests {
      throw .protocolBroken("the document is not of its type \(type)")
    }
    let count = members[type.isIndex ? "manifests" : "layers"]?.arrayValue?.count ?? 0
    let limit = type.isIndex ? manifestLimit : layerLimit
    guard count <= limit else {
      throw .protocolBroken("the document has \(count) members, more than the \(limit) allowed")
    }
    return type
  }

  /// A Content-Type without its parameters; `nil` where it says no more than that there are bytes.
  static func specific(_ contentType: String) -> String? {
    let type = contentType.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
    let vague = ["", "application/json", "text/plain", "application/octet-stream"]
    return vague.contains(type) ? nil : type
  }
}
