internal import CYAML
package import Reporting

/// A place in a text: lines and columns count from 1, columns in characters.
package struct TextPosition: Sendable, Hashable, Comparable, CustomStringConvertible {
  package let line: Int
  package let column: Int

  package init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }

  package var description: String { "\(line):\(column)" }

  package static func < (a: Self, b: Self) -> Bool { (a.line, a.column) < (b.line, b.column) }
}

/// A YAML node with its place. Scalars keep their text and whether they were quoted; what a plain scalar
/// means is decided by the reader (YAML 1.2 core schema).
package struct YAMLNode: Sendable {
  package enum Value: Sendable {
    /// `isPlain`: written without quotes or block style, so `true`, `12` and `null` are not text.
    case scalar(text: String, isPlain: Bool)
    case sequence([YAMLNode])
    /// In the order written; keys may repeat, which is for the reader to refuse.
    case mapping([(key: YAMLNode, value: YAMLNode)])
  }

  package let value: Value
  package let position: TextPosition

  package init(value: Value, position: TextPosition) {
    self.value = value
    self.position = position
  }
}

package struct YAMLError: Failure, Equatable {
  package let problem: String
  package let position: TextPosition

  package var kind: FailureKind { .data }
  package var description: String { "\(position): \(problem)" }
}

/// Reads one YAML document through libyaml's parser. The bounds keep hostile text cheap.
package enum YAML {
  package static let maximumByteCount = 4 << 20
  package static let maximumDepth = 64
  /// Nodes after aliases are expanded.
  package static let maximumNodeCount = 100_000

  /// - Returns: the document's root, or `nil` where the text holds none.
  package static func parse(_ bytes: [UInt8]) throws(YAMLError) -> YAMLNode? {
    let start = TextPosition(line: 1, column: 1)
    guard bytes.count <= maximumByteCount else {
      throw YAMLError(problem: "longer than \(maximumByteCount) bytes", position: start)
    }
    let parsed = bytes.withUnsafeBufferPointer { buffer in
      Result { () throws(YAMLError) in
        var composer = try YAMLComposer(buffer)
        defer { composer.delete() }
        return try composer.document()
      }
    }
    return try parsed.get()
  }
}

