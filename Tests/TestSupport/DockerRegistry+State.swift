import Foundation
package import SystemPackage

extension DockerRegistry {
  /// `<host>/<name>`, a reference.
  package func reference(_ name: String) -> String { "\(host)/\(name)" }

  /// `<user>:<password>`, as the peers take it.
  package var credentials: String { "\(account.user):\(account.password)" }

  /// Writes a file that podman, skopeo and ociforge read their credentials from (`REGISTRY_AUTH_FILE`).
  package func writeCredentials(to file: FilePath) throws {
    let auth = Data(credentials.utf8).base64EncodedString()
    let text = #"{"auths": {"\#(host)": {"auth": "\#(auth)"}}}"#
    try Data(text.utf8).write(to: URL(fileURLWithPath: file.string))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.string)
  }

  /// One answered request. The path is as it came, with its query.
  package struct Exchange: Equatable, Sendable {
    package let method: String
    package let path: String
    package let status: Int
  }

  /// What it answered so far, in order of the answers' ends.
  package var exchanges: [Exchange] {
    get throws {
      try text(of: directory.path.appending("access.log")).split(separator: "\n").compactMap {
        line in
        // `… "GET /v2/ HTTP/1.1" 200 2 …`; thousands of them, too many for a regular expression each.
        let parts = line.split(separator: "\"", maxSplits: 2)
        guard parts.count == 3 else { return nil }
        let request = parts[1].split(separator: " ")
        guard request.count == 3, let status = Int(parts[2].drop { $0 == " " }.prefix(3)) else {
          return nil
        }
        return Exchange(method: String(request[0]), path: String(request[1]), status: status)
      }
    }
  }

  /// The digests of the blobs that a repository has, by the storage.
  package func blobs(of repository: String) -> Set<String> {
    let folder = storage(of: repository).pushing("_layers/sha256" as FilePath)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.string)) ?? []
    return Set(
      names.filter { FileManager.default.fileExists(atPath: "\(folder.string)/\($0)/link") }
        .map { "sha256:\($0)" })
  }

  /// The digest that a tag names, by the storage; `nil` where there is none.
  package func digest(of tag: String, in repository: String) -> String? {
    let link = storage(of: repository).pushing(FilePath("_manifests/tags/\(tag)/current/link"))
    return try? text(of: link)
  }

  private func storage(of repository: String) -> FilePath {
    directory.path.pushing("storage/docker/registry/v2/repositories").pushing(FilePath(repository))
  }
}
