import Bindings
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@testable import OCILayout

@Suite("LayerListing")
struct LayerListingTests {
  private static let members: [TarMember] = [
    .directory("etc"), .file("etc/.wh.old"), .file("etc/.wh..wh..opq"),
    .file("etc/passwd", "root:x:0:0").owned(1 << 20, 7),
    .symlink("lib", to: "usr/lib"), .hardlink("etc/shadow", to: "etc/passwd"), .fifo("run/pipe"),
  ]

  private let directory: TemporaryDirectory
  private var store: BlobStore { BlobStore(root: directory.path) }

  init() throws { directory = try TemporaryDirectory() }

  private func put(_ bytes: [UInt8], _ type: MediaType = .layer) throws -> Descriptor {
    try store.put(bytes, type)
  }

  // MARK: Making

  @Test(
    "a layer is listed whatever its compression, with the DiffID of its tar",
    .enabled(if: peers("gzip", "zstd")), arguments: ["none", "gzip", "zstd"])
  func making(compression: String) throws {
    let tar = try tar(Self.members)
    let bytes = compression == "none" ? tar : try compressed(tar, with: compression)
    let listing = try LayerListing.make(put(bytes), from: store)
    #expect(listing.diffID.digest == (try Digest.sha256(of: tar)))
    let paths = listing.members.map(\.path.description)
    #expect(
      paths == [
        "/etc", "/etc/.wh.old", "/etc/.wh..wh..opq", "/etc/passwd", "/lib", "/etc/shadow",
        "/run/pipe",
      ])
    #expect(listing.members.map(\.ordinal) == Array(0..<7))
    #expect(listing.members[1].whiteout == .remove(try ImagePath(absolute: "/etc/old")))
    #expect(listing.members[2].whiteout == .opaque(try ImagePath(absolute: "/etc")))
    #expect(listing.members[3].header.uid == 1 << 20)
  }

  @Test("the DiffID may be asked for by sha512")
  func algorithm() throws {
    let tar = try tar(Self.members)
    let listing = try LayerListing.make(put(tar), from: store, hashing: .sha512)
    #expect(listing.diffID.digest == (try Digest.of(tar, by: .sha512)))
  }

  @Test("X9: what follows the end of the archive counts for the DiffID and holds no entries")
  func trailingBytes() throws {
    let bytes = try tar(Self.members)
    let padded = bytes + [UInt8](repeating: 7, count: 300_000)
    for blob in [padded, try SmallImage.gzip(padded)] {
      let listing = try LayerListing.make(put(blob), from: store)
      #expect(listing.diffID.digest == (try Digest.sha256(of: padded)))
      #expect(listing.members.count == Self.members.count)
    }
  }

  @Test("a layer of no bytes has no entries, and neither has one that is nothing but an end")
  func emptyLayers() throws {
    let end = try tar([])
    for (blob, tar) in [
      ([], []), (try SmallImage.gzip([]), []), (end, end), (try SmallImage.gzip(end), end),
    ] as [([UInt8], [UInt8])] {
      let listing = try LayerListing.make(put(blob), from: store)
      #expect(listing.members.isEmpty)
      #expect(listing.diffID.digest == (try Digest.sha256(of: tar)))
    }
  }

  @Test("X10: a compressed layer that is cut short is refused, wherever the cut is")
  func cut() throws {
    let blob = try SmallImage.gzip(tar(Self.members))
    for count in [1, 5, 20, blob.count / 2, blob.count - 9, blob.count - 1] {
      let layer = try put(Array(blob.prefix(count)))
      let error = #expect(throws: LibraryError.self) {
        try LayerListing.make(layer, from: store)
      }
      #expect(error?.kind == .data)
    }
  }

  @Test("a blob that is not what its name says is not listed")
  func damage() throws {
    let bytes = try tar(Self.members)
    let layer = try put(bytes)
    try directory.write("blobs/sha256/\(layer.digest.hex)", bytes.dropLast() + [1])
    #expect {
      try LayerListing.make(layer, from: store)
    } throws: {
      guard case LayoutError.corruptBlob = $0 else { return false }
      return true
    }
    try FileSystem.remove(store.path(of: layer.digest))
    #expect(throws: LayoutError.missingBlob(layer.digest, layout: store.root.string)) {
      try LayerListing.make(layer, from: store)
    }
  }

  @Test("X10: a layer that unpacks to more than the limit is refused, in entries or behind them")
  func bomb() throws {
    let zeros = [UInt8](repeating: 0, count: 400_000)
    let inside = try SmallImage.gzip(SmallImage.tar([("zeros", zeros)]))
    let behind = try SmallImage.gzip(tar(Self.members) + zeros)
    var limits = ValidationLimits()
    limits.expansion = 10
    limits.freeExpansion = 100_000
    for blob in [inside, behind] {
      let layer = try put(blob)
      let error = #expect(throws: LibraryError.self) {
        try LayerListing.make(layer, from: store, limits: limits)
      }
      let limit = readable(byteCount: limits.layerSize(compressed: layer.size))
      #expect(
        error?.description
          == "reading \(store.path(of: layer.digest).string.quoted): expected at most \(limit) after decompression, found more"
      )
      #expect(error?.kind == .data)
    }
  }

  @Test(
    "X14: compressions that images do not have are refused, and two over each other",
    .enabled(if: peers("bzip2", "xz", "zstd")))
  func otherCompressions() throws {
    let bytes = try tar(Self.members)
    let bzip2 = try compressed(bytes, with: "bzip2")
    for blob in [
      bzip2, try compressed(bytes, with: "xz"), try compressed(bzip2, with: "zstd"),
      try compressed(compressed(bytes, with: "zstd"), with: "bzip2"),
      try SmallImage.gzip(compressed(bytes, with: "zstd")),
    ] {
      let layer = try put(blob)
      let error = #expect(throws: LibraryError.self) {
        try LayerListing.make(layer, from: store)
      }
      #expect(error?.kind == .data)
    }
  }

  @Test(
    "X10: a zstd window of more than 128 MiB is refused, one of 128 MiB is not",
    .enabled(if: peers("zstd")), arguments: [(27, true), (28, false)])
  func zstdWindow(log: Int, isTaken: Bool) throws {
    let bytes = try tar(Self.members)
    let blob = try run("zstd", ["-q", "-c", "--long=\(log)"], input: bytes).stdout
    let layer = try put(blob)
    let listing = try? LayerListing.make(layer, from: store)
    #expect((listing != nil) == isTaken)
  }

  @Test("X1: a name that leaves the image is refused")
  func hostileName() throws {
    let layer = try put(tar([.file("../x")]))
    #expect(throws: LayerError.self) { try LayerListing.make(layer, from: store) }
  }

  // MARK: Keeping

  @Test("a listing is the same after it was kept, whatever a layer can hold", arguments: 0..<20)
  func roundTrip(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let members = try (0..<200).map { try random.member($0) }
    let layer = try put([UInt8(seed)])
    let listing = LayerListing(diffID: DiffID(layer.digest), members: members)
    try listing.store(for: layer, in: store)
    let read = try #require(LayerListing.cached(layer, in: store))
    #expect(read.diffID == listing.diffID)
    #expect(read.members.map(\.text) == members.map(\.text))
  }

  @Test("the listing of a real layer is the same after it was kept")
  func realRoundTrip() throws {
    let layer = try put(tar(Self.members))
    let listing = try LayerListing.make(layer, from: store)
    try listing.store(for: layer, in: store)
    try FileSystem.remove(store.path(of: layer.digest))
    let read = try #require(LayerListing.cached(layer, in: store))
    #expect(read.members.map(\.text) == listing.members.map(\.text))
  }

  @Test("a file with any one byte changed, or cut anywhere, is not believed")
  func damagedFile() throws {
    let layer = try put(tar(Array(Self.members.prefix(3))))
    let listing = try LayerListing.make(layer, from: store)
    let bytes = try listing.encoded(for: layer)
    for index in bytes.indices {
      var changed = bytes
      changed[index] ^= 1
      #expect(LayerListing(changed, for: layer) == nil, "byte \(index)")
      #expect(LayerListing(Array(bytes[..<index]), for: layer) == nil, "cut at \(index)")
    }
    #expect(LayerListing(bytes + [0], for: layer) == nil)
  }

  @Test("nonsense under a right checksum traps nowhere, and reserves no more than it has bytes")
  func nonsense() throws {
    let layer = try put(tar(Array(Self.members.prefix(3))))
    let bytes = try LayerListing.make(layer, from: store).encoded(for: layer).dropLast(32)
    // Behind the digests, which are compared anyway.
    let start = LayerListing.magic.count + 146
    var refused = 0
    for seed in 0..<500 as Range<UInt64> {
      var random = SplitMix(seed: seed)
      var body = Array(bytes)
      for _ in 0..<3 { body[Int.random(in: start..<body.count, using: &random)] = random.byte() }
      let hash = try Digest.sha256(of: body).hex
      let trailer = stride(from: 0, to: 64, by: 2).compactMap { at in
        UInt8(hash.dropFirst(at).prefix(2), radix: 16)
      }
      let read = LayerListing(body + trailer, for: layer)
      if read == nil { refused += 1 }
      #expect(read?.members.count ?? 0 < body.count)
    }
    #expect(refused > 100)
  }

  @Test(
    "a listing is not believed of another layer, another size, or where another algorithm is asked for"
  )
  func otherLayer() throws {
    let layer = try put(tar(Self.members)), other = try put(tar([]))
    let listing = try LayerListing.make(layer, from: store)
    try listing.store(for: layer, in: store)
    #expect(LayerListing.cached(layer, in: store, hashing: .sha512) == nil)
    let listings = directory.path.appending("listings").appending("sha256")
    let bytes = try FileSystem.readAll(listings.appending(layer.digest.hex), limit: 1 << 20)
    try directory.write("listings/sha256/\(other.digest.hex)", bytes)
    #expect(LayerListing.cached(other, in: store) == nil)
    #expect(LayerListing.cached(layer, in: store) != nil)
    var longer = layer
    longer.size += 1
    #expect(LayerListing.cached(longer, in: store) == nil)
  }

  @Test("a hundred thousand entries take less than 10 MB")
  func size() throws {
    let members = try (0..<100_000).map { number in
      let path = try ImagePath(
        absolute: "/usr/lib/python3/dist-packages/package\(number / 40)/module\(number % 40).py")
      return LayerMember(
        path: path,
        header: TarHeader(
          path: path.bytes, kind: .file(size: Int64(number * 1000)), mode: 0o644, uid: 0, gid: 0,
          mtime: 1_700_000_000 + Int64(number)),
        xattrs: [], ordinal: number, whiteout: nil)
    }
    let layer = try put([])
    let listing = LayerListing(diffID: DiffID(layer.digest), members: members)
    let clock = ContinuousClock()
    var bytes: [UInt8] = []
    let encoding = try clock.measure { bytes = try listing.encoded(for: layer) }
    var read: LayerListing?
    let decoding = clock.measure { read = LayerListing(bytes, for: layer) }
    #expect(bytes.count < 10_000_000)
    #expect(read?.members.count == members.count)
    #if !DEBUG
      #expect(encoding < .milliseconds(100) && decoding < .milliseconds(100))
    #endif
  }
}

