package import OCISpec
package import SystemPackage

/// What an image stands on.
package enum BaseImage: Sendable, Equatable {
  case scratch
  case image(Source, SourceLocation)

  /// Where the image is. What lies on this machine is looked at when it is opened, not here.
  package enum Source: Sendable, Hashable {
    /// `written` is what stands in the definition.
    case registry(Reference, written: String)
    /// `oci:…`, `oci-archive:…` or `docker-archive:…`, its path from the definition's folder.
    case local(String)
    /// Another definition: its folder, or the file itself.
    case definition(FilePath)
  }
}
