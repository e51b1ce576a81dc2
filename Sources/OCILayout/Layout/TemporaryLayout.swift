/// An empty layout that goes with this value, or, where its process dies first, with the next sweep of the store.
///
/// A class, because the folder must be removed exactly once.
package final class TemporaryLayout: Sendable {
  package let layout: ImageLayout
  private let folder: TemporaryFolder

  package init(in store: BlobStore) throws {
    folder = try TemporaryFolder(in: store)
    layout = try ImageLayout.create(folder.path)
  }
}
