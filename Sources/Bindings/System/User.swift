internal import Glibc

/// Whom the system takes this process for (`geteuid`).
package var effectiveUserID: UInt32 { geteuid() }
