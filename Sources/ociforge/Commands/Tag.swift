import ArgumentParser
import OCILayout
import OCISpec
import SystemPackage

struct Tag: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Give an image in a layout another tag.",
    discussion: "Prints the digest that the tag now points to.")

  @Argument(help: "The image: oci:DIR[:TAG] or oci:DIR@DIGEST.")
  var reference: String

  @Argument(help: "The new tag; it moves where the layout has it already.")
  var tag: String

  @OptionGroup var common: CommonOptions

  func run() throws {
    let target = try WritableLayout(reference)
    let descriptor = try target.layout.retag(tag: target.tag, digest: target.digest, as: tag)
    try answer("\(descriptor.digest)\n")
  }
}

struct Untag: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Take a tag away from a layout.",
    discussion: "The image's blobs stay until gc.")

  @Argument(help: "The tag: oci:DIR:TAG.")
  var reference: String

  @OptionGroup var common: CommonOptions

  func run() throws {
    let target = try WritableLayout(reference)
    guard let tag = target.tag else {
      throw UsageError.noTagToRemove(reference)
    }
    let descriptor = try target.layout.untag(tag)
    try answer("\(descriptor.digest)\n")
  }
}

struct CollectGarbage: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc",
    abstract: "Remove from a layout the blobs that no tag reaches.",
    discussion: "Prints how many files and bytes went.")

  @Argument(help: "The layout: oci:DIR, or the folder itself.")
  var layout: String

  @Flag(help: "Only say what would go.")
  var dryRun = false

  @OptionGroup var common: CommonOptions

  func run() throws {
    let target = try WritableLayout(ImageReference.isBare(layout) ? "oci:\(layout)" : layout)
    guard target.tag == nil && target.digest == nil else {
      throw UsageError.notAWholeLayout(layout)
    }
    let layout = target.layout
    let garbage = dryRun ? try layout.garbage() : try layout.collectGarbage()
    try answer("\(garbage.count) files, \(garbage.byteCount) bytes\n")
  }
}

/// The layout that an `oci:` reference names, for a command that changes it.
private struct WritableLayout {
  let layout: ImageLayout
  let tag: String?
  let digest: Digest?

  init(_ text: String) throws {
    switch try ImageReference(parsing: text) {
    case .layout(let path, let tag, let digest):
      layout = try ImageLayout.open(path)
      self.tag = tag
      self.digest = digest
    case .ociArchive, .dockerArchive, .registry: throw UsageError.notALayout(text)
    }
  }
}
