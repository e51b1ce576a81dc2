import TestSupport
import Testing

@Suite("init") struct InitCommandTests {
  private let workshop: Workshop

  init() throws { workshop = try Workshop() }

  @Test("what it writes assembles, is valid, and is named after the folder")
  func assembles() throws {
    try workshop.expect(["init", "My App"], stdout: "My App/image.yaml\n")
    let finished = try workshop.run(["assemble", "-q", "My App"])
    #expect(finished.status == 0)
    #expect(finished.stderr == "")
    #expect(workshop.names(in: "build") == ["my-app"])
    try workshop.expectValid("oci:build/my-app")
  }

  @Test("without a folder it writes to the working directory")
  func here() throws {
    try workshop.expect(["init"], stdout: "./image.yaml\n")
    #expect(try workshop.run(["assemble", "-q"]).status == 0)
    #expect(workshop.names(in: "build").count == 1)
  }

  @Test("the file is as recorded")
  func text() throws {
    _ = try workshop.run(["init", "app"])
    try expectGolden("command/init/image.yaml", workshop.read("app/image.yaml"))
  }

  @Test("a definition that is there is never replaced: exit 73", arguments: ["image.yaml", "link"])
  func never(_ kind: String) throws {
    try workshop.folder.write("app/other.yaml", "mine\n")
    let made =
      kind == "link"
      ? try run("ln", ["-s", "nowhere", "app/image.yaml"], in: workshop.path)
      : try run("cp", ["app/other.yaml", "app/image.yaml"], in: workshop.path)
    try #require(made.status == 0)
    let before = try run("ls", ["-li", "app"], in: workshop.path).output
    try workshop.expect(
      ["init", "app"], status: 73,
      stderr:
        "error: writing \"app/image.yaml\": it is there already and is never replaced; name another folder\n"
    )
    #expect(try run("ls", ["-li", "app"], in: workshop.path).output == before)
  }

  @Test("a folder that cannot be made exits 73")
  func noFolder() throws {
    try workshop.folder.write("file", "")
    try workshop.expect(
      ["init", "file"], status: 73,
      stderr: "error: creating directory \"file\": Not a directory\n")
  }
}
