import Credentials
import Foundation
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite("CredentialStore") struct CredentialStoreTests {
  private let account: Account
  private let ghcr = Registry(host: "ghcr.io")

  init() throws { account = try Account() }

  private func read(_ name: String) throws -> String {
    try String(contentsOfFile: "\(account.path)/\(name)", encoding: .utf8)
  }

  private func mode(_ name: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: "\(account.path)/\(name)")
    return try #require(attributes[.posixPermissions] as? Int)
  }

  private func names(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(account.path)/\(folder)").sorted()
  }

  @discardableResult
  private func store(_ user: String = "alice", authFile: FilePath? = nil) async throws -> String {
    try await account.store(authFile: authFile).store(
      user: user, password: Secret("s3cret"), for: ghcr)
  }

  @Test("a first credential makes docker's file, closed to others, and is found again")
  func first() async throws {
    #expect(try await store() == "\(account.path)/home/.docker/config.json")
    #expect(try mode("home/.docker/config.json") == 0o600)
    #expect(try mode("home/.docker") == 0o700)
    #expect(try names("home/.docker") == ["config.json"])
    #expect(try await account.find(repository("ghcr.io/a"))?.credential == basic("alice", "s3cret"))
  }

  @Test("what else the file says stays, in its order; the registry's old spellings go")
  func preserves() async throws {
    let file = try account.write(
      "auth.json",
      """
      {"zebra": 1.50, "HttpHeaders": {"User-Agent": "x"},
       "auths": {"q.io": {"auth": "YTpi", "extra": [1]}, "https://ghcr.io/v1/": {"auth": "b2xkOng="},
                 "ghcr.io/team": {"auth": "dDox"}, "ghcr.io": {"identitytoken": "old"}},
       "apple": null}
      """, mode: 0o644)
    try await store(authFile: file)
    #expect(
      try read("auth.json") == """
        {
          "zebra": 1.50,
          "HttpHeaders": {
            "User-Agent": "x"
          },
          "auths": {
            "q.io": {
              "auth": "YTpi",
              "extra": [
                1
              ]
            },
            "ghcr.io/team": {
              "auth": "dDox"
            },
            "ghcr.io": {
              "auth": "YWxpY2U6czNjcmV0"
            }
          },
          "apple": null
        }

        """)
    #expect(try mode("auth.json") == 0o600)
  }

  @Test("Docker Hub stands under docker's key, and port 443 under none")
  func keys() async throws {
    let file = try account.write("auth.json", #"{"auths":{"docker.io":{"auth":"YTpi"}}}"#)
    for registry in [
      Registry.dockerHub, Registry(host: "reg", port: 443), Registry(host: "reg", port: 80),
    ] {
      _ = try await account.store(authFile: file).store(
        user: "a", password: Secret("b"), for: registry)
    }
    let entries = try JSON(parsing: Array(try read("auth.json").utf8))["auths"]?.objectValue?.keys
    #expect(entries == ["https://index.docker.io/v1/", "reg", "reg:80"])
  }

  @Test("it goes to the file that the user named, else to the first there is")
  func target() async throws {
    try account.write("home/.docker/config.json", "{}")
    #expect(try await store() == "\(account.path)/home/.docker/config.json")
    try account.write("home/.config/containers/auth.json", "{}")
    #expect(try await store() == "\(account.path)/home/.config/containers/auth.json")
    try account.write("run/containers/auth.json", "{}")
    #expect(try await store() == "\(account.path)/run/containers/auth.json")
    account["DOCKER_CONFIG"] = "\(account.path)/docker"
    #expect(try await store() == "\(account.path)/docker/config.json")
    account["REGISTRY_AUTH_FILE"] = "\(account.path)/variable.json"
    #expect(try await store() == "\(account.path)/variable.json")
    let option = account.path.appending("option.json")
    #expect(try await store(authFile: option) == option.string)
  }

  @Test("without a home, a file must be named")
  func homeless() async throws {
    account["HOME"] = nil
    let error = await #expect(throws: CredentialError.self) { try await store() }
    #expect(
      error?.description
        == "no file for credentials, as HOME names no folder; name one with --authfile")
  }

  @Test("where the file names a helper, that keeps the password and the file only says so")
  func helper() async throws {
    try account.helper("x", "cat > \(account.path)/got-$1")
    try account.write(
      "home/.docker/config.json", #"{"credsStore":"x","auths":{"ghcr.io":{"auth":"YTpi"}}}"#)
    #expect(try await store() == "docker-credential-x")
    #expect(
      try read("got-store")
        == #"{"Secret":"s3cret","ServerURL":"ghcr.io","Username":"alice"}"#)
    #expect(
      try JSON(parsing: Array(try read("home/.docker/config.json").utf8))["auths"]
        == .object(["ghcr.io": .object(JSONObject())]))
  }

  @Test("a helper that does not take it is an error without the password, and the file stays")
  func refusingHelper() async throws {
    try account.helper("x", "read -r all; echo \"cannot keep $all\"; exit 1")
    let text = #"{"credsStore":"x"}"#
    try account.write("home/.docker/config.json", text)
    let error = await #expect(throws: CredentialError.self) { try await store() }
    #expect(
      error?.description.hasPrefix("docker-credential-x store for \"ghcr.io\": it ended") == true)
    #expect(error?.description.contains("s3cret") == false)
    #expect(try read("home/.docker/config.json") == text)
  }

  @Test("a symlink stays, and what it leads to changes")
  func symlink() async throws {
    try account.write("real/auth.json", "{}")
    try createSymlink(account.path.appending("auth.json"), target: Array("real/auth.json".utf8))
    try await store(authFile: account.path.appending("auth.json"))
    #expect(try read("real/auth.json").contains("YWxpY2U6czNjcmV0"))
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: "\(account.path)/auth.json")
        == "real/auth.json")
  }

  @Test("a draft that a killed process left is taken over, and one of another user refused")
  func draft() async throws {
    try account.write("home/.docker/.config.json.ociforge", "rubbish")
    try await store()
    #expect(try names("home/.docker") == ["config.json"])
    guard getuid() == 0 else { return }
    let foreign = try account.write("home/.docker/.config.json.ociforge", "", mode: 0o666)
    try #require(chown(foreign.string, 65534, 65534) == 0)
    let error = await #expect(throws: CredentialError.self) { try await store("bob") }
    #expect(error?.kind == .cannotWrite)
    #expect(try read("home/.docker/.config.json.ociforge") == "")
    #expect(try await account.find(repository("ghcr.io/a"))?.credential == basic("alice", "s3cret"))
  }

  @Test("a file that is no JSON is not replaced")
  func malformed() async throws {
    try account.write("home/.docker/config.json", "not mine")
    await #expect(throws: CredentialError.self) { try await store() }
    #expect(try read("home/.docker/config.json") == "not mine")
    #expect(try names("home/.docker") == ["config.json"])
  }

  @Test("of many that store at once, none is lost")
  func concurrent() async throws {
    try await withThrowingTaskGroup { group in
      for number in 0..<16 {
        group.addTask {
          _ = try await account.store().store(
            user: "u\(number)", password: Secret("p"), for: Registry(host: "r\(number).io"))
        }
      }
      try await group.waitForAll()
    }
    for number in 0..<16 {
      #expect(
        try await account.find(repository("r\(number).io/a"))?.credential
          == basic("u\(number)", "p")
      )
    }
    #expect(try names("home/.docker") == ["config.json"])
  }

  @Test("erasing takes the first that is found, or all, and says where it was")
  func erase() async throws {
    let entry =
      #"{"auths":{"ghcr.io":{"auth":"YTpi"},"https://ghcr.io":{"auth":"YTpj"},"q.io":{"auth":"YTpi"}}}"#
    try account.write("run/containers/auth.json", entry)
    try account.write("home/.config/containers/auth.json", entry)
    try account.write("home/.docker/config.json", #"{"auths":{"ghcr.io":{}}}"#)
    let store = account.store()
    #expect(
      try await store.erase(ghcr, fromAll: false) == ["\(account.path)/run/containers/auth.json"])
    #expect(try read("run/containers/auth.json").contains("q.io"))
    #expect(!(try read("run/containers/auth.json").contains("ghcr.io")))
    #expect(
      try await store.erase(ghcr, fromAll: true) == [
        "\(account.path)/home/.config/containers/auth.json"
      ])
    #expect(!(try read("home/.docker/config.json").contains("ghcr.io")))
    #expect(try await store.erase(ghcr, fromAll: true) == [])
  }

  @Test("erasing asks the helper first whether it has one")
  func eraseFromHelper() async throws {
    try account.helper(
      "x",
      #"""
      case $1 in
      get) [ -f \#(account.path)/kept ] || { echo credentials not found in native keychain; exit 1; }
           echo '{"Username":"a","Secret":"b"}' ;;
      erase) read -r s; echo "$s" >> \#(account.path)/erased; rm \#(account.path)/kept ;;
      esac
      """#)
    try account.write("kept", "")
    try account.write("home/.docker/config.json", #"{"credsStore":"x","auths":{"ghcr.io":{}}}"#)
    #expect(try await account.store().erase(ghcr, fromAll: false) == ["docker-credential-x"])
    #expect(try await account.store().erase(ghcr, fromAll: false) == [])
    #expect(try read("erased") == "ghcr.io\n")
  }
}