extension SplitMix {
  fileprivate mutating func byte() -> UInt8 { UInt8.random(in: .min ... .max, using: &self) }

  fileprivate mutating func bytes(_ count: ClosedRange<Int>, isName: Bool = false) -> [UInt8] {
    (0..<Int.random(in: count, using: &self)).map { _ in
      let byte = byte()
      return isName && (byte == 0 || byte == 0x2F || byte == 0x2E) ? 0xFF : byte
    }
  }

  fileprivate mutating func member(_ ordinal: Int) throws -> LayerMember {
    var path = ImagePath.root
    for _ in 0..<Int.random(in: 0...5, using: &self) {
      path = try path.appending(component: bytes(1...20, isName: true))
    }
    if Int.random(in: 0..<10, using: &self) == 0 {
      path = try path.appending(
        component: ImagePath.whiteoutPrefix + bytes(1...5, isName: true))
    }
    let number = UInt32.random(in: .min ... .max, using: &self)
    let kinds: [TarHeader.Kind] = [
      .file(size: Int64.random(in: 0 ... .max, using: &self)), .directory, .fifo,
      .symlink(target: bytes(0...300)), .hardlink(target: bytes(1...50, isName: true)),
      .characterDevice(major: number, minor: .max), .blockDevice(major: 0, minor: number),
    ]
    let header = TarHeader(
      path: path.bytes, kind: kinds[Int.random(in: kinds.indices, using: &self)],
      mode: UInt32.random(in: 0...0o7777, using: &self),
      uid: Int64.random(in: .min ... .max, using: &self), gid: Int64.max,
      mtime: Int64.random(in: -10...10, using: &self))
    let xattrs = (0..<Int.random(in: 0...2, using: &self)).map { _ in
      (name: bytes(1...30), value: bytes(0...300))
    }
    return LayerMember(
      path: path, header: header, xattrs: xattrs, ordinal: ordinal,
      whiteout: try LayerMember.Whiteout(at: path, of: Digest.sha256(of: [])))
  }
}

extension LayerMember {
  /// All of it, to compare.
  fileprivate var text: String { String(reflecting: self) }
}
