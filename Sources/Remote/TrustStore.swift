import Bindings
import NIOSSL
package import SystemPackage

/// The certificate authorities that servers are checked against: `SSL_CERT_FILE` and `SSL_CERT_DIR` where
/// they are set, else the system's bundle.
package struct TrustStore: Sendable, Equatable {
  package enum Source: Sendable, Equatable, CustomStringConvertible {
    case file(FilePath)
    /// Every file in it that holds certificates.
    case directory(FilePath)

    package var description: String {
      switch self {
      case .file(let path), .directory(let path): path.string
      }
    }
  }

  /// Empty where the machine has none.
  package let sources: [Source]

  /// Debian and Alpine; Fedora and RHEL; SUSE; Alpine and the BSDs.
  package static let systemFiles: [FilePath] = [
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
  ]
  package static let systemDirectory: FilePath = "/etc/ssl/certs"

  package init(environment: (String) -> String?, exists: (FilePath) -> Bool) {
    var named: [Source] = []
    if let file = environment("SSL_CERT_FILE"), !file.isEmpty {
      named.append(.file(FilePath(file)))
    }
    if let directories = environment("SSL_CERT_DIR") {
      named += directories.split(separator: ":").map { .directory(FilePath(String($0))) }
    }
    if !named.isEmpty {
      sources = named
    } else if let file = Self.systemFiles.first(where: exists) {
      sources = [.file(file)]
    } else {
      sources = exists(Self.systemDirectory) ? [.directory(Self.systemDirectory)] : []
    }
  }

  /// Reads the certificates, each once.
  func certificates() throws -> [NIOSSLCertificate] {
    var found: Set<NIOSSLCertificate> = []
    for source in sources {
      switch source {
      case .file(let path):
        let bytes = try FileSystem.readAll(path, limit: Self.maximumFileSize)
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes), !certificates.isEmpty
        else { throw FetchError.noCertificates(in: path.string) }
        found.formUnion(certificates)
      case .directory(let path):
        for name in try FileSystem.entries(of: path) {
          let file = path.appending(bytes: name)
          guard (try? FileSystem.status(of: file))??.kind == .file,
            let bytes = try? FileSystem.readAll(file, limit: Self.maximumFileSize)
          else { continue }
          found.formUnion((try? NIOSSLCertificate.fromPEMBytes(bytes)) ?? [])
        }
      }
    }
    guard !found.isEmpty else { throw FetchError.noTrustStore(sources.map(\.description)) }
    return Array(found)
  }

  private static let maximumFileSize = 16 << 20
}
