package import Definition
package import OCISpec

/// Where each input of each platform lies on disk: verified, or local.
package struct ResolvedInputs: Sendable, Equatable {
  private struct Key: Hashable {
    let platform: Platform
    let name: String
  }

  private var files: [Key: InputFile] = [:]

  package init() {}

  package subscript(platform: Platform, name: String) -> InputFile? {
    get { files[Key(platform: platform, name: name)] }
    set { files[Key(platform: platform, name: name)] = newValue }
  }
}
