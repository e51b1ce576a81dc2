import OCISpec
import Reporting

/// A manifest or index as a client pushes it, read strictly: nobody downstream may take it for something else
/// (CVE-2021-41190).
struct PushedManifest: Equatable {
  let mediaType: MediaType
  /// What must be here before it is.
  let references: [Descriptor]
  /// The part of the references that are manifests themselves.
  let children: [Descriptor]
  let subject: Digest?

  init(_ bytes: [UInt8], contentType: String?) throws(RegistryError) {
    let json: JSON
    do { json = try JSON(parsing: bytes) } catch { throw .manifestInvalid("\(error)") }
    mediaType = try Self.mediaType(of: json, contentType: contentType)
    guard json["schemaVersion"] == .integer(2) else {
      throw .manifestInvalid("expected \"schemaVersion\": 2")
    }
    let stranger = (mediaType.isIndex ? ["config", "layers"] : ["manifests"]).first {
      json[$0] != nil
    }
    if let stranger {
      throw .manifestInvalid("\(mediaType) with a member \(stranger.quoted)")
    }
    do {
      if mediaType.isIndex {
        let index = try ImageIndex(json: json)
        (references, children) = (index.manifests, index.manifests)
        subject = index.subject?.digest
      } else {
        let manifest = try Manifest(json: json)
        // Layers of other hosts need not be here.
        references = [manifest.config] + manifest.layers.filter { $0.unknown["urls"] == nil }
        children = []
        subject = manifest.subject?.digest
      }
    } catch { throw .manifestInvalid("\(error)") }
  }

  private static func mediaType(
    of json: JSON, contentType: String?
  ) throws(RegistryError) -> MediaType {
    let inside = json["mediaType"]?.stringValue.map(MediaType.init(rawValue:))
    let outside = contentType.map(MediaType.init(contentType:))
    guard let type = outside ?? inside else {
      throw .manifestInvalid("expected a media type in Content-Type or \"mediaType\"")
    }
    if let inside, inside != type {
      throw .manifestInvalid(
        "Content-Type is \(type.rawValue.quoted), \"mediaType\" is \(inside.rawValue.quoted)")
    }
    guard type.isIndex || type.isManifest else {
      throw .manifestInvalid(
        "expected an OCI or Docker manifest, index or manifest list, got \(type.rawValue.quoted)")
    }
    return type
  }
}
