import NIOHTTP1
import OCISpec
import SystemPackage

/// One logical request to a registry: what is sent again, with a fresh token, after a redirect or after a fault.
/// Every body can be sent again from its start.
struct RegistryRequest: Sendable {
  enum Body: Sendable {
    case none
    case bytes([UInt8])
    case file(FileSlice)
  }

  /// A piece of a file that is sent as it is read.
  struct FileSlice: Sendable {
    var path: FilePath
    var offset: Int64 = 0
    var byteCount: Int64
    /// What the piece must hash to; other bytes are never sent to their end.
    var digest: Digest?
  }

  /// How long the answer may take after the request is sent. Registries commit a blob before they answer its PUT.
  enum Patience: Sendable, Hashable { case normal, commit }

  var method: HTTPMethod
  var url: RemoteURL
  /// The repository that it is about, for credentials and for messages.
  var repository: Repository
  /// What is being done, to what, for messages: `pushing blob sha256:… to ghcr.io/o/i`.
  var activity: String
  var headers: [(name: String, value: String)] = []
  var body = Body.none
  /// What a token must allow, the most important first.
  var scopes: [TokenScope] = []
  var patience = Patience.normal
  /// An answer that was asked for and has more bytes is refused; other answers are cut after 64 KiB.
  var responseLimit = 64 << 10
  /// Told how many bytes of the body were sent so far, whenever some were.
  var progress: (@Sendable (Int64) -> Void)?
}

/// An answer with all of its body, whatever its status.
struct RegistryResponse: Sendable {
  let status: Int
  let headers: HTTPHeaders
  /// What answered, after redirects.
  let url: RemoteURL
  let body: [UInt8]

  subscript(name: String) -> String? { headers.first(name: name) }
}
