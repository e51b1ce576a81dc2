import ArgumentParser
import Bindings
import OCILayout
import OCISpec
import Reporting
import SystemPackage

/// A REF that is open for reading, with what it holds.
struct OpenedImage {
  let reference: String
  private let source: ImageSource
  /// Kept while the image is, because an archive is unpacked in it.
  private let cache: CacheDirectory?

  var layout: ImageLayout { source.layout }
  var root: Descriptor { source.root }

  /// - Parameter text: a REF as the command line has it.
  init(_ text: String, reporter: Reporter) throws {
    let parsed = try ImageReference(parsing: text)
    reference = text
    if case .layout = parsed {
      cache = nil
      source = try ImageSource.open(parsed, scratch: "")
    } else {
      let temporary = FilePath(environment("TMPDIR") ?? "/tmp").appending("ociforge")
      let cache = try CacheDirectory.locate(fallbackBeside: temporary, reporter: reporter)
      source = try ImageSource.open(parsed, scratch: cache.path)
      self.cache = cache
    }
  }

  /// The image for a platform: the one asked for, else the only one, else this machine's.
  func manifest(for platform: Platform?) throws -> Document<Manifest> {
    let contents = try layout.contents(of: root)
    var candidates: [(platform: Platform, manifest: Document<Manifest>)] = []
    for manifest in contents.images {
      let config = try layout.config(manifest.body.config)
      candidates.append((config.body.platform, manifest))
    }
    let platforms = candidates.map(\.platform)
    if let platform {
      guard let match = candidates.first(where: { platform.matches($0.platform) }) else {
        throw UsageError.noSuchPlatform(platform, found: platforms, reference: reference)
      }
      return match.manifest
    }
    if candidates.count == 1 { return candidates[0].manifest }
    guard let match = candidates.first(where: { Platform.current.matches($0.platform) }) else {
      throw UsageError.severalPlatforms(platforms, reference: reference)
    }
    return match.manifest
  }
}

extension Platform {
  /// What this program was built for.
  static var current: Platform {
    #if arch(x86_64)
      Platform(os: "linux", architecture: "amd64")
    #elseif arch(arm64)
      Platform(os: "linux", architecture: "arm64")
    #else
      Platform(os: "linux", architecture: "unknown")
    #endif
  }
}
