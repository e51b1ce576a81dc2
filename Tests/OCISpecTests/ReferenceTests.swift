import OCISpec
import Testing

@Suite("Reference")
struct ReferenceTests {
  /// One row of registry.md, A.3.
  struct Row: Sendable, CustomTestStringConvertible {
    let number: Int
    let text: String
    let registry: String
    let path: String
    var tag: String? = "latest"
    var digest: String?
    var isLoopback = false
    var testDescription: String { "row \(number): \(text.prefix(60))" }

    init(
      _ number: Int, _ text: String, _ registry: String, _ path: String, _ tag: String? = "latest",
      digest: String? = nil, isLoopback: Bool = false
    ) {
      (self.number, self.text, self.registry, self.path) = (number, text, registry, path)
      (self.tag, self.digest, self.isLoopback) = (tag, digest, isLoopback)
    }
  }

  private static let h64 = String(repeating: "a", count: 64)
  private static let b128 = String(repeating: "b", count: 128)
  private static func many(_ letter: Character, _ count: Int) -> String {
    String(repeating: letter, count: count)
  }

  @Test(
    "parses to registry, path, tag and digest",
    arguments: [
      Row(1, "alpine", "docker.io", "library/alpine"),
      Row(2, "alpine:3.20", "docker.io", "library/alpine", "3.20"),
      Row(3, "library/alpine", "docker.io", "library/alpine"),
      Row(4, "docker.io/alpine", "docker.io", "library/alpine"),
      Row(5, "index.docker.io/alpine", "docker.io", "library/alpine"),
      Row(6, "registry-1.docker.io/library/alpine", "docker.io", "library/alpine"),
      Row(7, "bitnami/nginx:1", "docker.io", "bitnami/nginx", "1"),
      Row(8, "a/b/c", "docker.io", "a/b/c"),
      Row(9, "ghcr.io/o/i:v1", "ghcr.io", "o/i", "v1"),
      Row(10, "example.com/a", "example.com", "a"),
      Row(11, "quay.io/a/b/c/d:t", "quay.io", "a/b/c/d", "t"),
      Row(12, "localhost/img", "localhost", "img", isLoopback: true),
      Row(13, "localhost:5000/img:t", "localhost:5000", "img", "t", isLoopback: true),
      Row(14, "foo.localhost:5000/x", "foo.localhost:5000", "x", isLoopback: true),
      Row(15, "127.0.0.1:5000/img", "127.0.0.1:5000", "img", isLoopback: true),
      Row(16, "127.1:5000/img", "127.1:5000", "img"),
      Row(17, "[::1]:5000/img", "[::1]:5000", "img", isLoopback: true),
      Row(18, "[::1]/img", "[::1]", "img", isLoopback: true),
      Row(19, "[fddd:1::2]:443/a/b:t", "[fddd:1::2]:443", "a/b", "t"),
      Row(
        24, "registry:5000/g/i@sha256:\(h64)", "registry:5000", "g/i", nil,
        digest: "sha256:\(h64)"),
      Row(25, "g/i:t@sha256:\(h64)", "docker.io", "g/i", "t", digest: "sha256:\(h64)"),
      Row(26, "alpine@sha256:\(h64)", "docker.io", "library/alpine", nil, digest: "sha256:\(h64)"),
      Row(27, "img@sha512:\(b128)", "docker.io", "library/img", nil, digest: "sha512:\(b128)"),
      Row(38, "img:\(many("t", 128))", "docker.io", "library/img", many("t", 128)),
      Row(41, "img:Tag_1.2-3", "docker.io", "library/img", "Tag_1.2-3"),
      Row(44, "EXAMPLE.com/g/i:V42", "example.com", "g/i", "V42"),
      Row(47, "example.com", "docker.io", "library/example.com"),
      Row(53, "a__b", "docker.io", "library/a__b"),
      Row(53, "im----age", "docker.io", "library/im----age"),
      Row(53, "e.x/g-r.o__u_p/i", "e.x", "g-r.o__u_p/i"),
      Row(62, "xn--n3h.com/a", "xn--n3h.com", "a"),
      Row(63, "ex.com/\(many("a", 255))", "ex.com", many("a", 255)),
      Row(
        65, "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com", "app", "1"),
      Row(66, "public.ecr.aws/nginx/nginx:1", "public.ecr.aws", "nginx/nginx", "1"),
      Row(67, "ghcr.io:443/o/i", "ghcr.io:443", "o/i"),
    ])
  func parses(_ row: Row) throws {
    let reference = try Reference(parsing: row.text)
    #expect(reference.repository.registry.description == row.registry)
    #expect(reference.repository.path == row.path)
    #expect(reference.tag == row.tag)
    #expect(reference.digest?.description == row.digest)
    #expect(reference.repository.registry.isLoopback == row.isLoopback)
    #expect((reference.advice != nil) == [47, 63].contains(row.number))
    // What is printed means the same.
    #expect(try Reference(parsing: reference.description) == reference)
  }

