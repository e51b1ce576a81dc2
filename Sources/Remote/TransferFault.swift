import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import SystemPackage

/// Why one request brought no complete answer.
package enum TransferFault: Sendable, Equatable {
  /// An answer that is not the file.
  case status(Int, retryAfter: Duration?)
  case hostNotFound(String)
  /// The resolver has no answer now.
  case lookupFailed(String)
  case connectionFailed(String)
  case certificateRejected(String)
  case tlsFailed(String)
  /// The connection ended before the answer did.
  case cutOff(String)
  /// Nothing came for as long as we wait.
  case stalled
  case proxyWantsAuthentication
  /// The proxy did not open a way to the server.
  case proxyRefused
  case malformedResponse(String)

  package var isRetryable: Bool {
    switch self {
    case .status(let code, _):
      [408, 425, 429, 499, 500, 502, 503, 504].contains(code) || (520...529).contains(code)
    case .hostNotFound, .certificateRejected, .tlsFailed, .proxyWantsAuthentication: false
    case .lookupFailed, .connectionFailed, .cutOff, .stalled, .proxyRefused, .malformedResponse:
      true
    }
  }
}

extension TransferFault {
  /// What an error of the HTTP client means; `nil` for errors that are none of the network's.
  package init?(_ error: any Error) {
    switch error {
    case let error as NIOConnectionError: self.init(connecting: error)
    case let error as SocketAddressError.UnknownHost: self.init(lookup: error)
    case let error as HTTPClientError: self.init(client: error)
    case let error as NIOSSLError: self.init(tls: error)
    case let error as NIOSSLExtraError: self = .certificateRejected("\(error)")
    case let error as BoringSSLError: self.init(tls: .handshakeFailed(error))
    case let error as ChannelError:
      if case .connectTimeout = error {
        self = .connectionFailed("no answer in time")
      } else {
        self = .cutOff("\(error)")
      }
    case let error as IOError: self.init(system: Errno(rawValue: error.errnoCode))
    case let error as HTTPParserError:
      self =
        error == .invalidEOFState
        ? .cutOff("the body is not complete") : .malformedResponse("\(error)")
    default: return nil
    }
  }

  private init(connecting error: NIOConnectionError) {
    if let failure = error.connectionErrors.first {
      let errno = (failure.error as? IOError).map { Errno(rawValue: $0.errnoCode) }
      self = .connectionFailed(errno?.description ?? "\(failure.error)")
    } else if let lookup = (error.dnsAError ?? error.dnsAAAAError)
      as? SocketAddressError.UnknownHost
    {
      self.init(lookup: lookup)
    } else {
      self = .lookupFailed("\(error)")
    }
  }

  private init(system errno: Errno) {
    let connecting: [Errno] = [
      .connectionRefused, .networkUnreachable, .noRouteToHost, .timedOut,
    ]
    self =
      connecting.contains(errno)
      ? .connectionFailed(errno.description) : .cutOff(errno.description)
  }

  private init(lookup error: SocketAddressError.UnknownHost) {
    // EAI_NONAME and EAI_NODATA are answers; EAI_AGAIN and the rest are the lack of one.
    self =
      error.errorCode == -2 || error.errorCode == -5
      ? .hostNotFound(error.host) : .lookupFailed(error.errorDescription)
  }

  private init(client error: HTTPClientError) {
    switch error {
    case .readTimeout, .deadlineExceeded: self = .stalled
    case .connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout:
      self = .connectionFailed("no answer in time")
    case .proxyAuthenticationRequired: self = .proxyWantsAuthentication
    case .invalidProxyResponse, .httpProxyHandshakeTimeout: self = .proxyRefused
    case .remoteConnectionClosed: self = .cutOff("the connection was closed")
    case .uncleanShutdown: self = .cutOff("the connection was closed without a TLS goodbye")
    default: self = .cutOff("\(error)")
    }
  }

  private init(tls error: NIOSSLError) {
    let text = "\(error)"
    switch error {
    case .uncleanShutdown: self = .cutOff("the connection was closed without a TLS goodbye")
    case .handshakeFailed(.sslError(let stack)):
      let reasons = "\(stack)"
      if reasons.contains("CERTIFICATE_VERIFY_FAILED") {
        self = .certificateRejected("it is not signed by an authority we trust, or has expired")
      } else if stack.isEmpty || reasons.contains("EOF during handshake") {
        self = .cutOff("the connection was closed in the TLS handshake")
      } else {
        self = .tlsFailed(reasons)
      }
    case .handshakeFailed: self = .cutOff("the connection was closed in the TLS handshake")
    case .unableToValidateCertificate, .noCertificateToValidate: self = .certificateRejected(text)
    default: self = .tlsFailed(text)
    }
  }
}

/// A fault with the URL it came from, which after redirects is not the one that was asked for.
struct TransferFailure: Error {
  let url: RemoteURL
  let fault: TransferFault
}
