import Synchronization

/// The time as AWS has it: the machine's, corrected once a service has shown that the machine's is wrong.
///
/// A class, because all who sign share the correction.
package final class AWSClock: Sendable {
  private let system: @Sendable () -> Int64
  private let correction = Mutex<Int64>(0)

  /// - Parameter system: seconds since 1970.
  package init(_ system: @escaping @Sendable () -> Int64) { self.system = system }

  /// Seconds since 1970.
  package var now: Int64 { system() + correction.withLock { $0 } }

  /// Takes over a service's time where it is further off than a signature may be old.
  /// - Returns: whether anything changed.
  func adopt(_ time: Int64) -> Bool {
    let difference = time - now
    guard abs(difference) > Self.tolerance else { return false }
    correction.withLock { $0 += difference }
    return true
  }

  /// AWS takes signatures of five minutes either way; its SDKs take four for wrong.
  private static let tolerance: Int64 = 240
}
