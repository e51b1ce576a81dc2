import Foundation
import NIOHTTP1
import SystemPackage
import TestSupport
import Testing

@Suite("tags") struct TagsCommandTests {
  private let workshop: Workshop

  init() throws {
    workshop = try Workshop()
    for tag in ["v1", "v10", "v2"] { try workshop.assemble(Sample.one, ["-o", "far", "-t", tag]) }
  }

  @Test("one tag a line, or a JSON array")
  func listed() async throws {
    try await FaultyRegistry.serve(layout: workshop.path.appending("far")) { registry in
      try workshop.expect(["tags", "\(registry.host)/a"], stdout: "v1\nv10\nv2\n")
      try workshop.expect(
        ["tags", "--json", "\(registry.host)/a"],
        stdout: "[\n  \"v1\",\n  \"v10\",\n  \"v2\"\n]\n")
    }
  }

  @Test("pages are followed as the registry links them")
  func pages() async throws {
    try await FaultyRegistry.serve(fault: { request in
      guard request.path.hasSuffix("/tags/list") else { return nil }
      let isLast = request.target.contains("last=v1")
      return .status(
        200,
        headers: isLast ? [:] : ["Link": "</v2/a/tags/list?n=1&last=v1>; rel=\"next\""],
        body: #"{"name":"a","tags":["\#(isLast ? "v2" : "v1")"]}"#)
    }) { registry in
      try workshop.expect(["tags", "\(registry.host)/a"], stdout: "v1\nv2\n")
    }
  }

  @Test("a repository without tags has none; one that is not there exits 66")
  func none() async throws {
    try await FaultyRegistry.serve(fault: { request in
      request.path == "/v2/a/tags/list"
        ? .status(200, body: #"{"name":"a","tags":null}"#) : nil
    }) { registry in
      try workshop.expect(["tags", "\(registry.host)/a"])
      try workshop.expect(["tags", "--json", "\(registry.host)/a"], stdout: "[]\n")
      try workshop.expect(
        ["tags", "\(registry.host)/b"], status: 66,
        stderr:
          "error: listing the tags of \(registry.host)/b: GET http://\(registry.host)/v2/b/tags/list: status 404: NAME_UNKNOWN: no repository \"b\"\n"
      )
    }
  }

  @Test("a tag that could drive a terminal is never printed")
  func hostile() async throws {
    try await FaultyRegistry.serve(fault: { request in
      request.path == "/v2/a/tags/list"
        ? .status(200, body: #"{"name":"a","tags":["v1","\u001b[2J"]}"#) : nil
    }) { registry in
      let finished = try workshop.run(["tags", "\(registry.host)/a"])
      #expect(!finished.output.contains("\u{1B}") && !finished.stderr.contains("\u{1B}"))
    }
  }
}