  @Test(
    "refuses what is none, each slip by its name",
    arguments: [
      (20, "[fe80::1%eth0]:5000/a", .format("[fe80::1%eth0]:5000/a", .address)),
      (21, "[2001:db8::192.0.2.33]:5000/d", .format("[2001:db8::192.0.2.33]:5000/d", .address)),
      (22, "[1::2::3]/a", .invalidIPv6("1::2::3")),
      (23, "::1/a", .format("::1/a", .address)),
      (28, "@sha256:\(h64)", .format("@sha256:\(h64)", .name)),
      (29, "sha256:\(h64)", .bareDigest("sha256:\(h64)")),
      (30, h64, .bareIdentifier(h64)),
      (31, "img@sha256:abc", .digestLength(.sha256, found: 3)),
      (32, "img@sha256:\(h64)a", .digestLength(.sha256, found: 65)),
      (33, "img@sha256:\(many("A", 64))", .digestCase(.sha256)),
      (34, "img@md5:\(many("a", 32))", .digestUnsupported(algorithm: "md5")),
      (35, "img@blake3:\(h64)", .digestUnsupported(algorithm: "blake3")),
      (36, "img@sha256:\(h64):t", .format("img@sha256:\(h64):t", .digest)),
      (37, "img:tag:tag", .format("img:tag:tag", .tag)),
      (39, "img:\(many("t", 129))", .format("img:\(many("t", 129))", .tag)),
      (40, "img:-bad", .format("img:-bad", .tag)),
      (40, "img:.bad", .format("img:.bad", .tag)),
      (42, "docker.io/Upper/x", .uppercase("Upper/x")),
      (43, "Upper/img", .uppercase("Upper/img")),
      (45, "localhost", .missingRepository("localhost")),
      (46, "localhost:5000", .missingRepository("localhost:5000")),
      (48, "docker.io", .missingRepository("docker.io")),
      (49, "docker.io/", .format("docker.io/", .path)),
      (50, "", .empty),
      (51, "foo//bar", .format("foo//bar", .path)),
      (51, "/foo", .format("/foo", .path)),
      (51, "foo/", .format("foo/", .path)),
      (51, "foo/:t", .format("foo/:t", .path)),
      (52, "a..b/c", .format("a..b/c", .host)),
      (52, "a___b", .format("a___b", .path)),
      (52, "a.-b", .format("a.-b", .path)),
      (52, "-img", .format("-img", .path)),
      (52, "img-", .format("img-", .path)),
      (54, "ghcr.io/../x", .format("ghcr.io/../x", .path)),
      (54, "ghcr.io/a/../b", .format("ghcr.io/a/../b", .path)),
      (55, "https://ghcr.io/o/i", .scheme("https")),
      (55, "oci://ghcr.io/o/i", .scheme("oci")),
      (55, "docker://alpine", .scheme("docker")),
      (56, "user:pass@ghcr.io/a/b", .format("…", .userInformation)),
      (57, "ghcr.io/a?x=1", .format("ghcr.io/a", .character)),
      (57, "a b", .format("a b", .character)),
      (57, "img\n", .format("img\n", .character)),
      (57, "img\0", .format("img\0", .character)),
      (58, "host:port/a", .format("host:port/a", .port)),
      (58, "example.com:/a", .format("example.com:/a", .port)),
      (59, "example.com:0/a", .portRange("0")),
      (59, "example.com:99999/a", .portRange("99999")),
      (60, "exa_mple.com/a", .invalidHost("exa_mple.com")),
      (61, "-bad.com/a", .format("-bad.com/a", .host)),
      (61, "bad-.com/a", .format("bad-.com/a", .host)),
      (61, "example.com./a", .format("example.com./a", .host)),
      (64, "ex.com/\(many("a", 256))", .nameTooLong(many("a", 256), count: 256)),
    ] as [(Int, String, ReferenceError)])
  func refuses(row: Int, text: String, error: ReferenceError) {
    #expect(throws: error, "row \(row)") { try Reference(parsing: text) }
  }

