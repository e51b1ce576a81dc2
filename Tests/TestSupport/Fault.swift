import Foundation
import NIOCore
package import NIOHTTP1
package import Server

/// What a registry does to a request instead of answering it properly. A handler around a handler: what is not
/// here can be made from ``init(_:)``.
package struct Fault: Sendable {
  let answer: @Sendable (ServerRequest, RequestHandler) async throws -> ServerResponse

  package init(
    _ answer: @escaping @Sendable (ServerRequest, RequestHandler) async throws -> ServerResponse
  ) {
    self.answer = answer
  }

  /// How a connection ends.
  package enum Ending: Sendable {
    /// In order (FIN).
    case close
    case reset
    /// Not at all; nothing more is said.
    case stall

    fileprivate func take() async throws -> Never {
      switch self {
      case .close: break
      case .reset: throw ConnectionReset()
      case .stall: while true { try await Task.sleep(for: .seconds(3600)) }
      }
      throw ConnectionEnd()
    }
  }

  private struct ConnectionEnd: Error {}

  /// Another answer than the registry's; the request's body is not read.
  package static func status(
    _ code: Int, headers: HTTPHeaders = [:], body: String = ""
  ) -> Fault {
    Fault { _, _ in
      ServerResponse(
        HTTPResponseStatus(statusCode: code), headers: headers, body: .bytes(Array(body.utf8)))
    }
  }

  /// An answer with an error of the distribution-spec.
  package static func error(
    _ code: Int, _ name: String, message: String = "", headers: HTTPHeaders = [:]
  ) -> Fault {
    var headers = headers
    headers.replaceOrAdd(name: "Content-Type", value: "application/json")
    return status(
      code, headers: headers,
      body: #"{"errors":[{"code":"\#(name)","message":"\#(message)"}]}"#)
  }

  /// Ends the connection when this much of the request's body has been read, before any answer.
  package static func drop(_ ending: Ending, afterRequestBytes count: Int = 0) -> Fault {
    Fault { request, _ in
      var read = 0
      while read < count, let piece = try await request.body.next() {
        read += piece.readableBytes
      }
      try await ending.take()
    }
  }

  /// The registry sees only this much of the request's body before the connection ends, and keeps it.
  package static func cutRequest(_ ending: Ending, after count: Int) -> Fault {
    Fault { request, registry in
      var request = request
      let body = request.body
      var left = count
      request.body = RequestBody {
        guard left > 0, var piece = try await body.next() else { try await ending.take() }
        let slice = piece.readSlice(length: min(left, piece.readableBytes))
        left -= slice?.readableBytes ?? 0
        return slice
      }
      return try await registry(request)
    }
  }

  /// The registry does what it was asked for, and the answer is lost.
  package static func loseAnswer(_ ending: Ending) -> Fault {
    Fault { request, registry in
      _ = try await registry(request)
      try await ending.take()
    }
  }

  /// The head and this much of the body of the answer, then the end; after all of it where it is shorter.
  package static func cutAnswer(_ ending: Ending, after count: Int) -> Fault {
    changeBody { body, sink in
      var left = count
      try await body.write { piece in
        var piece = piece
        if let slice = piece.readSlice(length: min(left, piece.readableBytes)) {
          left -= slice.readableBytes
          try await sink(slice)
        }
        if left == 0 {
          // What was sent is to arrive before the end does.
          try await Task.sleep(for: .milliseconds(50))
          try await ending.take()
        }
      }
      try await ending.take()
    }
  }

  /// The answer's body in small pieces with waits in between.
  package static func trickle(_ pieceByteCount: Int, every pause: Duration) -> Fault {
    changeBody { body, sink in
      try await body.write { piece in
        var piece = piece
        while piece.readableBytes > 0 {
          let count = min(pieceByteCount, piece.readableBytes)
          if let slice = piece.readSlice(length: count) { try await sink(slice) }
          try await Task.sleep(for: pause)
        }
      }
    }
  }

  /// The registry's answer, late.
  package static func delay(_ duration: Duration) -> Fault {
    Fault { request, registry in
      try await Task.sleep(for: duration)
      return try await registry(request)
    }
  }

  /// The registry's answer with something changed: status, headers (`Content-Length` may lie), body.
  package static func change(_ change: @escaping @Sendable (inout ServerResponse) -> Void) -> Fault
  {
    Fault { request, registry in
      var response = try await registry(request)
      change(&response)
      return response
    }
  }

  /// The registry's answer in chunks, without `Content-Length`.
  package static let chunked = change { response in
    response.headers.remove(name: "Content-Length")
    response.body.byteCount = nil
  }

  private static func changeBody(
    _ write: @escaping @Sendable (ResponseBody, ResponseBody.Sink) async throws -> Void
  ) -> Fault {
    change { response in
      let body = response.body
      response.body = ResponseBody(byteCount: body.byteCount) { try await write(body, $0) }
    }
  }
}
