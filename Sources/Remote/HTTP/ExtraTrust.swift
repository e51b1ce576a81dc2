import Bindings
import NIOSSL
import SystemPackage

/// Certificates that count for one host only, beside the machine's.
enum ExtraTrust: Sendable, Hashable {
  /// A folder of `certs.d`: `*.crt` are authorities, `NAME.cert` with `NAME.key` is what a client shows.
  case folder(FilePath)
  /// A PEM bundle of authorities, and the variable that names it.
  case bundle(FilePath, variable: String)

  /// The first folder that is there for a host, with and without its port. Folders that may not be read are passed
  /// over, as containers/image does: https://github.com/containers/image/blob/main/docs/containers-certs.d.5.md
  static func folder(forAnyOf names: [String], below roots: [FilePath]) -> ExtraTrust? {
    for root in roots {
      for name in names {
        let path = root.appending(name)
        guard (try? FileSystem.status(of: path))??.kind == .directory else { continue }
        do { _ = try FileSystem.entries(of: path) } catch {
          if error.errno == .permissionDenied { continue }
        }
        return .folder(path)
      }
    }
    return nil
  }

  /// - Throws: ``FetchError/unusableTrust(_:_:)`` with the file that cannot be used.
  func apply(to tls: inout TLSConfiguration) throws {
    switch self {
    case .bundle(let path, let variable):
      let source = TrustStore.Source(path: path, isDirectory: false, variable: variable)
      tls.additionalTrustRoots.append(.certificates(try source.certificates()))
    case .folder(let folder): try apply(folder, to: &tls)
    }
  }

  private func apply(_ folder: FilePath, to tls: inout TLSConfiguration) throws {
    let names = try FileSystem.entries(of: folder).map { String(decoding: $0, as: UTF8.self) }
    for name in names where name.hasSuffix(".crt") {
      let source = Self.source(folder.appending(name))
      tls.additionalTrustRoots.append(.certificates(try source.certificates()))
    }
    for name in names where name.hasSuffix(".key") {
      let partner = name.dropLast(".key".count) + ".cert"
      guard names.contains(String(partner)) else {
        throw FetchError.unusableTrust(
          Self.source(folder.appending(name)), .noPartner("\(partner)"))
      }
    }
    for name in names where name.hasSuffix(".cert") {
      let partner = name.dropLast(".cert".count) + ".key"
      let source = Self.source(folder.appending(name))
      guard names.contains(String(partner)) else {
        throw FetchError.unusableTrust(source, .noPartner("\(partner)"))
      }
      let keySource = Self.source(folder.appending(String(partner)))
      tls.certificateChain = try source.certificates().map { .certificate($0) }
      tls.privateKey = .privateKey(try keySource.privateKey())
      break
    }
  }

  private static func source(_ path: FilePath) -> TrustStore.Source {
    TrustStore.Source(path: path, isDirectory: false, variable: nil)
  }
}
