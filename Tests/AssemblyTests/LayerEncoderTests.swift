import Bindings
import OCISpec
import TestSupport
import Testing

@testable import Assembly

@Suite("LayerEncoder") struct LayerEncoderTests {
  private static let chunk = LayerFormat.v1.chunkSize

  static let cases: [(name: String, content: [UInt8], slice: Int)] = [
    ("nothing", [], 1),
    ("one byte", [42], 1),
    ("a short text", Array("hello, hello, hello\n".utf8), 3),
    ("the longest input for zlib", text(65_535), 4096),
    ("the shortest input for libdeflate", text(65_536), 4096),
    ("one byte less than a chunk", text(chunk - 1), 10_000),
    ("exactly a chunk", text(chunk), chunk),
    ("a chunk and one byte", text(chunk + 1), 262_144),
    ("two chunks and a short rest", text(2 * chunk + 100), 262_144),
    ("three chunks of noise", noise(3 * chunk), 65_536),
    ("zeros over two chunks", [UInt8](repeating: 0, count: 2 * chunk + 70_000), 1 << 20),
  ]

  /// Bytes that a compressor finds something in.
  static func text(_ count: Int) -> [UInt8] {
    var state: UInt64 = 1
    return (0..<count).map { index in
      if index % 7 == 0 { state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407 }
      return UInt8(truncatingIfNeeded: state >> 60) + 97
    }
  }

  /// Bytes that it does not.
  static func noise(_ count: Int) -> [UInt8] {
    var state: UInt64 = 88_172_645_463_325_252
    return (0..<count).map { _ in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return UInt8(truncatingIfNeeded: state)
    }
  }

  static func encode(_ content: [UInt8], slice: Int) throws -> [UInt8] {
    var out: [UInt8] = []
    let encoder = try LayerEncoder(.v1) { out += $0 }
    try content.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        try encoder.write(UnsafeRawBufferPointer(rebasing: rest.prefix(slice)))
        rest = rest.dropFirst(slice)
      }
    }
    try encoder.finish()
    return out
  }

  @Test(
    "gzip reads back what went in, as one member with nothing behind it", arguments: cases.indices)
  func roundTrip(_ index: Int) throws {
    let (name, content, slice) = Self.cases[index]
    let encoded = try Self.encode(content, slice: slice)
    // zlib's decompressobj stops after the first member, where gzip and others would go on.
    let script = """
      import sys, zlib
      d = zlib.decompressobj(31)
      out = d.decompress(sys.stdin.buffer.read())
      assert d.eof and not d.unused_data, "more than one member"
      sys.stdout.buffer.write(out)
      """
    let decoded = try run("python3", ["-c", script], input: encoded)
    #expect(decoded.status == 0, "\(name): \(decoded.stderr)")
    #expect(decoded.stdout == content, "\(name)")
  }

  @Test("the bytes do not depend on how the stream is fed")
  func slicing() throws {
    let content = Self.text(2 * Self.chunk + 100)
    let whole = try Self.encode(content, slice: content.count)
    for slice in [1 << 16, 999_983, Self.chunk] {
      #expect(try Self.encode(content, slice: slice) == whole)
    }
  }

  @Test("the bytes are the golden ones")
  func golden() throws {
    var lines = ""
    for (name, content, slice) in Self.cases {
      let digest = try Digest.sha256(of: Self.encode(content, slice: slice))
      lines += "\(digest.hex)  \(name)\n"
    }
    try expectGolden("encoder/gzip-ld3-1m.txt", lines)
  }
}