/// Turns libyaml's events into nodes.
private struct YAMLComposer {
  /// On the heap: libyaml keeps the address.
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private var anchors: [String: YAMLNode] = [:]
  private var anchorSizes: [String: Int] = [:]
  private var nodeCount = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) throws(YAMLError) {
    parser = .allocate(capacity: 1)
    parser.initialize(to: yaml_parser_t())
    guard yaml_parser_initialize(parser) == 1 else {
      parser.deallocate()
      throw YAMLError(problem: "out of memory", position: TextPosition(line: 1, column: 1))
    }
    yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
  }

  func delete() {
    yaml_parser_delete(parser)
    parser.deallocate()
  }

  mutating func document() throws(YAMLError) -> YAMLNode? {
    var root: YAMLNode?
    while true {
      let event = try next()
      switch event.kind {
      case .streamEnd: return root
      case .documentStart where root != nil:
        throw YAMLError(problem: "a second document: expected one", position: event.position)
      case .streamStart, .documentStart, .documentEnd: continue
      default: root = try node(event, depth: 0)
      }
    }
  }

  private struct Event {
    enum Kind {
      case streamStart, streamEnd, documentStart, documentEnd, sequenceEnd, mappingEnd, other
      case alias(String)
      case scalar(text: String, isPlain: Bool, anchor: String?, tag: String?)
      case sequenceStart(anchor: String?, tag: String?)
      case mappingStart(anchor: String?, tag: String?)
    }

    let kind: Kind
    let position: TextPosition
  }

  private func next() throws(YAMLError) -> Event {
    var event = yaml_event_t()
    guard yaml_parser_parse(parser, &event) == 1 else { throw parserError() }
    defer { yaml_event_delete(&event) }
    let position = position(event.start_mark)
    let kind: Event.Kind
    switch event.type {
    case YAML_STREAM_START_EVENT: kind = .streamStart
    case YAML_STREAM_END_EVENT: kind = .streamEnd
    case YAML_DOCUMENT_START_EVENT: kind = .documentStart
    case YAML_DOCUMENT_END_EVENT: kind = .documentEnd
    case YAML_SEQUENCE_END_EVENT: kind = .sequenceEnd
    case YAML_MAPPING_END_EVENT: kind = .mappingEnd
    case YAML_ALIAS_EVENT: kind = .alias(text(event.data.alias.anchor) ?? "")
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
      kind = .scalar(
        text: String(decoding: bytes, as: UTF8.self),
        isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE, anchor: text(scalar.anchor),
        tag: text(scalar.tag))
    case YAML_SEQUENCE_START_EVENT:
      let start = event.data.sequence_start
      kind = .sequenceStart(anchor: text(start.anchor), tag: text(start.tag))
    case YAML_MAPPING_START_EVENT:
      let start = event.data.mapping_start
      kind = .mappingStart(anchor: text(start.anchor), tag: text(start.tag))
    default: kind = .other
    }
    return Event(kind: kind, position: position)
  }

  private mutating func node(_ event: Event, depth: Int) throws(YAMLError) -> YAMLNode {
    guard depth < YAML.maximumDepth else {
      throw YAMLError(
        problem: "nested deeper than \(YAML.maximumDepth) levels", position: event.position)
    }
    try count(1, event)
    let sizeBefore = nodeCount
    let value: YAMLNode.Value
    var anchor: String?
    switch event.kind {
    case .alias(let name):
      guard let target = anchors[name] else {
        throw YAMLError(
          problem: "unknown anchor \(name.quoted): an alias follows its anchor",
          position: event.position)
      }
      try count(anchorSizes[name] ?? 0, event)
      return YAMLNode(value: target.value, position: event.position)
    case .scalar(let text, let isPlain, let name, let tag):
      try refuse(tag, event, unless: "tag:yaml.org,2002:str")
      anchor = name
      value = .scalar(text: text, isPlain: isPlain && tag == nil)
    case .sequenceStart(let name, let tag):
      try refuse(tag, event, unless: "tag:yaml.org,2002:seq")
      anchor = name
      var elements: [YAMLNode] = []
      while true {
        let event = try next()
        if case .sequenceEnd = event.kind { break }
        elements.append(try node(event, depth: depth + 1))
      }
      value = .sequence(elements)
    case .mappingStart(let name, let tag):
      try refuse(tag, event, unless: "tag:yaml.org,2002:map")
      anchor = name
      var members: [(key: YAMLNode, value: YAMLNode)] = []
      while true {
        let event = try next()
        if case .mappingEnd = event.kind { break }
        let key = try node(event, depth: depth + 1)
        members.append((key, try node(try next(), depth: depth + 1)))
      }
      value = .mapping(members)
    default: throw YAMLError(problem: "unexpected \(event.kind)", position: event.position)
    }
    let node = YAMLNode(value: value, position: event.position)
    if let anchor {
      anchors[anchor] = node
      anchorSizes[anchor] = nodeCount - sizeBefore
    }
    return node
  }

  private mutating func count(_ nodes: Int, _ event: Event) throws(YAMLError) {
    nodeCount += nodes
    guard nodeCount <= YAML.maximumNodeCount else {
      throw YAMLError(
        problem: "more than \(YAML.maximumNodeCount) values once aliases are expanded",
        position: event.position)
    }
  }

  private func refuse(_ tag: String?, _ event: Event, unless allowed: String) throws(YAMLError) {
    guard let tag, tag != allowed, tag != "!" else { return }
    throw YAMLError(problem: "a tag \(tag.quoted): expected none", position: event.position)
  }

  private func parserError() -> YAMLError {
    let parser = self.parser.pointee
    let words = [parser.context, parser.problem].compactMap { $0.map { String(cString: $0) } }
    let text = words.isEmpty ? "not readable" : words.joined(separator: ": ")
    return YAMLError(problem: "not valid YAML: \(text)", position: position(parser.problem_mark))
  }

  private func position(_ mark: yaml_mark_t) -> TextPosition {
    TextPosition(line: Int(mark.line) + 1, column: Int(mark.column) + 1)
  }

  private func text(_ bytes: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    bytes.map { String(cString: $0) }
  }
}
