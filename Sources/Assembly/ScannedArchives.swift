import Definition
import OCILayout
import Reporting
import SystemPackage

/// Archives that were read, so that the platforms of an image read each once and share its content.
///
/// A class, because the planners of all platforms add to it, one after the other.
package final class ScannedArchives {
  private struct Key: Hashable {
    let archive: FilePath
    let place: String
    let attributes: String
  }

  private var scanned: [Key: [PlannedEntry]] = [:]

  package init() {}

  func entries(
    of archive: FilePath, for entry: LayerEntry, epoch: Int64, spoolStore: BlobStore
  ) throws -> [PlannedEntry] {
    let key = Key(
      archive: archive, place: "\(entry.location) \(entry.path)",
      attributes: "\(entry.attributes)")
    if let entries = scanned[key] { return entries }
    do {
      let scan = ArchiveScan(entry: entry, epoch: epoch, spool: try Spool(store: spoolStore))
      let entries = try scan.entries(of: archive)
      scanned[key] = entries
      return entries
    } catch let failure as AssemblyError {
      throw failure
    } catch let failure as any Failure where failure.kind == .data {
      throw ContextualFailure(entry.location.description, failure)
    }
  }
}
