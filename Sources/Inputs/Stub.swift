package import Definition
package import OCILayout
package import OCISpec
package import Reporting
package struct ResolvedInputs: Sendable { package var files: [Platform: [String: InputFile]] = [:] }
package enum InputResolver {
  package static func resolve(
    _ definition: ImageDefinition, cache: BlobStore, offline: Bool, reporter: Reporter
  ) async throws -> ResolvedInputs {
    var r = ResolvedInputs()
    for i in definition.images {
      for (n, input) in i.inputs {
        if case .file(let p) = input.source {
          r.files[i.platform, default: [:]][n] = InputFile(path: p, isExecutable: false)
        }
      }
    }
    return r
  }
}