  @Test(
    "beyond the table: the same slips in other places",
    arguments: [
      ("[::1]:5000", .missingRepository("[::1]:5000")),
      ("[::1", .format("[::1", .address)), ("[::1]x/a", .format("[::1]x/a", .address)),
      ("index.docker.io:latest", .missingRepository("index.docker.io")),
      ("Alpine", .uppercase("library/Alpine")), ("img:", .format("img:", .tag)),
      ("img@", .format("…", .userInformation)), ("img@sha256", .format("…", .userInformation)),
      ("img@sha256:", .format("img@sha256:", .digest)),
      ("img@sha256:\(many("z", 64))", .format("img@sha256:\(many("z", 64))", .digest)),
      ("bücher/a", .format("bücher/a", .character)),
      ("ex.com:99999999999999999999/a", .portRange("99999999999999999999")),
      ("[12345::]/a", .invalidIPv6("12345::")),
      ("[1:2:3:4:5:6:7]/a", .invalidIPv6("1:2:3:4:5:6:7")),
      ("[1:2:3:4:5:6:7:8::]/a", .invalidIPv6("1:2:3:4:5:6:7:8::")),
      ("[:1::2]/a", .invalidIPv6(":1::2")), ("[1:::2]/a", .invalidIPv6("1:::2")),
    ] as [(String, ReferenceError)])
  func refusesMore(text: String, error: ReferenceError) {
    #expect(throws: error) { try Reference(parsing: text) }
  }

  @Test(
    "a password is never shown",
    arguments: [
      "user:hunter2@ghcr.io/a/b", "user:hunter2@ghcr.io:5000", "User:12/Hunter2@ghcr.io/a",
      "u:99999/hunter2@h/a", "https://user:hunter2@ghcr.io/a", "u:hunter2@sha256:x@ghcr.io/a",
      "ghcr.io/a?token=hunter2", "u:hunter2?@ghcr.io/a", "u:a b/Hunter2@sha256:/x",
    ])
  func hidesPasswords(text: String) {
    for parse in [
      { _ = try Reference(parsing: text) }, { _ = try Repository(parsing: text) },
      { _ = try Registry(parsing: text) },
    ] {
      let error = #expect(throws: ReferenceError.self) { try parse() }
      #expect(error?.description.lowercased().contains("hunter2") == false)
    }
  }

