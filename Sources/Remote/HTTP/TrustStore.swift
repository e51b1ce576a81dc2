package import Bindings
import NIOSSL
package import SystemPackage

/// The certificate authorities that servers are checked against: `SSL_CERT_FILE` and `SSL_CERT_DIR` where
/// they are set, else the system's bundle.
package struct TrustStore: Sendable, Equatable {
  package struct Source: Sendable, Equatable, CustomStringConvertible {
    package let path: FilePath
    /// Whether every file in it counts that holds certificates; else it is one PEM bundle.
    package let isDirectory: Bool
    /// The one that named it; `nil` for the system's own.
    package let variable: String?

    package var description: String { path.string }
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
      named.append(Source(path: FilePath(file), isDirectory: false, variable: "SSL_CERT_FILE"))
    }
    for directory in (environment("SSL_CERT_DIR") ?? "").split(separator: ":") {
      let path = FilePath(String(directory))
      named.append(Source(path: path, isDirectory: true, variable: "SSL_CERT_DIR"))
    }
    if !named.isEmpty {
      sources = named
    } else if let file = Self.systemFiles.first(where: exists) {
      sources = [Source(path: file, isDirectory: false, variable: nil)]
    } else if exists(Self.systemDirectory) {
      sources = [Source(path: Self.systemDirectory, isDirectory: true, variable: nil)]
    } else {
      sources = []
    }
  }

  /// Reads the certificates, each once.
  /// - Throws: ``FetchError`` with the source that cannot be used.
  func certificates() throws(FetchError) -> [NIOSSLCertificate] {
    var found: Set<NIOSSLCertificate> = []
    for source in sources { found.formUnion(try source.certificates()) }
    guard !found.isEmpty else { throw FetchError.noTrustStore(sources.map(\.description)) }
    return Array(found)
  }
}

extension TrustStore.Source {
  /// - Throws: ``FetchError/unusableTrust(_:_:)``.
  func certificates() throws(FetchError) -> [NIOSSLCertificate] {
    try reading { () throws in try read() }
  }

  /// The key in a PEM file.
  /// - Throws: ``FetchError/unusableTrust(_:_:)``.
  func privateKey() throws(FetchError) -> NIOSSLPrivateKey {
    try reading { () throws in
      let bytes = try FileSystem.readAll(path, limit: Self.maximumFileSize)
      guard let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem) else {
        throw TrustProblem.noKey
      }
      return key
    }
  }

  private func reading<Value>(_ read: () throws -> Value) throws(FetchError) -> Value {
    do { return try read() } catch let error as FileError {
      throw FetchError.unusableTrust(self, .unreadable(error.errno))
    } catch let error as TrustProblem {
      throw FetchError.unusableTrust(self, error)
    } catch {
      throw FetchError.unusableTrust(self, .noCertificates)
    }
  }

  /// - Throws: ``TrustProblem`` or `FileError`.
  private func read() throws -> [NIOSSLCertificate] {
    // Opening a named pipe would wait for someone who writes to it.
    guard let status = try FileSystem.status(of: path) else { throw TrustProblem.missing }
    guard status.kind == (isDirectory ? .directory : .file) else {
      throw TrustProblem.otherKind(status.kind)
    }
    guard isDirectory else {
      let bytes = try FileSystem.readAll(path, limit: Self.maximumFileSize)
      let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes)
      guard let certificates, !certificates.isEmpty else { throw TrustProblem.noCertificates }
      return certificates
    }
    return try FileSystem.entries(of: path).flatMap { name -> [NIOSSLCertificate] in
      let file = path.appending(bytes: name)
      guard (try? FileSystem.status(of: file))??.kind == .file,
        let bytes = try? FileSystem.readAll(file, limit: Self.maximumFileSize)
      else { return [] }
      return (try? NIOSSLCertificate.fromPEMBytes(bytes)) ?? []
    }
  }

  private static var maximumFileSize: Int { 16 << 20 }
}

/// Why a source of certificate authorities cannot be used.
package enum TrustProblem: Error, Equatable {
  case missing
  case otherKind(FileStatus.Kind)
  case unreadable(Errno)
  case noCertificates
  case noKey
  /// A certificate for clients without its key, or a key without its certificate.
  case noPartner(String)
}
