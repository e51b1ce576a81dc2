package import SystemPackage

/// A certificate authority of a test's own, made by `openssl` in a folder.
package struct PrivateAuthority: Sendable {
  /// A certificate and its private key, PEM files.
  package struct Identity: Sendable {
    package let certificate: FilePath
    package let key: FilePath
  }

  private let folder: FilePath
  private let identity: Identity

  /// The certificate that clients must trust.
  package var certificate: FilePath { identity.certificate }

  /// The same alone in a folder, under a name that podman and skopeo read there (`--cert-dir`).
  package let certificateFolder: FilePath

  package init(in folder: FilePath) throws {
    self.folder = folder
    identity = Identity(certificate: folder.appending("ca.pem"), key: folder.appending("ca.key"))
    certificateFolder = folder.appending("certs.d")
    try openssl(
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
      "-days", "2", "-subj", "/CN=test authority", "-keyout", identity.key.string,
      "-out", certificate.string)
    try expectSuccess(
      run(
        "install", ["-D", "-m", "644", certificate.string, "\(certificateFolder.string)/ca.crt"]))
  }

  /// Makes `<name>.pem` and `<name>.key`, valid for the names given as `openssl` writes them, and for so many days;
  /// less than none are over.
  package func issue(
    _ name: String, for subjects: String = "DNS:localhost", days: Int = 2
  ) throws -> Identity {
    let issued = Identity(
      certificate: folder.appending("\(name).pem"), key: folder.appending("\(name).key"))
    let request = folder.appending("\(name).csr").string
    try openssl(
      "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
      "-subj", "/CN=\(name)", "-addext", "subjectAltName=\(subjects)",
      "-keyout", issued.key.string, "-out", request)
    try openssl(
      "x509", "-req", "-in", request, "-copy_extensions", "copy", "-days", "\(days)",
      "-CA", certificate.string, "-CAkey", identity.key.string, "-CAcreateserial",
      "-out", issued.certificate.string)
    return issued
  }

  private func openssl(_ arguments: String...) throws {
    try expectSuccess(run("openssl", arguments))
  }
}