  @Test("every error says what was expected or the way out")
  func texts() {
    let table: [(ReferenceError, String)] = [
      (.empty, "an empty image reference: expected [HOST[:PORT]/]PATH[:TAG][@DIGEST]"),
      (
        .scheme("docker"),
        "an image reference that starts with \"docker://\": a reference has no scheme; write what follows it"
      ),
      (
        .missingRepository("localhost:5000"),
        "image reference \"localhost:5000\" names a registry alone; add a repository: \"localhost:5000/NAME\""
      ),
      (
        .bareDigest("sha256:1"),
        "image reference \"sha256:1\": a digest needs the name of the image before it, such as \"NAME@sha256:1\""
      ),
      (
        .bareIdentifier("1"),
        "image reference \"1\": 64 hexadecimal digits are no name; for a digest write \"NAME@sha256:1\""
      ),
      (
        .uppercase("A/b"),
        "image reference: repository \"A/b\" has upper-case letters; write \"a/b\""
      ),
      (
        .invalidHost("a_b.c"),
        "image reference: host \"a_b.c\" has an underscore, which host names cannot have"
      ),
      (
        .invalidIPv6("1::2::3"),
        "image reference: expected an IPv6 address in the brackets, got \"1::2::3\""
      ),
      (.portRange("0"), "image reference: expected a port from 1 to 65535, got \"0\""),
      (
        .nameTooLong("a", count: 256),
        "image reference: repository \"a…\" has 256 characters, and registries take 255"
      ),
      (
        .digestLength(.sha256, found: 3),
        "image reference: expected 64 hexadecimal digits after \"sha256:\", got 3"
      ),
      (
        .digestCase(.sha512),
        "image reference: expected lower-case hexadecimal digits after \"sha512:\""
      ),
      (
        .digestUnsupported(algorithm: "md5"),
        "image reference: expected a digest by sha256 or sha512, got \"md5\""
      ),
    ]
    for (error, text) in table { #expect(error.description == text) }
    for part in ReferenceError.Part.allCases {
      let text = ReferenceError.format("x\u{1B}", part).description
      #expect(text.hasPrefix("image reference \"x\\u{1b}\": "), "\(text)")
    }
  }

  @Test("legal and still worth a word: a registry's name alone, and a very long name")
  func advice() throws {
    #expect(
      try Reference(parsing: "example.com").advice
        == "image reference \"docker.io/library/example.com\" is an image on Docker Hub that is named like a registry; for one in that registry write \"example.com/NAME\""
    )
    #expect(
      try Reference(parsing: "ex.com/\(Self.many("a", 255))").advice?
        .hasSuffix("is longer than 255 characters: many clients refuse that") == true)
  }

  @Test(
    "tags are what the distribution-spec allows",
    arguments: [
      ("a", true), ("_", true), ("v1.0-rc_2", true), ("A9", true), (many("a", 128), true),
      ("", false), (".a", false), ("-a", false), ("a/b", false), ("a:b", false), ("a@b", false),
      ("a b", false), ("é", false), (many("a", 129), false),
    ])
  func tags(text: String, isTag: Bool) {
    #expect(Reference.isTag(text) == isTag)
  }

  @Test("a repository has neither tag nor digest")
  func repositories() throws {
    #expect(try Repository(parsing: "ghcr.io/o/i").description == "ghcr.io/o/i")
    #expect(try Repository(parsing: "alpine").description == "docker.io/library/alpine")
    for text in ["ghcr.io/o/i:t", "ghcr.io/o/i@sha256:\(Self.h64)"] {
      #expect(throws: ReferenceError.format(text, .repository)) { try Repository(parsing: text) }
    }
  }
}

@Suite("Registry")
struct RegistryTests {
  @Test(
    "the host says whether it is this machine",
    arguments: [
      ("localhost", true), ("LOCALHOST:5000", true), ("a.b.localhost", true), ("127.0.0.1", true),
      ("127.255.0.9:1", true), ("[::1]", true), ("[0:0:0:0:0:0:0:1]:5000", true),
      ("localhost.example.com", false), ("notlocalhost", false), ("127.1", false),
      ("127.0.0.01", false), ("0177.0.0.1", false), ("0x7f.0.0.1", false), ("127.0.0.256", false),
      ("127.0.0.1.com", false), ("128.0.0.1", false), ("[::2]", false), ("[::ffff:7f00:1]", false),
    ])
  func loopback(text: String, isLoopback: Bool) throws {
    #expect(try Registry(parsing: text).isLoopback == isLoopback)
  }

  @Test("Docker Hub has one name, whatever alias it came by, and answers elsewhere")
  func dockerHub() throws {
    for text in ["docker.io", "index.docker.io", "registry-1.docker.io:443", "Docker.IO"] {
      let registry = try Registry(parsing: text)
      #expect(registry == .dockerHub)
      #expect(registry.apiHost == "registry-1.docker.io")
      #expect(registry.credentialKey == "https://index.docker.io/v1/")
    }
    let other = try Registry(parsing: "docker.io:5000")
    #expect(other != .dockerHub)
    #expect((other.apiHost, other.credentialKey) == ("docker.io:5000", "docker.io:5000"))
    #expect(try Registry(parsing: "[::1]:5000").apiHost == "[::1]:5000")
  }

  @Test(
    "two names of one origin match",
    arguments: [
      ("ghcr.io", "ghcr.io:443", true), ("GHCR.io", "ghcr.io", true), ("reg:5000", "reg", false),
      ("reg:5000", "reg:5000", true), ("ghcr.io", "ghcr.io:80", false), ("a.io", "b.io", false),
      ("index.docker.io", "docker.io", true),
    ])
  func origins(one: String, other: String, isSame: Bool) throws {
    #expect(try Registry(parsing: one).matches(Registry(parsing: other)) == isSame)
  }

  @Test(
    "a registry's name has no path and no user", arguments: ["ghcr.io/a", "a@ghcr.io", "", "a b"])
  func refuses(text: String) {
    #expect(throws: ReferenceError.self) { try Registry(parsing: text) }
  }
}
