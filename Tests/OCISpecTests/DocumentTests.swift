import OCISpec
import Testing

@Suite("Documents")
struct DocumentTests {
  private static let digest = "sha256:" + String(repeating: "1f", count: 32)
  private static let descriptor = #"{"digest":"\#(digest)","mediaType":"m","size":7}"#

  private static let manifest = #"""
    {"annotations":{"a":"1"},"artifactType":"t","config":\#(descriptor),
     "layers":[{"annotations":{"b":"2"},"data":"e30=","digest":"\#(digest)","mediaType":"l","size":2,"urls":["https://example.com"]}],
     "mediaType":"application/vnd.oci.image.manifest.v1+json","schemaVersion":2,"subject":\#(descriptor),"x-new":{"deep":[1.5,null]}}
    """#
  private static let index = #"""
    {"annotations":{"a":"1"},"artifactType":"t",
     "manifests":[{"artifactType":"u","digest":"\#(digest)","mediaType":"m","platform":{"architecture":"arm","features":["sse4"],"os":"windows","os.features":["win32k"],"os.version":"10.0","variant":"v7"},"size":0,"x-new":1}],
     "mediaType":"application/vnd.oci.image.index.v1+json","schemaVersion":2,"subject":\#(descriptor),"x-new":"y"}
    """#
  private static let config = #"""
    {"architecture":"arm64","author":"me","config":{"ArgsEscaped":true,"Cmd":["c"],"Entrypoint":[],"Env":["A=1","B="],
      "ExposedPorts":{"4317/tcp":{}},"Healthcheck":{"Interval":1,"Retries":2,"StartInterval":3,"StartPeriod":4,"Test":["NONE"],"Timeout":5,"x-new":6},
      "Labels":{"l":""},"Memory":0,"OnBuild":["RUN x"],"Shell":["sh"],"StopSignal":"SIGINT","User":"1:2","Volumes":{"/v":{}},"WorkingDir":"/w"},
     "container":"abc","created":"1970-01-01T00:00:00Z","docker_version":"28",
     "history":[{"author":"me","comment":"c","created":"1970-01-01T00:00:00Z","created_by":"b","empty_layer":true,"x-new":1}],
     "os":"linux","os.features":["f"],"os.version":"1","rootfs":{"diff_ids":["\#(digest)"],"type":"layers"},"variant":"v8"}
    """#

  @Test("come back as they were, with members that nobody here knows")
  func roundTrip() throws {
    let manifest = try JSON(parsing: Self.manifest.utf8)
    let index = try JSON(parsing: Self.index.utf8)
    let config = try JSON(parsing: Self.config.utf8)
    #expect(try canonical(Manifest(json: manifest).json) == canonical(manifest))
    #expect(try canonical(ImageIndex(json: index).json) == canonical(index))
    #expect(try canonical(ImageConfig(json: config).json) == canonical(config))
  }

  private func canonical(_ json: JSON) -> String {
    String(decoding: CanonicalJSON.encode(json), as: UTF8.self)
  }

  @Test("authored ones have these bytes")
  func golden() throws {
    let digest = try Digest(parsing: Self.digest)
    let config = ImageConfig(
      platform: Platform(os: "linux", architecture: "amd64"), diffIDs: [DiffID(digest)],
      history: [History(createdBy: "ociforge v1 base")], created: "1970-01-01T00:00:00Z")
    #expect(
      canonical(config.json)
        == #"{"architecture":"amd64","created":"1970-01-01T00:00:00Z","history":[{"created_by":"ociforge v1 base"}],"os":"linux","rootfs":{"diff_ids":["\#(Self.digest)"],"type":"layers"}}"#
    )
    let descriptor = Descriptor(mediaType: .imageConfig, digest: digest, size: 3)
    #expect(
      canonical(Manifest(config: descriptor, layers: []).json)
        == #"{"config":{"digest":"\#(Self.digest)","mediaType":"application/vnd.oci.image.config.v1+json","size":3},"layers":[],"mediaType":"application/vnd.oci.image.manifest.v1+json","schemaVersion":2}"#
    )
    #expect(
      canonical(ImageIndex(manifests: []).json)
        == #"{"manifests":[],"mediaType":"application/vnd.oci.image.index.v1+json","schemaVersion":2}"#
    )
  }

  @Test("null reads as absent, as Go's writers mean it")
  func readsNull() throws {
    let index = try ImageIndex(
      json: JSON(parsing: #"{"schemaVersion":2,"manifests":null,"annotations":null}"#.utf8))
    #expect(index.manifests.isEmpty && index.annotations.isEmpty)
    let config = try ImageConfig(
      json: JSON(
        parsing:
          #"{"os":"linux","architecture":"amd64","config":{"Env":null,"Cmd":null,"Volumes":null},"rootfs":{"type":"layers","diff_ids":null},"history":null}"#
          .utf8))
    #expect(config.config.isEmpty && config.diffIDs.isEmpty && config.config.cmd == nil)
  }

  @Test(
    "complaints name the place by JSON pointer, with what was expected and found",
    arguments: [
      ("[]", #"at the top: expected an object, found an array"#),
      ("{}", #"at the top: expected a member "config", found none"#),
      (
        #"{"config":{"mediaType":"m","size":1}}"#,
        #"at "/config": expected a member "digest", found none"#
      ),
      (
        #"{"config":{"mediaType":"m","size":1,"digest":"sha256:1"}}"#,
        #"at "/config/digest": expected a digest, found "sha256:1""#
      ),
      (
        #"{"config":{"mediaType":"m","size":-1,"digest":"\#(digest)"}}"#,
        #"at "/config/size": expected a size of at least 0, found -1"#
      ),
      (
        #"{"config":{"mediaType":"m","size":1.0,"digest":"\#(digest)"}}"#,
        #"at "/config/size": expected an integer, found a number"#
      ),
      (
        #"{"config":\#(descriptor),"layers":[\#(descriptor),3]}"#,
        #"at "/layers/1": expected an object, found a number"#
      ),
      (
        #"{"config":\#(descriptor),"annotations":{"a/b~c":true}}"#,
        #"at "/annotations/a~1b~0c": expected a string, found a boolean"#
      ),
      (
        "{\"config\":\(descriptor),\"annotations\":{\"\u{e9}\":\"1\",\"e\u{301}\":\"2\"}}",
        "at \"/annotations/e\u{301}\": expected keys that differ by more than Unicode normalization, found two"
      ),
    ])
  func complaints(text: String, complaint: String) throws {
    let json = try JSON(parsing: text.utf8)
    let error = #expect(throws: DocumentError.self) { try Manifest(json: json) }
    #expect(error?.description == complaint)
  }

  @Test("a map of very many keys is read in linear time")
  func readsLargeMaps() throws {
    let members = (0..<200_000).map { "\"\($0)\":\"\"" }.joined(separator: ",")
    let json = try JSON(
      parsing: "{\"config\":\(Self.descriptor),\"annotations\":{\(members)}}".utf8)
    let manifest = try Manifest(json: json)
    #expect(manifest.annotations.count == 200_000)
    #expect(!CanonicalJSON.encode(manifest.json).isEmpty)
  }

  @Test("media types are told apart by what can be done with them")
  func mediaTypes() {
    #expect(MediaType.dockerManifestList.isIndex && !MediaType.dockerManifestList.isManifest)
    #expect(MediaType.dockerManifest.isManifest && MediaType.dockerConfig.isConfig)
    #expect(MediaType.layerZstd.isLayer && !MediaType.imageConfig.isLayer)
    #expect(
      MediaType(rawValue: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip").isLayer)
  }
}
