import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("logout") struct LogoutCommandTests {
  private let user: CredentialWorkshop

  init() throws { user = try CredentialWorkshop() }

  @Test("a credential goes, and where it was is printed")
  func gone() throws {
    try user.store("ghcr.io")
    try user.store("quay.io")
    try user.expect(["logout", "ghcr.io"], stdout: "\(user.path)/home/.docker/config.json\n")
    #expect(!(try user.workshop.read("home/.docker/config.json").contains("ghcr.io")))
    #expect(try user.workshop.read("home/.docker/config.json").contains("quay.io"))
    try user.expect(
      ["logout", "ghcr.io"], status: 66,
      stderr:
        "error: no file and no helper has a credential for ghcr.io; `ociforge auth ghcr.io` lists where they may be\n"
    )
  }

  @Test("what is left elsewhere is said; --all takes it, too")
  func all() throws {
    try user.store()
    try user.store("ghcr.io", in: "own.json")
    try user.expect(
      ["logout", "ghcr.io", "--authfile", "own.json"], stdout: "own.json\n",
      stderr:
        "warning: ghcr.io still has a credential: \"ghcr.io\" of \"\(user.path)/home/.docker/config.json\"\n"
    )
    try user.store("ghcr.io", in: "own.json")
    try user.expect(
      ["logout", "ghcr.io", "--authfile", "own.json", "--all"],
      stdout: "own.json\n\(user.path)/home/.docker/config.json\n")
  }

  @Test("a helper forgets it")
  func helper() throws {
    try user.helper(
      "x",
      #"""
      case $1 in
      store) cat > kept ;;
      get) cat kept 2> errors || { echo credentials not found in native keychain; exit 1; } ;;
      erase) rm kept ;;
      esac
      """#)
    try user.workshop.folder.write(
      "home/.docker/config.json", #"{"credsStore":"x"}"#, mode: 0o600)
    try user.workshop.folder.write(
      "kept", #"{"Username":"alice","Secret":"\#(CredentialWorkshop.password)"}"#)
    try user.expect(["logout", "ghcr.io"], stdout: "docker-credential-x\n")
    #expect(!user.workshop.exists("kept"))
  }

  @Test("what podman has written is found and removed", .enabled(if: peers("podman", "skopeo")))
  func writtenByOthers() throws {
    try user.store("reg.example", in: "auth.json")
    try user.expect(["logout", "reg.example", "--authfile", "auth.json"], stdout: "auth.json\n")
    for program in ["skopeo", "podman"] {
      let finished = try TestSupport.run(
        program, ["login", "--get-login", "--authfile", "auth.json", "reg.example"],
        environment: user.environment, in: user.workshop.path)
      #expect(finished.status != 0 && finished.output == "")
    }
  }
}
