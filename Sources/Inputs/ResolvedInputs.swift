package import Definition
package import OCISpec

/// Where each input of each platform lies on disk: verified, or local.
package struct ResolvedInputs: Sendable, Equatable {
  /// By platform and the input's name.
  package private(set) var files: [Platform: [String: InputFile]] = [:]

  package init() {}

  package subscript(platform: Platform, name: String) -> InputFile? {
    get { files[platform]?[name] }
    set { files[platform, default: [:]][name] = newValue }
  }
}
