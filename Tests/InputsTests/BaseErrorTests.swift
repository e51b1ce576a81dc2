import Inputs
import OCISpec
import Reporting
import SystemPackage
import Testing

@Suite("BaseError")
struct BaseErrorTests {
  @Test("every error says what was expected and found, and what to do where that is known")
  func texts() throws {
    let a = try Digest(.sha256, hex: String(repeating: "a", count: 64))
    let b = try Digest(.sha256, hex: String(repeating: "b", count: 64))
    let amd64 = Platform(os: "linux", architecture: "amd64")
    let arm64 = Platform(os: "linux", architecture: "arm64")
    let odd = MediaType(rawValue: "x/\u{1B}")
    let table: [(BaseError, FailureKind, String)] = [
      (
        .noPlatform(amd64, found: [arm64]), .data,
        #"the base has no image for "linux/amd64"; it has "linux/arm64""#
      ),
      (
        .noPlatform(amd64, found: []), .data,
        #"the base has no image for "linux/amd64"; it has none at all"#
      ),
      (
        .otherPlatform(a, expected: amd64, found: arm64), .data,
        #"manifest \#(a): expected a config for "linux/amd64", as its index says, found one for "linux/arm64""#
      ),
      (
        .mediaTypeConflict(a, expected: .imageIndex, found: odd), .data,
        #"reading \#(a): expected media type "application/vnd.oci.image.index.v1+json", as its descriptor says, found "x/\u{1b}""#
      ),
      (
        .ambiguousDocument(a), .data,
        "reading \(a): expected an index or a manifest, found what may be read as both"
      ),
      (.wrongDocument(a, found: b), .data, "reading \(a): digest mismatch: found \(b)"),
      (
        .documentTooLarge(a, size: 9, limit: 8), .data,
        "reading \(a): expected at most 8 bytes of a document, its descriptor says 9"
      ),
      (
        .notAnImage(a, config: odd), .data,
        #"manifest \#(a): expected the config of an image, found media type "x/\u{1b}"; this is no image to stand on"#
      ),
      (
        .tooManyLayers(a, limit: 8), .data, "manifest \(a): expected at most 8 layers, found more"
      ),
      (
        .layerCount(a, layers: 2, diffIDs: 1), .data,
        "manifest \(a): expected a DiffID in its config for each of 2 layers, found 1"
      ),
      (
        .unknownLayerType(a, odd), .data,
        #"layer \#(a): expected a tar, plain or compressed by gzip or zstd, found media type "x/\u{1b}""#
      ),
      (
        .foreignLayer(a, odd), .data,
        #"layer \#(a): its bytes are not the base's to give on (media type "x/\u{1b}", to be fetched from elsewhere); bases with such layers are not supported"#
      ),
      (
        .diffIDMismatch(layer: a, expected: DiffID(a), found: DiffID(b)), .data,
        "layer \(a): expected DiffID \(a), as the config says, found \(b)"
      ),
      (
        .accountsFileTooLarge(
          try ImagePath(absolute: "/etc/group"), size: 2_000_000, limit: 1 << 20),
        .data,
        "adding accounts to /etc/group of the base: expected at most 1.0 MB, found 2.0 MB"
      ),
      (
        .notInCache("x@\(a)"), .unavailable,
        "x@\(a) is not in the cache, and --offline forbids the network; run once without --offline"
      ),
      (
        .unresolvedTag(try Reference(parsing: "r.example/x:1")), .unavailable,
        "what r.example/x:1 means only its registry says, and --offline forbids the network; add the digest, r.example/x:1@DIGEST, that a run without --offline tells"
      ),
      (
        .cycle(["a", "b\u{7}", "a"]), .data,
        #"definitions stand on each other: "a" on "b\u{7}" on "a""#
      ),
      (
        .layoutFolder("base"), .notFound,
        #""base" is no folder of a definition but an image layout; write "oci:base""#
      ),
    ]
    for (error, kind, text) in table {
      #expect(error.description == text)
      #expect(error.kind == kind)
    }
  }
}
