import NIOHTTP1
import OCILayout
import OCISpec

/// What is here: distribution-spec, "Content Discovery".
extension RegistryService {
  func listTags(of name: RepositoryName, _ target: RequestTarget) throws -> ServerResponse {
    let tags = try layout.index().tags(in: name)
    guard !tags.isEmpty else { throw RegistryError.nameUnknown(name) }
    let page = try Page(tags, target)
    return .json(
      .object(["name": .string(name.text), "tags": .array(page.entries.map(JSON.string))]),
      headers: page.link(to: target.path))
  }

  func listRepositories(_ target: RequestTarget) throws -> ServerResponse {
    let page = try Page(layout.index().repositories, target)
    return .json(
      .object(["repositories": .array(page.entries.map(JSON.string))]),
      headers: page.link(to: target.path))
  }

  /// An index of the manifests whose subject has the digest; in pages, as clients limit its size.
  func listReferrers(
    of digest: Digest, path: String, _ target: RequestTarget
  ) throws -> ServerResponse {
    let wanted = target["artifactType"], last = target["last"] ?? ""
    var referrers: [Descriptor] = []
    try catalogue.forEach { descriptor in
      if let referrer = try referrer(descriptor, of: digest),
        wanted == nil || wanted == referrer.artifactType, last < "\(referrer.digest)"
      {
        referrers.append(referrer)
      }
      return true
    }
    referrers.sort { $0.digest < $1.digest }
    var byteCount = 0
    let page = referrers.prefix { referrer in
      let isFirst = byteCount == 0
      byteCount += CanonicalJSON.encode(referrer.json).count + 1
      return isFirst || byteCount <= Self.maximumPageByteCount
    }
    var headers = HTTPHeaders()
    if wanted != nil { headers.add(name: "OCI-Filters-Applied", value: "artifactType") }
    if page.count < referrers.count, let last = page.last {
      let filter = wanted.map { "artifactType=\(percentEncoded($0))&" } ?? ""
      headers.add(name: "Link", value: "<\(path)?\(filter)last=\(last.digest)>; rel=\"next\"")
    }
    return .json(
      ImageIndex(manifests: Array(page)).json, type: MediaType.imageIndex.rawValue,
      headers: headers)
  }

  /// The descriptor that a manifest is listed by, where its subject is the one asked for.
  private func referrer(_ descriptor: Descriptor, of subject: Digest) throws -> Descriptor? {
    var found = Descriptor(
      mediaType: descriptor.mediaType, digest: descriptor.digest, size: descriptor.size)
    if descriptor.mediaType.isManifest, let manifest = try? layout.manifest(descriptor).body,
      manifest.subject?.digest == subject
    {
      found.artifactType = manifest.artifactType ?? manifest.config.mediaType.rawValue
      found.annotations = manifest.annotations
      return found
    }
    if descriptor.mediaType.isIndex, let index = try? layout.imageIndex(descriptor).body,
      index.subject?.digest == subject
    {
      found.artifactType = index.artifactType
      found.annotations = index.annotations
      return found
    }
    return nil
  }

  private static let maximumPageByteCount = 4 << 20 - 1024
}

/// A part of a sorted list: the parameters `n` and `last`.
struct Page: Equatable {
  let entries: [String]
  /// Whether more follow.
  let isCut: Bool
  private let limit: Int?

  init(_ list: [String], _ target: RequestTarget) throws(RegistryError) {
    let rest = target["last"].map { last in list.filter { last < $0 } } ?? list
    if let text = target["n"] {
      guard let limit = Int(text), limit >= 0 else { throw .pageInvalid(text) }
      self.limit = limit
      entries = Array(rest.prefix(limit))
      isCut = limit > 0 && entries.count < rest.count
    } else {
      (entries, isCut, limit) = (rest, false, nil)
    }
  }

  /// Where the next page is: RFC 8288.
  func link(to path: String) -> HTTPHeaders {
    guard isCut, let limit, let last = entries.last else { return [:] }
    return ["Link": "<\(path)?n=\(limit)&last=\(percentEncoded(last))>; rel=\"next\""]
  }
}

/// The text with all but RFC 3986's unreserved characters escaped.
private func percentEncoded(_ text: String) -> String {
  var out = ""
  for byte in text.utf8 {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."),
      UInt8(ascii: "_"), UInt8(ascii: "~"):
      out.unicodeScalars.append(Unicode.Scalar(byte))
    default: out += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }
  }
  return out
}
