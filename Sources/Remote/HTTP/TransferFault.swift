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
  /// The proxy cannot be reached; why is one of the three faults above.
  indirect case proxyUnreachable(Proxy, TransferFault)
  case certificateRejected(String)
  /// The certificate is right and somebody else's.
  case certificateForOthers(host: String)
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
    case .status(let code, _): Self.isRetryable(status: code)
    case .proxyUnreachable(_, let reason): reason.isRetryable
    case .hostNotFound, .certificateRejected, .certificateForOthers, .tlsFailed,
      .proxyWantsAuthentication:
      false
    case .lookupFailed, .connectionFailed, .cutOff, .stalled, .proxyRefused, .malformedResponse:
      true
    }
  }

  /// Whether a status is likely to pass by.
  static func isRetryable(status code: Int) -> Bool {
    [408, 425, 429, 499, 500, 502, 503, 504].contains(code) || (520...529).contains(code)
  }
}

extension TransferFault {
  /// What an error of the HTTP client means; `nil` for errors that are none of the network's.
  init?(_ error: any Error, from url: RemoteURL, through proxy: Proxy?) {
    guard let fault = TransferFault(error, host: url.host) else { return nil }
    switch fault {
    case .hostNotFound, .lookupFailed, .connectionFailed:
      self = proxy.map { TransferFault.proxyUnreachable($0, fault) } ?? fault
    default: self = fault
    }
  }

  private init?(_ error: any Error, host: String) {
    switch error {
    case let error as NIOConnectionError: self.init(connecting: error)
    case let error as SocketAddressError.UnknownHost: self.init(lookup: error)
    case let error as HTTPClientError: self.init(client: error)
    case let error as NIOSSLError: self.init(tls: error)
    case let error as NIOSSLExtraError:
      self =
        error == .failedToValidateHostname
        ? .certificateForOthers(host: host)
        : .tlsFailed("the host's name cannot be held against a certificate")
    case let error as BoringSSLError: self.init(tls: .handshakeFailed(error))
    case let error as ChannelError:
      if case .connectTimeout = error {
        self = .connectionFailed("no answer in time")
      } else {
        self = .cutOff("\(error)")
      }
    case let error as IOError: self.init(system: Errno(rawValue: error.errnoCode))
    case let error as ConnectionFault: self.init(connection: error)
    case let error as HTTPParserError:
      self =
        error == .invalidEOFState
        ? .cutOff("the body is not complete") : .malformedResponse("\(error)")
    default: return nil
    }
  }

  private init(connection fault: ConnectionFault) {
    switch fault {
    case .reusedConnectionLost: self = .cutOff("the connection was closed")
    case .writesStalled, .tooSlow: self = .stalled
    case .headersTooLarge(let limit):
      self = .malformedResponse("its headers have more than \(limit) bytes")
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
    case .readTimeout, .writeTimeout, .deadlineExceeded: self = .stalled
    case .connectTimeout, .getConnectionFromPoolTimeout:
      self = .connectionFailed("no answer in time")
    case .tlsHandshakeTimeout: self = .stalled
    case .proxyAuthenticationRequired: self = .proxyWantsAuthentication
    case .invalidProxyResponse, .httpProxyHandshakeTimeout: self = .proxyRefused
    case .remoteConnectionClosed: self = .cutOff("the connection was closed")
    case .uncleanShutdown: self = .cutOff("the connection was closed without a TLS goodbye")
    default: self = .cutOff("\(error)")
    }
  }

  private init(tls error: NIOSSLError) {
    switch error {
    case .uncleanShutdown: self = .cutOff("the connection was closed without a TLS goodbye")
    case .handshakeFailed(.sslError(let stack)):
      let reasons = "\(stack)"
      if reasons.contains("CERTIFICATE_VERIFY_FAILED") {
        self = .certificateRejected("it is not signed by an authority we trust, or has expired")
      } else if stack.isEmpty || reasons.contains("EOF during handshake") {
        self = .cutInHandshake
      } else {
        self = .tlsFailed(Self.reason(of: reasons))
      }
    case .handshakeFailed: self = .cutInHandshake
    case .unableToValidateCertificate: self = .certificateRejected("it cannot be checked")
    case .noCertificateToValidate: self = .certificateRejected("the server sent none")
    case .shutdownFailed: self = .cutOff("the TLS connection did not end well")
    default: self = .tlsFailed("\(error)")
    }
  }
}

extension TransferFault {
  static let cutInHandshake = TransferFault.cutOff("the connection was closed in the TLS handshake")
  static let notTLS = TransferFault.tlsFailed("what answers does not speak TLS")

  /// The reason's own name in BoringSSL's `error:…:OPENSSL_internal:REASON at /where/it/was/built.cc:1`.
  static func reason(of stack: String) -> String {
    guard let marker = stack.firstRange(of: "OPENSSL_internal:") else { return "refused" }
    let name = String(
      stack[marker.upperBound...].prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    )
    return switch name {
    case "TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL": "no common TLS version"
    case "WRONG_VERSION_NUMBER": "what answers does not speak TLS"
    default: name
    }
  }
}

/// A fault with the URL it came from, which after redirects is not the one that was asked for.
struct TransferFailure: Error {
  let url: RemoteURL
  let fault: TransferFault
}
