import Definition
import OCISpec
import Reporting

/// One base, and the images of a definition that stand on it.
struct BaseUse: Sendable {
  let source: BaseImage.Source
  let location: SourceLocation
  var images: [PlatformImage]

  func failure(_ error: any Error) -> ContextualFailure {
    ContextualFailure("\(location): from", error)
  }
}

extension ImageDefinition {
  /// The distinct bases in the order of the platforms.
  var baseUses: [BaseUse] {
    var uses: [BaseUse] = []
    for image in images {
      guard case .image(let source, let location) = image.base else { continue }
      if let index = uses.firstIndex(where: { $0.source == source }) {
        uses[index].images.append(image)
      } else {
        uses.append(BaseUse(source: source, location: location, images: [image]))
      }
    }
    return uses
  }
}

/// The image that one platform stands on.
struct ChosenBase: Sendable {
  let use: BaseUse
  let image: PlatformImage
  let base: OpenedBase
  let choice: BaseImages.Choice
}
