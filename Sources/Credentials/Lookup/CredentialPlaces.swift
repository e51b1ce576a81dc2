import Bindings
package import SystemPackage

/// A place where a credential may be kept, as one of those of registry.md, C.9.
package struct CredentialPlace: Sendable, Equatable {
  package enum Content: Sendable, Equatable {
    case file(FilePath)
    /// The value of a variable.
    case text(String)
    /// There is none, and why.
    case none(String)
  }

  /// What people call it: an option, a variable, the tool whose file it is.
  package let name: String
  package let content: Content
  /// Whether the user named it.
  package var isNamed = false
  /// Whether it was named as a file, so that it is a mistake where it is missing.
  package var mustExist = false
  /// Whether its entries stand at the top.
  package var isLegacy = false

  package var path: FilePath? { if case .file(let path) = content { path } else { nil } }
}

/// The places that this process has, in the order in which they are asked.
package struct CredentialPlaces: Sendable {
  package let all: [CredentialPlace]
  /// The one that every tool reads.
  package let docker: CredentialPlace

  /// - Parameters:
  ///   - authFile: of `--authfile`.
  ///   - environment: the value of a variable, `nil` where it is absent or empty.
  package init(
    authFile: FilePath?, environment: (String) -> String?, userID: UInt32 = effectiveUserID
  ) {
    /// A path below a folder that a variable names. One that is not absolute leads nowhere in particular (XDG
    /// Base Directory Specification, "Environment variables").
    func below(_ variable: String, _ names: String...) -> CredentialPlace.Content {
      guard let folder = environment(variable) else { return .none("\(variable) is not set") }
      guard folder.hasPrefix("/") else { return .none("\(variable) is not an absolute path") }
      return .file(names.reduce(FilePath(folder)) { $0.appending($1) })
    }
    let file = environment("REGISTRY_AUTH_FILE").map { CredentialPlace.Content.file(FilePath($0)) }
    let text = environment("DOCKER_AUTH_CONFIG").map(CredentialPlace.Content.text)
    let folder = environment("DOCKER_CONFIG").map {
      CredentialPlace.Content.file(FilePath($0).appending("config.json"))
    }
    let notSet = CredentialPlace.Content.none("not set")
    let session =
      environment("XDG_RUNTIME_DIR") == nil
      ? .file(FilePath("/run/containers/\(userID)/auth.json"))
      : below("XDG_RUNTIME_DIR", "containers", "auth.json")
    let user =
      environment("XDG_CONFIG_HOME") == nil
      ? below("HOME", ".config", "containers", "auth.json")
      : below("XDG_CONFIG_HOME", "containers", "auth.json")
    let option = authFile.map { CredentialPlace.Content.file($0) }
    docker = CredentialPlace(name: "docker", content: below("HOME", ".docker", "config.json"))
    var all = [
      CredentialPlace(
        name: "--authfile", content: option ?? .none("not given"), isNamed: true, mustExist: true),
      CredentialPlace(
        name: "REGISTRY_AUTH_FILE", content: file ?? notSet, isNamed: true, mustExist: true),
      CredentialPlace(name: "DOCKER_AUTH_CONFIG", content: text ?? notSet),
      CredentialPlace(name: "DOCKER_CONFIG", content: folder ?? notSet, isNamed: true),
      CredentialPlace(name: "podman, session", content: session),
      CredentialPlace(name: "podman, user", content: user),
      docker,
      CredentialPlace(name: "docker, legacy", content: below("HOME", ".dockercfg")),
    ]
    // Kubernetes mounts its older kind of secret under that name.
    for index in all.indices where all[index].path?.lastComponent?.string == ".dockercfg" {
      all[index].isLegacy = true
    }
    self.all = all
  }
}
